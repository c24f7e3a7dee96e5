import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Retryable } from '../../runtime/errors.ts'
import type { Append, Log, LogEntry, Position, Topic } from '../../runtime/ports.ts'
import { readFrom, readOn, type Subscribed, subscribeAlone, texts } from './owner.ts'
import { sharingContract } from './log_sharing.ts'
import { tailContract } from './log_tail.ts'
import { fresh, LONG_WAIT_MS, PATIENCE_MS } from './wait.ts'

export interface LogUnderTest {
  /** At least 8 partitions in every topic. Entries of earlier runs may be in it. */
  readonly log: Log
  /** Closes the log in use and opens it again over the same data; left out where data lives no longer than the log. */
  readonly reopen?: () => Promise<Log>
  /** Forgets the entries before a position, as retention does. */
  readonly trim?: (topic: Topic, partition: number, before: Position) => Promise<void>
  /** Called once at the end; the log may have been closed. */
  readonly cleanup: () => Promise<void>
}

/**
 * What every adapter of the port Log does. `make` is called once; tests keep apart by partition and group.
 * `lacks`: what an adapter does not have by its nature; the tests of that are then not part of its contract.
 */
export function logContract(
  name: string,
  make: () => Promise<LogUnderTest>,
  lacks: readonly 'reopen'[] = [],
): void {
  describe(`log: ${name}`, { timeout: 2 * PATIENCE_MS }, () => {
    const subject: { made: LogUnderTest | null; log: Log | null } = { made: null, log: null }
    const made = (): LogUnderTest => subject.made ?? raise('the log was not made')
    const log = (): Log => subject.log ?? raise('the log was not made')

    beforeAll(async () => {
      subject.made = await make()
      subject.log = subject.made.log
    }, 2 * PATIENCE_MS)
    afterAll(async () => {
      await subject.made?.cleanup()
    }, 2 * PATIENCE_MS)

    appendContract(log)
    readerContract(log, made)
    sharingContract(log)
    tailContract(log)
    if (!lacks.includes('reopen')) restartContract(log, made, (reopened) => (subject.log = reopened))
    describe('at its end', () => {
      closeContract(log)
    })
  })
}

function raise(message: string): never {
  throw new Error(message)
}

const to = (topic: Topic, partition: number, ...values: string[]): Append[] =>
  values.map((value) => ({ topic, partition, value: Buffer.from(value) }))

async function next(log: Log, topic: Topic, partition: number): Promise<Position> {
  return (await log.bounds(topic))[partition]?.next ?? raise(`no bounds of ${topic} ${partition}`)
}

const isAscending = (numbers: readonly number[]): boolean =>
  numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? number))

function appendContract(log: () => Log): void {
  describe('append', () => {
    it('has partitions and bounds for each', async () => {
      await log().ping()
      expect(log().partitions('deadletters')).toBeGreaterThanOrEqual(8)
      const bounds = await log().bounds('deadletters')
      expect(bounds).toHaveLength(log().partitions('deadletters'))
      for (const { first, next: end } of bounds) expect(first).toBeLessThanOrEqual(end)
    })

    it('gives positions in the order of the argument, ascending per partition', async () => {
      const before = await log().bounds('deadletters')
      const positions = await log().append([
        ...to('deadletters', 0, 'a'),
        ...to('deadletters', 1, 'b'),
        ...to('deadletters', 0, 'c', 'd'),
        ...to('deadletters', 1, 'e'),
      ])
      expect(positions).toHaveLength(5)
      const [a = -1, b = -1, c = -1, d = -1, e = -1] = positions
      expect([a, c, d]).toSatisfy(isAscending)
      expect([b, e]).toSatisfy(isAscending)
      expect(a).toBeGreaterThanOrEqual(before[0]?.next ?? Infinity)
      expect(b).toBeGreaterThanOrEqual(before[1]?.next ?? Infinity)
      const after = await log().bounds('deadletters')
      expect(after[0]?.next).toBeGreaterThan(d)
      expect(after[1]?.next).toBeGreaterThan(e)
      expect(after[2]).toEqual(before[2])
    })

    it('takes nothing at all', async () => {
      expect(await log().append([])).toEqual([])
    })

    it('refuses a partition that does not exist, for good and with all that came along', async () => {
      const before = await log().bounds('deadletters')
      for (const partition of [-1, log().partitions('deadletters'), 0.5, Number.NaN]) {
        const refused: unknown = await log()
          .append([...to('deadletters', 2, 'along'), ...to('deadletters', partition, 'x')])
          .catch((error: unknown) => error)
        expect(refused).toBeInstanceOf(Error)
        expect(refused).not.toBeInstanceOf(Retryable)
      }
      expect(await log().bounds('deadletters')).toEqual(before)
    })
  })
}

function readerContract(log: () => Log, made: () => LogUnderTest): void {
  describe('a reader', () => {
    let subscribed: Subscribed | null = null
    const reader = (partition: number) => (subscribed ?? raise('not subscribed')).owner.reader(partition)
    beforeAll(async () => {
      subscribed = await subscribeAlone(log(), 'samples', fresh('reader'))
    }, 2 * PATIENCE_MS)
    afterAll(async () => {
      await subscribed?.subscription.close()
    }, PATIENCE_MS)

    it('reads what was appended: order, positions, bytes, headers, and times that never go back', async () => {
      const sent_ms = Date.now()
      const value = randomBytes(300)
      const headers = {
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-note': 'größer',
      }
      const positions = [
        ...(await log().append([
          { topic: 'samples', partition: 0, value, headers },
          ...to('samples', 0, 'plain'),
        ])),
        ...(await log().append(to('samples', 0, ''))),
      ]
      const entries = await readFrom(reader(0), positions[0] ?? -1, 3)
      expect(entries.map((entry) => entry.position)).toEqual(positions)
      expect(entries.map((entry) => entry.value)).toEqual([value, Buffer.from('plain'), Buffer.alloc(0)])
      expect(entries.map((entry) => entry.headers)).toEqual([headers, {}, {}])
      const times = entries.map((entry) => entry.time_ms)
      expect(times).toEqual([...times].sort((a, b) => a - b))
      // A minute allows for a broker with its own clock.
      expect(Math.abs((times[0] ?? 0) - sent_ms)).toBeLessThan(60_000 + PATIENCE_MS)
    })

    it('gives at most so many entries, and each once', async () => {
      const values = Array.from({ length: 25 }, (_, i) => `limit ${i}`)
      const positions = await log().append(to('samples', 1, ...values))
      await reader(1).seek(positions[0] ?? -1)
      const entries: LogEntry[] = []
      while (entries.length < 25) {
        const page = await reader(1).poll(4, PATIENCE_MS)
        expect(page.length).toBeGreaterThan(0)
        expect(page.length).toBeLessThanOrEqual(4)
        entries.push(...page)
      }
      expect(texts(entries)).toEqual(values)
    })

    it('gives an empty list when the wait is over', async () => {
      await reader(2).seek(await next(log(), 'samples', 2))
      expect(await reader(2).poll(10, 30)).toEqual([])
      expect(await reader(2).poll(10, 0)).toEqual([])
    })

    it('waits for the first entry', async () => {
      await reader(2).seek(await next(log(), 'samples', 2))
      const polled = reader(2).poll(10, LONG_WAIT_MS)
      await log().append(to('samples', 2, 'awaited'))
      expect(texts(await polled)).toEqual(['awaited'])
    })

    it('is woken without losing anything', async () => {
      await reader(2).seek(await next(log(), 'samples', 2))
      const polled = reader(2).poll(10, LONG_WAIT_MS)
      reader(2).wake()
      expect(await polled).toEqual([])
      await log().append(to('samples', 2, 'after the wake'))
      expect(texts(await readOn(reader(2), 1))).toEqual(['after the wake'])
    })

    it('goes back and forward, as often as asked', async () => {
      const positions = await log().append(to('samples', 3, 'one', 'two', 'three', 'four'))
      const [one = -1, , three = -1, four = -1] = positions
      expect(texts(await readFrom(reader(3), three, 2))).toEqual(['three', 'four'])
      expect(texts(await readFrom(reader(3), one, 4))).toEqual(['one', 'two', 'three', 'four'])
      expect(texts(await readFrom(reader(3), four, 1))).toEqual(['four'])
      expect(texts(await readFrom(reader(3), one, 1, 1))).toEqual(['one'])
      expect(texts(await readOn(reader(3), 1, 1))).toEqual(['two'])
    })

    it('says how far it is, and reads on as before', async () => {
      const [one = -1, two = -1] = await log().append(to('samples', 3, 'first', 'second'))
      expect(texts(await readFrom(reader(3), one, 1, 1))).toEqual(['first'])
      reader(3).progressed(two)
      expect(texts(await readOn(reader(3), 1))).toEqual(['second'])
    })

    it('keeps the order of appends that were not awaited', async () => {
      const values = Array.from({ length: 200 }, (_, i) => `concurrent ${i}`)
      const answers = await Promise.all(
        values.map((value) => log().append([...to('samples', 4, value), ...to('samples', 5, value)])),
      )
      for (const [column, partition] of [4, 5].entries()) {
        const positions = answers.map((answer) => answer[column] ?? -1)
        expect(positions).toSatisfy(isAscending)
        expect(texts(await readFrom(reader(partition), positions[0] ?? -1, 200))).toEqual(values)
      }
    })

    it('carries entries of 500 KB', async () => {
      const values = Array.from({ length: 6 }, () => randomBytes(500 * 1024))
      const positions = await log().append(values.map((value) => ({ topic: 'samples', partition: 6, value })))
      const entries = await readFrom(reader(6), positions[0] ?? -1, 6)
      expect(entries).toHaveLength(6)
      for (const [i, entry] of entries.entries())
        expect(entry.value.equals(values[i] ?? Buffer.alloc(0))).toBe(true)
    })

    it('says that a position was trimmed away, and never reuses one', async () => {
      const trim = made().trim ?? raise('this log has no trim')
      const positions = await log().append(to('samples', 7, 'old', 'older', 'kept'))
      const [old = -1, , kept = -1] = positions
      await reader(7).seek(old)
      await trim('samples', 7, kept)
      expect((await log().bounds('samples'))[7]).toEqual({ first: kept, next: kept + 1 })
      await expect(reader(7).poll(10, PATIENCE_MS)).rejects.toMatchObject({
        name: 'Retryable',
        code: 'position-trimmed',
      })
      const sought = reader(7)
        .seek(old)
        .then(() => reader(7).poll(10, PATIENCE_MS))
      await expect(sought).rejects.toMatchObject({ name: 'Retryable', code: 'position-trimmed' })
      expect(texts(await readFrom(reader(7), kept, 1))).toEqual(['kept'])
      await trim('samples', 7, kept + 1)
      expect((await log().bounds('samples'))[7]).toEqual({ first: kept + 1, next: kept + 1 })
      const [after = -1] = await log().append(to('samples', 7, 'after'))
      expect(after).toBeGreaterThan(kept)
      expect(texts(await readFrom(reader(7), after, 1))).toEqual(['after'])
    })
  })
}

function restartContract(log: () => Log, made: () => LogUnderTest, replace: (log: Log) => void): void {
  it('has every entry, position and time over a restart, and goes on after them', async () => {
    const reopen = made().reopen ?? raise('this log has no reopen')
    const headers = { traceparent: 'kept' }
    const positions = await log().append([
      { topic: 'deadletters', partition: 3, value: Buffer.from('first'), headers },
      ...to('deadletters', 3, 'second'),
    ])
    const bounds = await log().bounds('deadletters')
    replace(await reopen())
    expect(await log().bounds('deadletters')).toEqual(bounds)
    const third = await log().append(to('deadletters', 3, 'third'))
    const { owner, subscription } = await subscribeAlone(log(), 'deadletters', fresh('restart'))
    const entries = await readFrom(owner.reader(3), positions[0] ?? -1, 3)
    await subscription.close()
    expect(texts(entries)).toEqual(['first', 'second', 'third'])
    expect(entries.map((entry) => entry.position)).toEqual([...positions, ...third])
    expect(entries[0]?.headers).toEqual(headers)
    const times = entries.map((entry) => entry.time_ms)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('reuses no position of a partition that was trimmed empty before a restart', async () => {
    const reopen = made().reopen ?? raise('this log has no reopen')
    const trim = made().trim ?? raise('this log has no trim')
    const [last = -1] = await log().append(to('deadletters', 4, 'gone'))
    await trim('deadletters', 4, last + 1)
    replace(await reopen())
    expect((await log().bounds('deadletters'))[4]).toEqual({ first: last + 1, next: last + 1 })
    const [after = -1] = await log().append(to('deadletters', 4, 'new'))
    expect(after).toBeGreaterThan(last)
  })
}

function closeContract(log: () => Log): void {
  it('ends a waiting poll, and refuses to append', async () => {
    const { owner } = await subscribeAlone(log(), 'deadletters', fresh('closing'))
    const reader = owner.reader(5)
    await reader.seek(await next(log(), 'deadletters', 5))
    const polled = reader.poll(10, LONG_WAIT_MS)
    await log().close()
    expect(await polled).toEqual([])
    await expect(log().append(to('deadletters', 5, 'late'))).rejects.toThrow(Error)
    await log().close()
  })
}
