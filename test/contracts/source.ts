import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Retryable } from '../../runtime/errors.ts'
import type { Subscription, TopicSource } from '../../runtime/ports.ts'
import { type Batch, Reading, type Sent, sequence } from './source_reading.ts'
import { eventually, fresh, PATIENCE_MS } from './wait.ts'

/** Partitions of every topic that the suite asks for. */
const PARTITIONS = 4
const BATCH_MAX = 1_000
const LARGE_BYTES = 900_000

export interface SourceUnderTest {
  /** A source of this process. */
  readonly source: TopicSource
  /** A source as in a process of its own; `kill` ends that at once, with no chance to say anything. */
  mortal(): Promise<{ readonly source: TopicSource; readonly kill: () => Promise<void> }>
  /** A topic that nobody has read. Resolves with its name. */
  makeTopic(partitions: number): Promise<string>
  send(topic: string, partition: number, messages: readonly Sent[]): Promise<void>
  /** Where a new member of the group would begin in each partition. */
  kept(topic: string, group: string): Promise<readonly number[]>
  /** Shares the partitions of the group anew, where the adapter does not do so by itself when members come. */
  rebalance(topic: string, group: string): void
  cleanup(): Promise<void>
}

/**
 * What every adapter of the port TopicSource does: each message at least once, in order, none skipped. How often one is repeated
 * is not part of it. `make` is called once; tests keep apart by topic and group.
 */
export function sourceContract(name: string, make: () => Promise<SourceUnderTest>): void {
  describe(`source: ${name}`, { timeout: 2 * PATIENCE_MS }, () => {
    let made: SourceUnderTest | null = null
    const open: Subscription[] = []
    const bench: Bench = {
      subject: () => {
        if (made === null) throw new Error('the source was not made')
        return made
      },
      async read(topics, group, reading) {
        const subscription = await bench.subject().source.consume(topics, group, reading.handle)
        open.push(subscription)
        return subscription
      },
    }
    beforeAll(async () => {
      made = await make()
    }, 2 * PATIENCE_MS)
    afterEach(async () => {
      for (const subscription of open.splice(0)) await subscription.close()
    }, PATIENCE_MS)
    afterAll(async () => {
      await made?.cleanup()
    }, 2 * PATIENCE_MS)

    messagesContract(bench)
    progressContract(bench)
    errorsContract(bench)
    sharingContract(bench)
  })
}

interface Bench {
  readonly subject: () => SourceUnderTest
  /** Consumes into the reading until the end of the test. */
  readonly read: (topics: readonly string[], group: string, reading: Reading) => Promise<Subscription>
}

function messagesContract({ subject, read }: Bench): void {
  describe('messages', () => {
    it('come from the beginning, complete, and in the order of their partition', async () => {
      await subject().source.ping()
      const topic = await subject().makeTopic(PARTITIONS)
      const began_ms = Date.now()
      await subject().send(topic, 1, sequence('b', 3))
      await subject().send(topic, 0, [
        {
          key: Buffer.from('k'),
          value: Buffer.from([0, 255, 10]),
          headers: { traceparent: '00-ü', empty: '' },
        },
        { key: null, value: Buffer.from('no key'), headers: {} },
        { key: Buffer.from('tombstone'), value: null, headers: {} },
        { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: {} },
      ])
      const reading = new Reading()
      await read([topic], fresh('group'), reading)
      await eventually('all are there', () => reading.handled(topic) === 7)
      expect(reading.messages(topic, 0)).toMatchObject([
        {
          offset: 0,
          key: Buffer.from('k'),
          value: Buffer.from([0, 255, 10]),
          headers: { traceparent: '00-ü', empty: '' },
        },
        { offset: 1, key: null, value: Buffer.from('no key'), headers: {} },
        { offset: 2, key: Buffer.from('tombstone'), value: null },
        { offset: 3, key: Buffer.alloc(0), value: Buffer.alloc(0) },
      ])
      expect(Object.keys(reading.messages(topic, 0)[1]?.headers ?? { none: '' })).toEqual([])
      expect(reading.texts(topic, 1)).toEqual(['b0', 'b1', 'b2'])
      for (const { time_ms } of reading.messages(topic, 0)) {
        expect(Number.isInteger(time_ms)).toBe(true)
        // A broker's clock may be another one; seconds and milliseconds, or nonsense, are far apart.
        expect(Math.abs(time_ms - began_ms)).toBeLessThan(365 * 86_400_000)
      }
      expect(reading.faults).toEqual([])
    })

    it(`come in batches of 1 to ${BATCH_MAX}, however many wait and however large they are`, async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      await subject().send(topic, 2, sequence('m', 2 * BATCH_MAX + 500))
      const large = Buffer.alloc(LARGE_BYTES, 'x')
      for (let n = 0; n < 3; n++) await subject().send(topic, 3, [{ key: null, value: large, headers: {} }])
      const reading = new Reading()
      await read([topic], fresh('group'), reading)
      await eventually('all are there', () => reading.handled(topic) === 2 * BATCH_MAX + 503)
      for (const { messages } of reading.batches) {
        expect(messages.length).toBeGreaterThanOrEqual(1)
        expect(messages.length).toBeLessThanOrEqual(BATCH_MAX)
      }
      expect(reading.texts(topic, 2)).toEqual(
        sequence('m', 2 * BATCH_MAX + 500).map(({ value }) => String(value)),
      )
      for (const { value } of reading.messages(topic, 3)) expect(value?.equals(large)).toBe(true)
      expect(reading.faults).toEqual([])
    })

    it('of several topics come under the name of their own', async () => {
      const topics = [await subject().makeTopic(PARTITIONS), await subject().makeTopic(PARTITIONS)]
      for (const topic of topics) await subject().send(topic, 1, sequence(topic, 4))
      const reading = new Reading()
      await read(topics, fresh('group'), reading)
      await eventually('those of both', () => topics.every((topic) => reading.handled(topic) === 4))
      for (const topic of topics)
        expect(reading.texts(topic, 1)).toEqual([0, 1, 2, 3].map((n) => `${topic}${n}`))
    })

    it('are read on as they come', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const reading = new Reading()
      await read([topic], fresh('group'), reading)
      for (let n = 0; n < 3; n++) {
        await subject().send(topic, n, sequence(`${n}-`, 2))
        await eventually('what was sent', () => reading.handled(topic) === 2 * (n + 1))
      }
      expect(reading.faults).toEqual([])
    })
  })
}

function progressContract({ subject, read }: Bench): void {
  describe('progress', () => {
    it('is kept only once handling is done, and then a new member goes on from there', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const group = fresh('group')
      await subject().send(topic, 0, sequence('stuck', 2))
      await subject().send(topic, 1, sequence('easy', 2))
      const gate = Promise.withResolvers<undefined>()
      const reading = new Reading(({ partition }) => (partition === 0 ? gate.promise : undefined))
      const subscription = await read([topic], group, reading)
      // Another partition goes on meanwhile, and its progress is kept.
      await eventually('partition 1', async () => (await subject().kept(topic, group))[1] === 2)
      expect((await subject().kept(topic, group))[0]).toBe(0)
      gate.resolve(undefined)
      await eventually('partition 0', async () => (await subject().kept(topic, group))[0] === 2)
      await subscription.close()
      await subject().send(topic, 0, sequence('after', 1))
      const next = new Reading()
      await read([topic], group, next)
      await eventually('what came after', () => next.handled(topic) === 1)
      expect(next.batches[0]?.from).toBe(2)
    })

    it('is not kept of what was in hand at close, and nothing is handled after it', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const group = fresh('group')
      await subject().send(topic, 0, sequence('m', 3))
      const gate = Promise.withResolvers<undefined>()
      const first = new Reading(() => gate.promise)
      const subscription = await read([topic], group, first)
      await eventually('it is in hand', () => first.batches.length > 0)
      await subscription.close()
      const begun = first.batches.length
      gate.resolve(undefined)
      await subject().send(topic, 1, sequence('later', 1))
      const second = new Reading()
      await read([topic], group, second)
      await eventually('everything', () => second.handled(topic) === 4)
      expect(second.texts(topic, 0)).toEqual(['m0', 'm1', 'm2'])
      expect(first.batches).toHaveLength(begun)
    })

    it('of a member that dies is what it had kept: the next one repeats and loses nothing', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const group = fresh('group')
      await subject().send(topic, 0, sequence('done', 3))
      const { source, kill } = await subject().mortal()
      const never = Promise.withResolvers<undefined>()
      const texts = ({ messages }: Batch) => messages.map(({ value }) => String(value))
      const dying = new Reading((batch) =>
        texts(batch).some((text) => text.startsWith('open')) ? never.promise : undefined,
      )
      await source.consume([topic], group, dying.handle)
      await eventually('the first', async () => (await subject().kept(topic, group))[0] === 3)
      await subject().send(topic, 0, sequence('open', 3))
      await eventually('it is in hand', () => dying.batches.some((batch) => texts(batch).includes('open0')))
      await kill()
      const next = new Reading()
      await read([topic], group, next)
      await eventually('what was in hand', () => next.handled(topic) >= 3)
      expect(next.texts(topic, 0).slice(-3)).toEqual(['open0', 'open1', 'open2'])
    })
  })
}

function errorsContract({ subject, read }: Bench): void {
  describe('when handling fails with Retryable', () => {
    it('the same is given again, nothing behind it before, and other partitions go on', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const group = fresh('group')
      await subject().send(topic, 0, sequence('a', 3))
      const down = { is: true }
      const reading = new Reading(({ partition }) =>
        down.is && partition === 0 ? Promise.reject(new Retryable('down', 'the log is down')) : undefined,
      )
      await read([topic], group, reading)
      await eventually('three tries', () => reading.batches.length >= 3)
      await subject().send(topic, 0, sequence('b', 2))
      await subject().send(topic, 1, sequence('c', 2))
      await eventually('the other partition', () => reading.handled(topic) === 2)
      expect(reading.batchesOf(topic, 0).every(({ from }) => from === 0)).toBe(true)
      expect((await subject().kept(topic, group))[0]).toBe(0)
      down.is = false
      await eventually('everything', () => reading.handled(topic) === 7)
      expect(reading.texts(topic, 0)).toEqual(['a0', 'a1', 'a2', 'b0', 'b1'])
      expect(reading.faults).toEqual([])
    })

    it('and the member closes meanwhile, the next one gets it', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const group = fresh('group')
      await subject().send(topic, 0, sequence('m', 2))
      const failing = new Reading(() => Promise.reject(new Retryable('closing', 'not taken')))
      const subscription = await read([topic], group, failing)
      await eventually('a try', () => failing.batches.length > 0)
      await subscription.close()
      const next = new Reading()
      await read([topic], group, next)
      await eventually('both', () => next.handled(topic) === 2)
      expect(next.texts(topic, 0)).toEqual(['m0', 'm1'])
    })
  })
}

function sharingContract({ subject, read }: Bench): void {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)

  describe('members', () => {
    it('of one group share the partitions, hand them over, and skip nothing', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const group = fresh('group')
      const everything = new Reading()
      const first = new Reading(undefined, everything)
      const second = new Reading(undefined, everything)
      let sent = 0
      const sendToAll = async () => {
        for (const partition of partitions) await subject().send(topic, partition, sequence(`${sent}-`, 2))
        sent += 2
      }
      const allHandled = () => everything.handled(topic) === sent * PARTITIONS
      await sendToAll()
      await read([topic], group, first)
      await eventually('the only member reads everything', allHandled)

      const joined = await read([topic], group, second)
      await eventually('the second member reads something too', async () => {
        subject().rebalance(topic, group)
        await sendToAll()
        await eventually('both read everything between them', allHandled)
        return second.handled(topic) > 0
      })

      await joined.close()
      const done_by_second = second.batches.length
      await sendToAll()
      await eventually('the member that stays reads everything again', allHandled)
      expect(second.batches).toHaveLength(done_by_second)
      // What was begun anywhere began at most one behind what was handled: nothing was skipped at any hand-over.
      expect(everything.faults.filter(({ kind }) => kind === 'skipped')).toEqual([])
      // And each member read in order by itself.
      expect([...first.faults, ...second.faults].filter(({ kind }) => kind === 'overlapping')).toEqual([])
    })

    it('of different groups each read everything', async () => {
      const topic = await subject().makeTopic(PARTITIONS)
      const readings = [new Reading(), new Reading()]
      for (const reading of readings) await read([topic], fresh('group'), reading)
      for (const partition of partitions) await subject().send(topic, partition, sequence('m', 2))
      for (const reading of readings) {
        await eventually('everything', () => reading.handled(topic) === 2 * PARTITIONS)
        for (const partition of partitions) expect(reading.texts(topic, partition)).toEqual(['m0', 'm1'])
      }
    })
  })
}
