import { setImmediate as breathe } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SampleIntake } from '../../../ingest/samples/intake.ts'
import { SparkplugConsumer } from '../../../ingest/samples/sparkplug_consumer.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { Retryable } from '../../../runtime/errors.ts'
import type { Clock, Commit, Shard, SourceMessage, TopicSource } from '../../../runtime/ports.ts'
import { MemoryStore } from '../../../runtime/store/memory.ts'
import { noTraces } from '../../../runtime/tracing.ts'
import { QUALITIES } from '../../../schemas/sample.ts'
import { decodeSamples } from '../../../schemas/samples_codec.ts'
import { KeptLog } from '../kept_log.ts'
import { DEFAULTS } from '../settings.ts'
import { bdSeq, DATATYPE, encodePayload, type Metric, type Payload } from './sparkplug_producer.ts'

/** A broker whose messages the test hands over, each until it is taken. */
class HandedBroker implements TopicSource {
  readonly published: string[] = []
  give: (messages: readonly SourceMessage[]) => Promise<void> = () =>
    Promise.reject(new Error('nobody reads yet'))

  async consume(...[, , handle]: Parameters<TopicSource['consume']>) {
    this.give = (messages) => handle('topic', 0, messages)
    return { close: async () => {} }
  }
  async publish(topic: string): Promise<void> {
    this.published.push(topic)
  }
  async ping(): Promise<void> {}
}

/** A store that can lose a commit, or its answer, on the way. */
class FaultyStore extends MemoryStore {
  fault: 'none' | 'commit-lost' | 'answer-lost' | 'claimed-by-another' = 'none'

  override async commit(shard: Shard, commit: Commit): Promise<number> {
    const { fault } = this
    this.fault = 'none'
    if (fault === 'commit-lost') throw new Retryable('store-unreachable', 'the commit is lost')
    if (fault === 'claimed-by-another') await this.claim(shard, 'another')
    const version = await super.commit(shard, commit)
    if (fault === 'answer-lost') throw new Retryable('store-unreachable', 'the answer is lost')
    return version
  }
}

const clock: Clock = { ...systemClock, sleep: () => breathe() }

class World {
  readonly log = new KeptLog(1)
  readonly store = new FaultyStore()
  readonly counts = { gaps: 0, rebirths: 0, halted: 0 }
  readonly codes: string[] = []
  broker = new HandedBroker()
  private offset = 0

  /** Another process in the place of the one before. */
  async start(): Promise<this> {
    this.broker = new HandedBroker()
    const observer = { sampled: () => {}, rejected: (_: string, code: string) => void this.codes.push(code) }
    const intake = new SampleIntake({ log: this.log, config: DEFAULTS, observer, tracing: noTraces })
    const consumer = new SparkplugConsumer({
      name: 'edges',
      topics: ['spBv1.0/#'],
      source: this.broker,
      clock,
      observer: { halted: () => this.counts.halted++, retrying: () => {} },
      intake,
      store: this.store,
      place: (decoded) => decoded,
      sparkplug: {
        reborn: (_, { gaps, rebirths }) => {
          this.counts.gaps += gaps
          this.counts.rebirths += rebirths
        },
      },
    })
    await consumer.start()
    return this
  }

  kept(topic: string, payload: Payload): SourceMessage {
    const key = Buffer.from(`spBv1.0/plant/${topic}`)
    return { offset: this.offset++, time_ms: Date.now(), key, value: encodePayload(payload), headers: {} }
  }

  /** As MQTT gives it. */
  unkept(topic: string, payload: Payload, is_repeated = false): SourceMessage {
    const { offset, key, ...message } = this.kept(topic, payload)
    const headers = is_repeated ? { 'mqtt-dup': 'true' } : {}
    return {
      ...message,
      offset,
      key: null,
      headers,
      unkept: { topic: key?.toString() ?? '', name: `mqtt:${offset}` },
    }
  }

  get told(): readonly string[] {
    return this.log.appends.flatMap(({ topic, value: bytes }) => {
      if (topic !== 'samples') return []
      const { of, value, quality } = decodeSamples(bytes)
      return Array.from(of, (_, i) => `${value[i]} ${QUALITIES[quality[i] ?? 0]}`)
    })
  }
}

const level: Metric = { name: 'Level', alias: 1, datatype: DATATYPE.Int32, value: { int: 10 } }
const birth: Payload = { seq: 0, metrics: [bdSeq(1), level] }
const data = (seq: number, value: number): Payload => ({
  seq,
  metrics: [{ alias: 1, value: { int: value } }],
})

describe('the births of Sparkplug', () => {
  it.each(['commit-lost', 'answer-lost', 'claimed-by-another'] as const)(
    'when a commit meets %s, the messages are taken again and the numbers still fit',
    async (fault) => {
      const world = await new World().start()
      await world.broker.give([world.unkept('NBIRTH/e', birth), world.unkept('NDATA/e', data(1, 11))])
      world.store.fault = fault
      await world.broker.give([world.unkept('NDATA/e', data(2, 12)), world.unkept('NDATA/e', data(3, 13))])
      await world.broker.give([world.unkept('NDATA/e', data(4, 14))])
      expect(world.counts).toEqual({ gaps: 0, rebirths: 0, halted: 0 })
      expect([...new Set(world.told)]).toEqual(['10 good', '11 good', '12 good', '13 good', '14 good'])
    },
  )

  it('survive another process, which hears again what was not acknowledged', async () => {
    const world = await new World().start()
    await world.broker.give([world.unkept('NBIRTH/e', birth)])
    await world.broker.give([world.unkept('NDATA/e', data(1, 11))])
    await world.start()
    await world.broker.give([
      world.unkept('NBIRTH/e', birth, true),
      world.unkept('NDATA/e', data(1, 11), true),
      world.unkept('NDATA/e', data(2, 12)),
    ])
    expect(world.counts).toEqual({ gaps: 0, rebirths: 0, halted: 0 })
    expect(world.told.at(-1)).toBe('12 good')
  })

  it('from Kafka, what is in the state is not read again', async () => {
    const world = await new World().start()
    const messages = [world.kept('NBIRTH/e', birth), world.kept('NDATA/e', data(1, 11))]
    await world.broker.give(messages)
    const before = world.told.length
    await world.start()
    await world.broker.give([...messages, world.kept('NDATA/e', data(2, 12))])
    expect(world.told.slice(before)).toEqual(['12 good'])
    expect(world.counts.gaps).toBe(0)
  })

  it('from Kafka, a topic that was made anew is read from its beginning', async () => {
    const world = await new World().start()
    const far = { offset: 50_000 }
    await world.broker.give([{ ...world.kept('NBIRTH/e', birth), ...far }])
    await world.start()
    await world.broker.give([world.kept('NBIRTH/e', birth), world.kept('NDATA/e', data(1, 11))])
    expect(world.told.at(-1)).toBe('11 good')
  })

  it('a source of which no birth is known is not halted: the births come behind what cannot be read', async () => {
    const world = await new World().start()
    for (let batch = 0; batch < 4; batch++)
      await world.broker.give(
        Array.from({ length: 500 }, (_, i) => world.unkept('NDATA/e', data(i % 256, i))),
      )
    expect(world.counts.halted).toBe(0)
    expect(world.codes).toHaveLength(2_000)
    expect(world.broker.published).toEqual(['spBv1.0/plant/NCMD/e'])
    await world.broker.give([world.unkept('NBIRTH/e', birth)])
    expect(world.told).toEqual(['10 good'])
  })
})
