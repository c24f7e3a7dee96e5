import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StopRule } from '../../schemas/detect.ts'
import { parseMatcher } from '../../schemas/matcher_syntax.ts'
import { Partition, rulesOf, samplesOf, SECOND_MS } from './fold_world.ts'
import { START_MS } from './readings.ts'

const SHORT = { learn_readings: 5 }
const standing: StopRule = {
  name: 'the line stands',
  match: [parseMatcher('metric=~"m.*"')],
  weekly: null,
  state: { match: [parseMatcher('metric="state"')], values: [0] },
  settle_ms: 20 * SECOND_MS,
}
const RULES = [
  rulesOf(
    [
      {
        match: ['metric=~"m.*"'],
        detector: 'limits',
        options: { high: 80, low: 20, on_delay_ms: 15 * SECOND_MS, off_delay_ms: 5 * SECOND_MS },
      },
      { match: ['metric="m1"'], detector: 'cusum', options: SHORT },
      { match: ['metric="m1"'], detector: 'stale', options: { least_ms: 40 * SECOND_MS, gaps: 2 } },
      { match: ['metric=~"m[123]"'], detector: 'multivariate', options: { learn_rows: 4 }, name: 'together' },
      { match: ['metric="m2"'], detector: 'event-count', options: { limit: 200, window_ms: 60_000 } },
    ],
    [standing],
  ),
  rulesOf([
    { match: ['metric=~"m.*"'], detector: 'limits', options: { high: 60 } },
    { match: ['metric="m1"'], detector: 'cusum', options: SHORT, name: 'rule 1' },
    { match: ['metric="m2"'], detector: 'none' },
  ]),
] as const

const reading = fc.record({
  metric: fc.constantFrom('m1', 'm1', 'm2', 'm3', 'state', 'plain'),
  machine: fc.constantFrom('a', 'b', 'c'),
  value: fc.constantFrom(0, 1, 10, 50, 55, 85, 120),
  late_ms: fc.constantFrom(0, 0, 0, 0, 30_000),
  quality: fc.constantFrom(
    'good' as const,
    'good' as const,
    'good' as const,
    'bad' as const,
    'stale' as const,
  ),
})

const step = fc.record({
  passed_ms: fc.constantFrom(0, 500, 3_000, 20_000, 45_000, 200_000),
  what: fc.oneof(
    { weight: 12, arbitrary: fc.array(reading, { minLength: 1, maxLength: 6 }) },
    { weight: 4, arbitrary: fc.constant('tick' as const) },
    { weight: 1, arbitrary: fc.constantFrom('rules 0', 'rules 1', 'accept', 'rest', 'rest over', 'past') },
  ),
  /** Bytes of a snapshot that is taken behind it; none, a part, or all. */
  snapshot: fc.constantFrom(0, 0, 0, 1, 3_000, 1e9),
  crash: fc.constantFrom(false, false, false, true),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function play(steps: readonly Step[], dies: boolean): Partition {
  const partition = new Partition(RULES[0])
  let time_ms = START_MS
  for (const { passed_ms, what, snapshot, crash } of steps) {
    time_ms += passed_ms
    if (Array.isArray(what))
      partition.readings(
        what.map(({ late_ms, ...one }, i) => ({ ...one, at_ms: time_ms + i - late_ms })),
        time_ms,
      )
    else if (what === 'tick') partition.tick(time_ms)
    else if (what === 'past')
      partition.add(samplesOf([{ metric: 'm1', machine: 'a', value: 120, at_ms: time_ms }], true), time_ms)
    else if (what === 'accept')
      partition.add({ kind: 'accept', id: 'x', actor: 'me', match: [parseMatcher('metric="m1"')] }, time_ms)
    else if (what.startsWith('rest'))
      partition.add(
        {
          kind: 'rest',
          id: 'i',
          device: '7:defaultacme/hall/a',
          resting: what === 'rest',
        },
        time_ms,
      )
    else partition.add({ kind: 'detect-rules', rules: RULES[what === 'rules 0' ? 0 : 1] }, time_ms)
    if (!dies) continue
    if (snapshot > 0) partition.snapshot(snapshot)
    if (crash) partition.crash()
  }
  return partition
}

describe('an owner that dies', () => {
  it('tells the same alerts at the same places, whatever was stored when', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        expect(play(steps, true).alerts()).toEqual(play(steps, false).alerts())
      }),
      { numRuns: 120, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('comes to the same state', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const rows = (partition: Partition) => {
          partition.snapshot()
          // Where each device was stored last is all that may differ.
          return [...partition.stored()]
            .map(([key, value]) => `${key} ${value.toString('latin1').replace(/"applied":\d+/, '')}`)
            .sort()
        }
        expect(rows(play(steps, true))).toEqual(rows(play(steps, false)))
      }),
      { numRuns: 80, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('the steps of these tests do raise and end alerts', () => {
    const told = fc
      .sample(fc.array(step, { minLength: 30, maxLength: 60 }), { numRuns: 25, seed: 3 })
      .flatMap((steps) => play(steps, true).alerts())
    for (const condition of [
      'high',
      'low',
      'drift',
      'device-silent',
      'device-gone',
      'missing',
      'bad-quality',
      'event-count',
    ])
      expect(told.filter((line) => line.includes(condition)).length, condition).toBeGreaterThan(0)
  })
})
