import { describe, expect, it } from 'vitest'
import { scoreCorpus } from '../../bench/early_warning_nab.ts'

const STANDARD = { name: 'standard', found: 1, missed: 1, wrong: 0.11 }
const LOW_FALSE = { name: 'low false', found: 1, missed: 1, wrong: 0.22 }
const ROWS = 1_000
const series = {
  name: 'a/b.csv',
  times_ms: Array.from({ length: ROWS }, (_, i) => i * 60_000),
  values: Array.from({ length: ROWS }, () => 0),
  windows: [
    [400, 499],
    [700, 799],
  ] as const,
}
const scored = (at: Record<number, number>, profile = STANDARD): number =>
  scoreCorpus([series], [series.values.map((_, i) => at[i] ?? 0)], profile).score

describe('the rules of NAB', () => {
  it('give 100 for the first row of every window, 0 for silence', () => {
    expect(scored({ 400: 1, 700: 1 })).toBeCloseTo(100, 1)
    expect(scored({})).toBe(0)
  })

  it('count the earliest detection of a window only, and less when it is late', () => {
    expect(scored({ 400: 1, 450: 1, 499: 1, 700: 1 })).toBeCloseTo(100, 1)
    // Half of a window behind: (2σ(2.5) − 1) / (2σ(5) − 1) = 0.86 instead of 1, of a span of 4.
    expect(scored({ 450: 1, 700: 1 })).toBeCloseTo(100 - (100 * (1 - 0.8599)) / 4, 1)
  })

  it('charge a false detection in full before the first window and far behind one, less close behind it', () => {
    const whole = scored({ 400: 1, 700: 1 })
    expect(scored({ 300: 1, 400: 1, 700: 1 })).toBeCloseTo(whole - (100 * 0.11) / 4, 2)
    expect(scored({ 300: 1, 400: 1, 700: 1 }, LOW_FALSE)).toBeCloseTo(whole - (100 * 0.22) / 4, 2)
    const close = whole - scored({ 400: 1, 700: 1, 801: 1 })
    expect(close).toBeGreaterThan(0)
    expect(close).toBeLessThan((100 * 0.11) / 4 / 10)
  })

  it('skip the first 15 %, and choose one threshold: what is below it does not count', () => {
    expect(scored({ 100: 1, 400: 1, 700: 1 })).toBeCloseTo(100, 1)
    expect(scored({ 300: 0.1, 320: 0.1, 400: 1, 700: 1 })).toBeCloseTo(100, 1)
  })
})
