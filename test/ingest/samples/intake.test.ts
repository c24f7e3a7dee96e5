import { describe, expect, it } from 'vitest'
import type { SampleBatch } from '../../../ingest/samples/batch.ts'
import type { RawReading, RawSeries } from '../../../ingest/samples/format.ts'
import { SampleIntake } from '../../../ingest/samples/intake.ts'
import type { Retryable } from '../../../runtime/errors.ts'
import { noTraces } from '../../../runtime/tracing.ts'
import { LIMITS } from '../../../schemas/limits.ts'
import { type SamplesRecord, QUALITIES } from '../../../schemas/sample.ts'
import { decodeSamples } from '../../../schemas/samples_codec.ts'
import { KeptLog } from '../kept_log.ts'
import { DEFAULTS } from '../settings.ts'

const AT_MS = Date.UTC(2026, 10, 25, 12)

function setUp(partitions = 4) {
  const log = new KeptLog(partitions)
  const observed: unknown[] = []
  const observer = {
    sampled: (...all: unknown[]) => observed.push(['sampled', ...all]),
    rejected: (...all: unknown[]) => observed.push(['rejected', ...all]),
  }
  return { log, observed, intake: new SampleIntake({ log, config: DEFAULTS, observer, tracing: noTraces }) }
}

const reading = (value = 1, at_ms = AT_MS): RawReading => ({ at_ms, value, quality: 'good' })
const series = (labels: Record<string, string>, ...readings: RawReading[]): RawSeries => ({
  labels: { metric: 'temperature', ...labels },
  readings: readings.length === 0 ? [reading()] : readings,
})
const batch = (...all: RawSeries[]): SampleBatch => ({
  source: 'plant',
  received_at_ms: AT_MS,
  messages: [{ offset: null, decoded: { series: all, rejects: [] } }],
  locate: (offset, ordinal) => `test@${offset}#${ordinal}`,
})

function entries(log: KeptLog): (SamplesRecord & { readonly partition: number })[] {
  return log.appends.flatMap(({ topic, partition, value }) =>
    topic === 'samples' ? [{ ...decodeSamples(value), partition }] : [],
  )
}

/** What the log holds, a line for each reading. */
function told(log: KeptLog): unknown[] {
  return entries(log).flatMap(({ series: all, of, at_ms, value, quality }) =>
    Array.from(of, (number, i) => [
      all[number]?.labels['machine'] ?? all[number]?.labels['equipment'],
      all[number]?.labels['metric'],
      (at_ms[i] ?? 0) - AT_MS,
      value[i],
      QUALITIES[quality[i] ?? -1],
    ]),
  )
}

describe('readings', () => {
  it('are in the log when they are acknowledged, with scope, source and quality', async () => {
    const { log, intake, observed } = setUp()
    const rejects = await intake.accept(
      batch(series({ machine: 'press-1', site: 'hamburg' }, reading(20), reading(21.5, AT_MS + 0.5))),
    )
    expect(rejects).toEqual([])
    expect(entries(log)).toMatchObject([
      {
        source: 'plant',
        historical: false,
        received_at_ms: AT_MS,
        series: [
          { scope: 'hamburg', labels: { metric: 'temperature', machine: 'press-1', site: 'hamburg' } },
        ],
      },
    ])
    expect(told(log)).toEqual([
      ['press-1', 'temperature', 0, 20, 'good'],
      ['press-1', 'temperature', 0.5, 21.5, 'good'],
    ])
    expect(observed).toEqual([['sampled', 'plant', 2, 0]])
  })

  it('that are no numbers are bad, or stay stale, and have the value 0', async () => {
    const { log, intake } = setUp()
    const stale: RawReading = { at_ms: AT_MS, value: Number.NaN, quality: 'stale' }
    await intake.accept(batch(series({ machine: 'm' }, reading(Number.NaN), reading(-Infinity), stale)))
    expect(told(log)).toEqual([
      ['m', 'temperature', 0, 0, 'bad'],
      ['m', 'temperature', 0, 0, 'bad'],
      ['m', 'temperature', 0, 0, 'stale'],
    ])
  })

  it('of one device lie in one partition, whatever else their labels are, and those of many are spread', async () => {
    const { log, intake } = setUp(16)
    const devices = Array.from({ length: 40 }, (_, i) => `line/press-${i}`)
    await intake.accept(
      batch(
        ...devices.flatMap((equipment) => [
          series({ equipment, host: 'edge-1' }),
          { ...series({ equipment, host: 'edge-2', axis: 'x' }), labels: { metric: 'vibration', equipment } },
        ]),
      ),
    )
    const partitions = new Map<string, Set<number>>()
    for (const { series: all, partition } of entries(log))
      for (const { labels } of all) {
        const device = labels['equipment'] ?? ''
        partitions.set(device, (partitions.get(device) ?? new Set()).add(partition))
      }
    expect([...partitions.keys()].sort()).toEqual([...devices].sort())
    expect([...partitions.values()].every((found) => found.size === 1)).toBe(true)
    expect(new Set(entries(log).map(({ partition }) => partition)).size).toBeGreaterThan(8)
  })

  it('that fill a gap of the past are apart from those that are live', async () => {
    const { log, intake } = setUp(1)
    await intake.accept(batch(series({ machine: 'm' }), { ...series({ machine: 'm' }), historical: true }))
    expect(entries(log).map(({ historical }) => historical)).toEqual([false, true])
  })

  it('of one series that come in several messages name it once in an entry', async () => {
    const { log, intake } = setUp(1)
    const one = () => ({ offset: null, decoded: { series: [series({ machine: 'm' })], rejects: [] } })
    await intake.accept({ ...batch(), messages: [one(), one(), one()] })
    expect(entries(log)).toHaveLength(1)
    expect(entries(log)[0]?.series).toHaveLength(1)
    expect(entries(log)[0]?.of).toHaveLength(3)
  })

  it('beyond what one entry may hold go into further entries, in order', async () => {
    const { log, intake } = setUp(1)
    const many = Array.from({ length: LIMITS.samples_per_entry * 2 + 1 }, (_, i) =>
      reading(i, AT_MS - 30_000 + i),
    )
    await intake.accept(batch({ ...series({ machine: 'm' }), readings: many }))
    const values = entries(log).flatMap(({ value }) => [...value])
    expect(values).toEqual(many.map(({ value }) => value))
    expect(log.appends.length).toBeGreaterThan(2)
    expect(log.appends.every(({ value }) => value.length <= LIMITS.entry_bytes)).toBe(true)
  })

  it('of series with long labels are cut by bytes', async () => {
    const { log, intake } = setUp(1)
    const many = Array.from({ length: 300 }, (_, i) => series({ machine: `${i}`.padEnd(4_000, '\u0001') }))
    await intake.accept(batch(...many))
    expect(told(log)).toHaveLength(300)
    expect(log.appends.every(({ value }) => value.length <= LIMITS.entry_bytes)).toBe(true)
  })
})

describe('what cannot be taken', () => {
  it.each<[string, RawSeries, string]>([
    ['no metric', { labels: { machine: 'm' }, readings: [reading()] }, 'metric-missing'],
    ['an empty metric', series({ metric: '' }), 'metric-missing'],
    ['too long a value', series({ machine: 'x'.repeat(LIMITS.label_value_chars + 1) }), 'label-value-length'],
    ['too long a scope', series({ site: 'x'.repeat(LIMITS.scope_chars + 1) }), 'scope-length'],
    [
      'too many labels',
      series(Object.fromEntries(Array.from({ length: LIMITS.labels_per_alert }, (_, i) => [`n${i}`, 'v']))),
      'labels-too-many',
    ],
    [
      'labels that are too long together',
      series(Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`n${i}`, 'v'.repeat(4_000)]))),
      'series-chars',
    ],
    ['a time that is none', series({}, reading(1, Number.NaN)), 'time-range'],
    ['a time before 1970', series({}, reading(1, -1)), 'time-range'],
    ['a time after 2200', series({}, reading(1, LIMITS.time_ms_max + 1)), 'time-range'],
    ['a time ahead of the clock', series({}, reading(1, AT_MS + LIMITS.sample_ahead_ms + 1)), 'time-ahead'],
  ])('%s is rejected with a reason, and kept as a dead letter', async (_name, bad, code) => {
    const { log, intake, observed } = setUp()
    const rejects = await intake.accept(batch(series({ machine: 'good' }), bad))
    expect(rejects).toMatchObject([{ ordinal: 1, code }])
    expect(log.letters).toMatchObject([{ source: 'plant', code, origin: 'test@null#1' }])
    expect(told(log)).toEqual([['good', 'temperature', 0, 1, 'good']])
    expect(observed).toEqual([
      ['sampled', 'plant', 1, 0],
      ['rejected', 'plant', code],
    ])
  })

  it('is one reject for all readings of a series, and the others are taken', async () => {
    const { log, intake } = setUp()
    const ahead = AT_MS + LIMITS.sample_ahead_ms + 1
    const rejects = await intake.accept(
      batch(series({ machine: 'm' }, reading(1), reading(2, ahead), reading(3, ahead), reading(4))),
    )
    expect(rejects).toMatchObject([{ code: 'time-ahead', reason: expect.stringContaining('1 more') }])
    expect(told(log).map((line) => (line as unknown[])[3])).toEqual([1, 4])
  })

  it('in a large message becomes a bounded number of letters that tell how much there was', async () => {
    const { log, intake } = setUp()
    const rejects = await intake.accept(
      batch(...Array.from({ length: 1_000 }, () => series({ metric: '', machine: 'm' }))),
    )
    expect(rejects).toHaveLength(1_000)
    expect(log.letters).toHaveLength(LIMITS.sample_letters_per_message + 1)
    expect(log.letters.find(({ code }) => code === 'further-rejects')?.reason).toContain(
      `${1_000 - LIMITS.sample_letters_per_message} more`,
    )
  })
})

describe('while the log', () => {
  it('cannot be reached nothing is acknowledged, and it may be given again', async () => {
    const { log, intake, observed } = setUp()
    log.reachable = false
    await expect(intake.accept(batch(series({ machine: 'm' })))).rejects.toMatchObject({
      code: 'log-unreachable',
    } satisfies Partial<Retryable>)
    expect(observed).toEqual([])
    log.reachable = true
    await intake.accept(batch(series({ machine: 'm' })))
    expect(told(log)).toHaveLength(1)
  })

  it('is busy, what arrives shares the next append, and beyond the bound senders are asked to come again', async () => {
    const { log, intake } = setUp(1)
    let open = () => {}
    log.gate = new Promise((resolve) => {
      open = resolve
    })
    const readings = Array.from({ length: LIMITS.samples_waiting / 2 + 1 }, (_, i) => reading(i))
    const large = { ...series({}), readings }
    const accepted = [series({ machine: 'first' }), large, large].map((one) => intake.accept(batch(one)))
    await expect(intake.accept(batch(series({ machine: 'm' })))).rejects.toMatchObject({
      code: 'intake-full',
    })
    open()
    await Promise.all(accepted)
    expect(log.calls).toHaveLength(2)
  })
})
