import { describe, expect, it } from 'vitest'
import { counter, increase } from '../../ingest/detect/counter.ts'
import type { Reading } from '../../ingest/detect/detector.ts'
import { cusum, pageHinkley } from '../../ingest/detect/drift.ts'
import { eventCount, stateChange } from '../../ingest/detect/events.ts'
import { forecast } from '../../ingest/detect/forecast.ts'
import { limits, limitsProblem } from '../../ingest/detect/limits.ts'
import { mOfN } from '../../ingest/detect/m_of_n.ts'
import { rate } from '../../ingest/detect/rate.ts'
import { seasonal } from '../../ingest/detect/seasonal.ts'
import { stale } from '../../ingest/detect/stale.ts'
import { stuck } from '../../ingest/detect/stuck.ts'
import { MINUTE_MS, readings, START_MS, told, uniform, watch } from './readings.ts'

const NO_DELAY = { on_delay_ms: 0, off_delay_ms: 0 }
const longest_gap_ms = 60 * MINUTE_MS
const at = (minute: number): number => START_MS + minute * MINUTE_MS
const bad = (minute: number): Reading => ({ at_ms: at(minute), value: 0, quality: 'bad' })

describe('limits', () => {
  const plain = limits({ high_high: 90, high: 80, low: 20, deadband: 5, ...NO_DELAY })

  it('raise beyond the limit, and clear only beyond the deadband', () => {
    expect(told(watch(plain, readings([80, 81, 79, 75, 74, 91, 84, 74, 19, 25, 26])))).toEqual([
      '1 high raised',
      '4 high cleared',
      '5 high-high raised',
      '5 high raised',
      '6 high-high cleared',
      '7 high cleared',
      '8 low raised',
      '10 low cleared',
    ])
  })

  const delayed = limits({ high: 80, deadband: 0, on_delay_ms: 2 * MINUTE_MS, off_delay_ms: 3 * MINUTE_MS })
  it('wait for the delays: neither a fleeting alarm nor a chattering one', () => {
    expect(told(watch(delayed, readings([90, 70, 90, 70, 90, 70])))).toEqual([])
    expect(told(watch(delayed, readings([90, 90, 90, 70, 90, 70, 70, 70, 70])))).toEqual([
      '2 high raised',
      '8 high cleared',
    ])
  })

  it('are raised by time alone, at the moment the delay ran out, and cleared by readings alone', () => {
    const state = delayed.start()
    expect(told(watch(delayed, readings([90]), state))).toEqual([])
    expect(told([delayed.tick(state, at(1)), delayed.tick(state, at(5))])).toEqual(['2 high raised'])
    const later = [{ at_ms: at(6), value: 70, quality: 'good' } as const, bad(7), bad(30)]
    expect(told(watch(delayed, later, state))).toEqual([])
    expect(delayed.tick(state, at(600)).alert).toBe(true)
    expect(told(watch(delayed, readings([70], { from_ms: at(601) }), state))).toEqual(['601 high cleared'])
  })

  it('come to the same with ticks and without', () => {
    const values = [90, undefined, undefined, 70, 90, 90, undefined, undefined, 70, 70, 70, 70, 70]
    const ticked = delayed.start()
    const verdicts = values.flatMap((value, i) => [
      delayed.tick(ticked, at(i) - 1),
      ...(value === undefined ? [] : [delayed.step(ticked, { at_ms: at(i), value, quality: 'good' })]),
    ])
    expect(told(verdicts)).toEqual(told(watch(delayed, readings(values))))
    expect(told(verdicts)).toEqual(['2 high raised', '11 high cleared'])
  })

  it('that contradict each other are named', () => {
    const problem = (options: Partial<Parameters<typeof limitsProblem>[0]>): string | null =>
      limitsProblem({ deadband: 5, ...NO_DELAY, ...options })
    expect(problem({})).toMatch(/at least one/)
    expect(problem({ high_high: 84, high: 80 })).toMatch(/high_high/)
    expect(problem({ high: 24, low: 20 })).toMatch(/high less/)
    expect(problem({ high: 30, low: 20, low_deadband: 12 })).toMatch(/low plus/)
    expect(problem({ low: 20, low_low: 16 })).toMatch(/low_low/)
    expect(problem({ high_high: 90, high: 80, low: 20, low_low: 10 })).toBeNull()
  })
})

it('M of N: raises at the M-th, clears when the window is clean', () => {
  const detector = mOfN({ m: 3, n: 5, above: 10, clear_at: 0 })
  expect(told(watch(detector, readings([11, 9, 11, 9, 9, 11, 11, 9, 9, 9, 9, 9])))).toEqual([
    '6 m-of-n raised',
    '11 m-of-n cleared',
  ])
})

describe('the rate of change', () => {
  const detector = rate({ rise_per_s: 1, fall_per_s: 2, least_gap_ms: 1_000, longest_gap_ms, ...NO_DELAY })
  it('is per second, in each direction', () => {
    expect(told(watch(detector, readings([0, 61, 62, 0, -121, -122])))).toEqual([
      '1 rising raised',
      '2 rising cleared',
      '4 falling raised',
      '5 falling cleared',
    ])
  })

  it('makes nothing of doubles, of jitter, of a gap', () => {
    const jitter = readings([0, 50], { step_ms: 1 })
    const gap = readings([50, 1e6], { from_ms: at(1), step_ms: 61 * MINUTE_MS })
    const double = readings([1e6, 2e6], { from_ms: at(62), step_ms: 0 })
    expect(told(watch(detector, [...jitter, ...gap, ...double]))).toEqual([])
  })
})

describe('a stuck value', () => {
  const detector = stuck({ band: 0.1, after_ms: 5 * MINUTE_MS, least_readings: 3, longest_gap_ms })
  it('is told after the time, until it moves', () => {
    expect(told(watch(detector, readings([1, 2, 3, 3.05, 3, 3.1, 3, 3, 3, 4])))).toEqual([
      '7 stuck raised',
      '9 stuck cleared',
    ])
  })

  it('is not made of a gap, nor of a slow creep', () => {
    expect(told(watch(detector, readings([3, 3, 3], { step_ms: 61 * MINUTE_MS })))).toEqual([])
    expect(told(watch(detector, readings(Array.from({ length: 60 }, (_, i) => i / 40))))).toEqual([])
  })
})

describe('staleness', () => {
  const detector = stale({ gaps: 3, least_ms: MINUTE_MS })

  it('learns the usual gap, and is told by the tick at the moment it began', () => {
    const state = detector.start()
    watch(detector, readings(Array.from({ length: 20 }, () => 1)), state)
    expect(told([detector.tick(state, at(21)), detector.tick(state, at(25))])).toEqual(['22 missing raised'])
    expect(told(watch(detector, readings([1], { from_ms: at(26) }), state))).toEqual(['26 missing cleared'])
  })

  it('is the same without ticks: both are told when the next reading comes', () => {
    const values = Array.from({ length: 40 }, (_, i) => (i > 19 && i < 30 ? undefined : 1))
    expect(told(watch(detector, readings(values)))).toEqual(['22 missing raised', '30 missing cleared'])
  })

  it('of quality is another condition: something arrives, but nobody vouches for it', () => {
    const all = [
      ...readings(Array.from({ length: 10 }, () => 1)),
      ...Array.from({ length: 8 }, (_, i) => bad(10 + i)),
    ]
    const verdicts = watch(detector, [...all, ...readings([1], { from_ms: at(18) })])
    expect(told(verdicts)).toEqual(['12 bad-quality raised', '18 bad-quality cleared'])
  })

  it('does not begin while nobody watches, where ticks are promised', () => {
    const careful = stale({
      gaps: 3,
      least_ms: MINUTE_MS,
      expected_gap_ms: MINUTE_MS,
      away_ms: 2 * MINUTE_MS,
    })
    const state = careful.start()
    watch(careful, readings([1, 1]), state)
    const ticks = [200, 201, 202, 203, 204].map((minute) => careful.tick(state, at(minute)))
    expect(told(ticks)).toEqual(['203 missing raised'])
  })
})

describe('drift', () => {
  const next = uniform(3)
  const noise = Array.from({ length: 900 }, () => next() + next() + next() - 1.5)
  const drifting = noise.map((x, i) => 100 + 2 * x + (i >= 500 && i < 700 ? 2 * ((i - 500) / 100) : 0))

  it('is found by CUSUM long before it is as large as the noise, and ends with it', () => {
    const detector = cusum({ slack: 0.5, limit: 8, learn_readings: 200 })
    const [raised, cleared, ...more] = told(watch(detector, readings(drifting)))
    expect(raised).toMatch(/^5[0-9]{2} drift-up raised$/)
    expect(cleared).toMatch(/^7[0-9]{2} drift-up cleared$/)
    expect(more).toEqual([])
    const falling = told(watch(detector, readings(drifting.map((x) => -x))))
    expect(falling[0]).toBe(raised?.replace('up', 'down'))
  })

  it('is found by Page-Hinkley, which settles on the new level', () => {
    const detector = pageHinkley({ slack: 0.2, limit: 25, learn_readings: 200 })
    const step = noise.map((x, i) => 2 * x + (i >= 500 ? 3 : 0))
    const [raised, cleared, ...more] = told(watch(detector, readings(step)))
    expect(raised).toMatch(/^5[0-4]\d drift-up raised$/)
    expect(cleared).toMatch(/ drift-up cleared$/)
    expect(more).toEqual([])
  })

  it('by a mean and deviation that are known needs nothing to learn', () => {
    const detector = cusum({ slack: 0.5, limit: 5, learn_readings: 200, mean: 10, deviation: 1 })
    expect(told(watch(detector, readings([10, 13, 13, 13])))).toEqual(['3 drift-up raised'])
  })
})

describe('a forecast', () => {
  const detector = forecast({ high: 80, horizon_ms: 30 * MINUTE_MS, memory_ms: 20 * MINUTE_MS, certainty: 3 })
  const next = uniform(1)
  const ramp = (from: number, per_minute: number) =>
    Array.from({ length: 100 }, (_, i) => from + per_minute * i + next() - 0.5)

  it('says when the limit is reached, between which moments, and is right', () => {
    const values = ramp(20, 0.7)
    const verdicts = watch(detector, readings(values))
    const raised = verdicts.findIndex(({ alert }) => alert)
    const { minutes_to_limit = 0, earliest_minutes = 0, latest_minutes = 0 } = verdicts[raised]?.detail ?? {}
    const truth = 60 / 0.7 - raised
    expect(minutes_to_limit).toBeGreaterThan(20)
    expect(Math.abs((minutes_to_limit ?? 0) - truth)).toBeLessThan(6)
    expect(earliest_minutes).toBeLessThan(truth)
    expect(latest_minutes).toBeGreaterThan(truth)
    expect(told(verdicts)).toHaveLength(1)
  })

  it('is not made of noise, nor of a level that stands near the limit', () => {
    const still = Array.from({ length: 500 }, () => 75 + next())
    expect(told(watch(detector, readings(still)))).toEqual([])
  })

  it('is taken back when the value turns', () => {
    const values = [...ramp(20, 0.7).slice(0, 70), ...Array.from({ length: 60 }, (_, i) => 69 - i)]
    expect(told(watch(detector, readings(values))).map((text) => text.replace(/^\d+ /, ''))).toEqual([
      'high-expected raised',
      'high-expected cleared',
    ])
  })
})

describe('a counter', () => {
  it('grows by what it shows after a reset, and across the end of its range', () => {
    expect(increase(100, 130, undefined)).toBe(30)
    expect(increase(100, 20, undefined)).toBe(20)
    expect(increase(65_530, 10, 65_536)).toBe(16)
    expect(increase(30_000, 10, 65_536)).toBe(10)
  })

  it('raises no alarm when it resets, but when its rate is too high or too low', () => {
    const detector = counter({ most_per_s: 2, least_per_s: 0.5, longest_gap_ms, ...NO_DELAY })
    const values = [0, 60, 120, 180, 5, 65, 125, 305, 365, 366, 426]
    expect(told(watch(detector, readings(values.filter((value) => value !== 5))))).toEqual([
      '6 rate-high raised',
      '7 rate-high cleared',
      '8 rate-low raised',
      '9 rate-low cleared',
    ])
  })
})

describe('the seasonal baseline', () => {
  const HOUR_ROWS = 12
  const next = uniform(4)
  const weeks = Array.from({ length: 5 * 168 * HOUR_ROWS }, (_, i) => {
    const hour = Math.floor(i / HOUR_ROWS) % 168
    return (hour % 24 >= 8 && hour % 24 < 18 && hour < 120 ? 60 : 10) + next() + next() + next()
  })
  const detector = seasonal({ deviations: 6, learn_weeks: 2, learn_rate: 0.2, ...NO_DELAY })
  const row = (week: number, hour: number): number => (week * 168 + hour) * HOUR_ROWS + 3

  it('tells what is usual at another hour only, with the band', () => {
    const values = [...weeks]
    values[row(4, 24 + 3)] = 60
    values[row(4, 24 + 12)] = 10
    values[row(4, 130)] = 60
    const verdicts = watch(detector, readings(values, { step_ms: 5 * MINUTE_MS }))
    const raised = verdicts.flatMap(({ transitions }, i) =>
      transitions.some(({ to }) => to === 'raised') ? [i] : [],
    )
    expect(raised).toEqual([row(4, 27), row(4, 36), row(4, 130)])
    const { expected, low, high } = verdicts[row(4, 36)]?.detail ?? {}
    expect(expected).toBeCloseTo(61.5, 0)
    expect(low).toBeGreaterThan(50)
    expect(high).toBeLessThan(75)
  })
})

describe('events', () => {
  it('a state is told when it lasts', () => {
    const detector = stateChange({ alarm_states: [3], on_delay_ms: 2 * MINUTE_MS, off_delay_ms: 0 })
    expect(told(watch(detector, readings([1, 3, 1, 3, 3, 3, 2])))).toEqual([
      '5 state raised',
      '6 state cleared',
    ])
  })

  it('are counted in a sliding window, which time alone empties', () => {
    const detector = eventCount({ limit: 3, window_ms: 10 * MINUTE_MS })
    const state = detector.start()
    expect(told(watch(detector, readings([1, 1, 1, 1, 1]), state))).toEqual(['3 event-count raised'])
    expect(detector.tick(state, at(9)).alert).toBe(true)
    expect(told([detector.tick(state, at(14))])).toEqual(['14 event-count cleared'])
  })
})
