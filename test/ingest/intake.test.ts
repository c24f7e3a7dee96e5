import { describe, expect, it } from 'vitest'
import type { Batch } from '../../ingest/batch.ts'
import { Intake } from '../../ingest/intake.ts'
import { noTraces } from '../../runtime/tracing.ts'
import type { RawAlert } from '../../ingest/sources/raw_alert.ts'
import { Retryable } from '../../runtime/errors.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Origin } from '../../schemas/record.ts'
import { KeptLog } from './kept_log.ts'
import { DEFAULTS } from './settings.ts'

const raw = (
  labels: Record<string, string>,
  ordinal = 0,
  annotations: Record<string, string> = {},
): RawAlert => ({
  ordinal,
  labels,
  annotations,
  generator_url: '',
  starts_at_ms: 1,
  ends_at_ms: null,
})

function batch(messages: readonly (readonly RawAlert[])[], origin: Origin | null = null): Batch {
  return {
    source: 'test',
    origin,
    received_at_ms: 1_000,
    messages: messages.map((alerts, offset) => ({
      offset: origin === null ? null : offset,
      decoded: { alerts, rejects: [] },
    })),
    locate: (offset, ordinal) => `here@${offset}#${ordinal}`,
  }
}

function setUp(partitions = 4) {
  const log = new KeptLog(partitions)
  const seen = { accepted: 0, rejected: [] as string[] }
  const observer = {
    accepted: (_source: string, alerts: number) => (seen.accepted += alerts),
    rejected: (_source: string, code: string) => seen.rejected.push(code),
  }
  return { log, seen, intake: new Intake({ log, config: DEFAULTS, observer, tracing: noTraces }) }
}

describe('a batch', () => {
  it('goes to the partitions of its scopes, in one append, and its positions are remembered', async () => {
    const { log, seen, intake } = setUp()
    const alerts = ['a', 'b', 'c', 'd', 'e'].map((site, i) => raw({ site }, i))
    const { positions } = await intake.accept(batch([alerts]))
    expect(log.calls).toHaveLength(1)
    for (const record of log.records) {
      expect(record).toMatchObject({ kind: 'alerts', received_at_ms: 1_000, origin: null, places: [] })
      for (const { scope } of record.alerts) expect(partitionOf(scope, 4)).toBe(record.partition)
    }
    expect(log.records.flatMap((record) => record.alerts.map(({ scope }) => scope)).sort()).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ])
    expect(new Map(positions)).toEqual(new Map(log.records.map(({ partition }) => [partition, 0])))
    await intake.accept(batch([[raw({ site: 'a' })]]))
    expect(intake.appended().get(partitionOf('a', 4))).toBe(1)
    expect(seen.accepted).toBe(6)
  })

  it('is cut into entries within the bounds', async () => {
    const { log, intake } = setUp(1)
    const large = Array.from({ length: 1_500 }, (_, i) =>
      raw({ n: String(i) }, i, i % 2 === 0 ? {} : { text: 'x'.repeat(2_000) }),
    )
    await intake.accept(batch([large]))
    expect(log.calls).toHaveLength(1)
    for (const { value } of log.appends) expect(value.length).toBeLessThanOrEqual(LIMITS.entry_bytes)
    for (const { alerts } of log.records) expect(alerts.length).toBeLessThanOrEqual(LIMITS.alerts_per_entry)
    expect(log.records.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['n']))).toEqual(
      large.map((_, i) => String(i)),
    )
  })

  it('keeps the places of its alerts', async () => {
    const { log, intake } = setUp(1)
    const origin = { source: 'plant/alerts', partition: 7 }
    await intake.accept(
      batch([[raw({ a: '1' }), raw({ a: '1' }, 1), raw({ a: '2' }, 2)], [raw({ a: '1' })]], origin),
    )
    expect(log.records).toMatchObject([
      {
        origin,
        places: [
          [0, 0],
          [0, 1],
          [0, 2],
          [1, 0],
        ],
        alerts: [{ repeats: 1 }, { repeats: 1 }, { repeats: 1 }, { repeats: 1 }],
      },
    ])
  })

  it('sends what is beyond the bounds to the dead letters, under an id that a repetition shares', async () => {
    const { log, seen, intake } = setUp(1)
    const given = batch([[raw({ a: 'x'.repeat(5_000) }), raw({ a: 'ok' }, 1)]], { source: 's', partition: 0 })
    const { rejects } = await intake.accept(given)
    await intake.accept(given)
    expect(rejects).toMatchObject([{ ordinal: 0, code: 'label-value-length' }])
    expect(log.letters).toMatchObject([
      { source: 'test', origin: 'here@0#0', code: 'label-value-length', at_ms: 1_000 },
      {},
    ])
    expect(log.letters[0]?.id).toBe(log.letters[1]?.id)
    expect(seen.rejected).toEqual(['label-value-length', 'label-value-length'])
    expect(log.records[0]?.alerts).toMatchObject([{ labels: { a: 'ok' } }])
  })

  it('without alerts asks nothing of the log', async () => {
    const { log, intake } = setUp()
    await intake.accept(batch([[]]))
    expect(log.calls).toEqual([])
  })
})

describe('requests that arrive while an append is under way', () => {
  it('go into the next one together, and each is answered when its own entries are durable', async () => {
    const { log, intake } = setUp(1)
    const gates: (() => void)[] = []
    const close = (): void => {
      log.gate = new Promise((resolve) => gates.push(resolve))
    }
    close()
    const done: number[] = []
    const asked = [0, 1, 2, 3].map((n) =>
      intake.accept(batch([[raw({ n: String(n) })]])).then(() => done.push(n)),
    )
    close()
    gates[0]?.()
    await asked[0]
    expect(done).toEqual([0])
    gates[1]?.()
    await Promise.all(asked)
    expect(log.calls.map((call) => call.length)).toEqual([1, 1])
    expect(log.records.map(({ alerts }) => alerts.map(({ labels }) => labels['n']))).toEqual([
      ['0'],
      ['1', '2', '3'],
    ])
  })

  it('fail together, with the class of the failure, and the next ones are tried again', async () => {
    const { log, intake } = setUp(1)
    log.reachable = false
    const failed = await Promise.allSettled(
      [0, 1].map((n) => intake.accept(batch([[raw({ n: String(n) })]]))),
    )
    expect(failed.map((one) => one.status === 'rejected' && one.reason instanceof Retryable)).toEqual([
      true,
      true,
    ])
    log.reachable = true
    await intake.accept(batch([[raw({ n: '2' })]]))
    expect(log.records).toHaveLength(1)
  })

  it('are turned away when too many wait', async () => {
    const { log, intake } = setUp(1)
    let open = () => {}
    log.gate = new Promise((resolve) => (open = resolve))
    const alerts = Array.from({ length: LIMITS.alerts_per_request }, (_, i) => raw({ n: 'same' }, i))
    const asked = Array.from({ length: 7 }, () => intake.accept(batch([alerts])))
    const outcome = Promise.allSettled(asked)
    open()
    const failed = (await outcome).flatMap((one) =>
      one.status === 'rejected' ? [one.reason as unknown] : [],
    )
    expect(failed).toMatchObject([{ code: 'intake-full' }])
    expect(
      log.records.flatMap(({ alerts: taken }) => taken).reduce((sum, { repeats }) => sum + repeats, 0),
    ).toBe(6 * LIMITS.alerts_per_request)
  })
})
