import { setImmediate as breathe } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Consumer } from '../../ingest/consumer.ts'
import { Intake } from '../../ingest/intake.ts'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import type { Acknowledgement } from '../../ingest/sources/raw_alert.ts'
import type { SourceFormat } from '../../schemas/source_formats.ts'
import { noTraces } from '../../runtime/tracing.ts'
import type { Retryable } from '../../runtime/errors.ts'
import type { Clock, SourceMessage, TopicSource } from '../../runtime/ports.ts'
import { KeptLog } from './kept_log.ts'
import { DEFAULTS, RESOLVE_TIMEOUT_MS } from './settings.ts'

/** A topic that gives what the test hands over, as a broker would: one batch at a time, progress kept once it was handled. */
class HandedTopic implements TopicSource {
  give: (partition: number, messages: readonly SourceMessage[]) => Promise<void> = () =>
    Promise.reject(new Error('not consumed yet'))
  asked: unknown

  async consume(...[topics, group, handle]: Parameters<TopicSource['consume']>) {
    this.asked = { topics, group }
    this.give = (partition, messages) => handle(topics[0] ?? '', partition, messages)
    return { close: async () => {} }
  }

  async ping(): Promise<void> {}
}

/** Sleeps until the test lets time go on. */
class HeldClock implements Clock {
  now_ms = 1_000_000
  readonly sleeps: number[] = []
  private wake: () => void = () => {}

  now(): number {
    return this.now_ms
  }
  token(): string {
    return 'token'
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms)
    return new Promise((resolve) => {
      this.wake = resolve
      signal?.addEventListener('abort', () => resolve())
    })
  }
  async goOn(): Promise<void> {
    this.wake()
    await breathe()
  }
}

async function setUp(source?: { readonly format: SourceFormat }) {
  const [log, clock, topic] = [new KeptLog(1), new HeldClock(), new HandedTopic()]
  const told: unknown[] = []
  const intake = new Intake({
    log,
    config: DEFAULTS,
    observer: { accepted: () => {}, rejected: () => {} },
    tracing: noTraces,
  })
  const observer = {
    halted: (...all: unknown[]) => told.push(['halted', ...all]),
    retrying: (_source: string, error: Retryable, attempt: number) =>
      told.push(['retrying', error.code, attempt]),
  }
  const settled: { id: string; dedup_key: string }[] = []
  const acknowledger = {
    settle: async (all: readonly Acknowledgement[], idOf: (ordinal: number) => string) =>
      all.flatMap(({ ordinal, identity }) => {
        const { dedup_key = '' } = identity
        settled.push({ id: idOf(ordinal), dedup_key })
        const reject = { ordinal, code: 'acknowledge-unknown', reason: 'nothing fires', payload: dedup_key }
        return dedup_key === 'unknown' ? [reject] : []
      }),
  }
  const consumer = new Consumer({
    name: 'plant',
    topics: ['alerts'],
    source: topic,
    intake,
    clock,
    observer,
    resolve_timeout_ms: RESOLVE_TIMEOUT_MS,
    ...(source && {
      decode: sourceDecoder({ ...source, labels: {}, expire_after_ms: 60_000 }),
      acknowledger,
    }),
  })
  await consumer.start()
  return { log, clock, topic, told, consumer, settled }
}

const message = (offset: number, value: string | null): SourceMessage => ({
  offset,
  time_ms: 5_000 + offset,
  key: null,
  value: value === null ? null : Buffer.from(value),
  headers: {},
})
const good = (offset: number) => message(offset, `{"labels":{"n":"${offset}"}}`)
const bad = (offset: number) => message(offset, 'garbage')
const run = (count: number, make: (offset: number) => SourceMessage, from = 0) =>
  Array.from({ length: count }, (_, i) => make(from + i))

describe('messages', () => {
  it('become records with their origin and places; one alert or an array of them', async () => {
    const { log, topic } = await setUp()
    await topic.give(3, [
      message(10, '{"labels":{"a":"1"}}'),
      message(12, '[{"labels":{"a":"2"}},{"labels":{"a":"3"}}]'),
    ])
    expect(topic.asked).toEqual({ topics: ['alerts'], group: 'tocsin-ingest-plant' })
    expect(log.records).toMatchObject([
      {
        origin: { source: 'plant/alerts', partition: 3 },
        places: [
          [10, 0],
          [12, 0],
          [12, 1],
        ],
        alerts: [{ labels: { a: '1' }, source: 'plant', starts_at_ms: 5_010 }, {}, {}],
      },
    ])
  })

  it('give the same when they are read again at another time', async () => {
    const { log, clock, topic } = await setUp()
    const batch = [good(1), bad(2), message(3, '[{"labels":{"a":""}},{"labels":{"a":"b"}}]')]
    await topic.give(0, batch)
    clock.now_ms += 99_999
    await topic.give(0, batch)
    const [first, again] = log.records
    expect(again).toEqual({ ...first, received_at_ms: clock.now_ms })
    expect(log.letters.slice(2).map(({ id }) => id)).toEqual(log.letters.slice(0, 2).map(({ id }) => id))
  })

  it('that are bad become dead letters, the others are taken', async () => {
    const { log, topic } = await setUp()
    await topic.give(3, [
      bad(1),
      good(2),
      message(3, null),
      message(4, '[{"labels":{"a":""}},{"labels":{"a":"b"}}]'),
      message(5, '[{}]'),
    ])
    expect(log.records[0]?.places).toEqual([
      [2, 0],
      [4, 1],
    ])
    expect(log.letters.map(({ origin, code, payload }) => [origin, code, payload])).toEqual([
      ['kafka:alerts/3@1#0', 'json-syntax', 'garbage'],
      ['kafka:alerts/3@3#0', 'empty', ''],
      ['kafka:alerts/3@4#0', 'labels-empty', '{"labels":{"a":""}}'],
      ['kafka:alerts/3@5#0', 'labels-missing', '[{}]'],
    ])
  })
})

describe('a source of another format', () => {
  const event = (event_action: string, dedup_key: string) =>
    JSON.stringify({
      routing_key: 'team',
      event_action,
      dedup_key,
      payload: { summary: 'Disk full', source: 'db-1', severity: 'error' },
    })

  it('is read by its decoder, at the time of the message', async () => {
    const { log, topic } = await setUp({ format: 'pagerduty' })
    await topic.give(0, [message(1, event('trigger', 'k')), message(2, event('resolve', 'k'))])
    const [record] = log.records
    expect(record?.places).toEqual([
      [1, 0],
      [2, 0],
    ])
    const [fires, ends] = record?.alerts ?? []
    expect(ends?.fingerprint).toBe(fires?.fingerprint)
    expect(fires).toMatchObject({ source: 'plant', starts_at_ms: 5_001, labels: { dedup_key: 'k' } })
    expect(ends?.ends_at_ms).toBeLessThan(5_002)
  })

  it('acknowledges under the same id however often it is read, and tells what names nothing', async () => {
    const { log, topic, settled } = await setUp({ format: 'pagerduty' })
    const batch = [message(7, event('acknowledge', 'known')), message(8, event('acknowledge', 'unknown'))]
    await topic.give(0, batch)
    await topic.give(0, batch)
    expect(settled.map(({ dedup_key }) => dedup_key)).toEqual(['known', 'unknown', 'known', 'unknown'])
    const ids = settled.map(({ id }) => id)
    expect(ids.slice(2)).toEqual(ids.slice(0, 2))
    expect(new Set(ids).size).toBe(2)
    expect(log.letters).toMatchObject([
      { code: 'acknowledge-unknown', origin: 'kafka:alerts/0@8#0' },
      { code: 'acknowledge-unknown' },
    ])
    expect(log.letters[0]?.id).toBe(log.letters[1]?.id)
  })

  it('is not ended in the future by a producer whose clock is ahead', async () => {
    const { log, clock, topic } = await setUp({ format: 'pagerduty' })
    await topic.give(0, [{ ...message(1, event('resolve', 'k')), time_ms: clock.now_ms + 60_000 }])
    expect(log.records[0]?.alerts[0]?.ends_at_ms).toBeLessThan(clock.now_ms)
  })
})

describe('a log that cannot be reached', () => {
  it('is tried again, and nothing is lost', async () => {
    const { log, clock, topic, told } = await setUp()
    log.reachable = false
    const given = topic.give(0, [good(1)])
    await breathe()
    await clock.goOn()
    await clock.goOn()
    expect(told).toEqual([
      ['retrying', 'log-unreachable', 1],
      ['retrying', 'log-unreachable', 2],
      ['retrying', 'log-unreachable', 3],
    ])
    expect(clock.sleeps).toEqual([100, 200, 400])
    log.reachable = true
    await clock.goOn()
    await given
    expect(log.records[0]?.alerts).toHaveLength(1)
  })

  it('does not hold up the end: the batch stays unhandled', async () => {
    const { log, topic, consumer } = await setUp()
    log.reachable = false
    const given = topic.give(0, [good(1)])
    const outcome = given.catch((error: unknown) => error)
    await breathe()
    await consumer.close()
    expect(await outcome).toMatchObject({ code: 'closing' })
  })
})

describe('a source partition of which nearly everything is rejected', () => {
  it('halts before it drains into the dead letters, and is looked at again each minute', async () => {
    const { log, clock, topic, told, consumer } = await setUp()
    await topic.give(0, [...run(20, good), ...run(900, bad, 20)])
    expect(told).toEqual([])
    const given = topic.give(0, run(100, bad, 920))
    const outcome = given.catch((error: unknown) => error)
    await breathe()
    await clock.goOn()
    expect(told).toEqual([['halted', 'plant', 'alerts', 0, true]])
    expect(clock.sleeps).toEqual([60_000, 60_000])
    expect(log.letters).toHaveLength(900)
    await topic.give(1, [good(1)])
    await consumer.close()
    expect(await outcome).toMatchObject({ code: 'closing' })
  })

  it('does not halt while one message in ten is good', async () => {
    const { log, topic, told } = await setUp()
    for (let batch = 0; batch < 30; batch++)
      await topic.give(
        0,
        run(100, (offset) => (offset % 10 === 0 ? good(offset) : bad(offset)), batch * 100),
      )
    expect(told).toEqual([])
    expect(log.letters).toHaveLength(2_700)
  })
})
