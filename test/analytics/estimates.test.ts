import { describe, expect, it } from 'vitest'
import { medianDifference, medianOf } from '../../analytics/estimates/medians.ts'
import { poisson, seeded } from '../../analytics/estimates/random.ts'
import { type DaySums, ratioDifference, ratioOf } from '../../analytics/estimates/ratios.ts'
import { shareDifference, shareOf } from '../../analytics/estimates/shares.ts'
import { verdictOf } from '../../analytics/estimates/verdict.ts'
import { workingStretches } from '../../analytics/metrics/business_time.ts'
import { type DurationCount, kaplanMeier } from '../../analytics/survival.ts'

const REPEATS = 200
/** 5 % of them. */
const FALSE_MAX = 10

describe('intervals', () => {
  it('of medians are those that R gives for the remissions of Freireich et al. (1963), log(−log)', () => {
    const counts = (text: string): DurationCount[] =>
      text.split(' ').map((word) => {
        const censored = word.endsWith('+') ? 1 : 0
        return { duration: Number.parseInt(word, 10), events: 1 - censored, censored }
      })
    const six_mp = counts('6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+')
    const placebo = counts('1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23')
    expect(medianOf(kaplanMeier(six_mp))).toEqual({ value: 23, low: 13, high: null })
    expect(medianOf(kaplanMeier(placebo))).toEqual({ value: 8, low: 4, high: 11 })
    expect(medianOf(kaplanMeier([]))).toEqual({ value: null, low: null, high: null })
  })

  it('of shares are those of Newcombe (1998)', () => {
    const share = shareOf(81, 263)
    expect([share?.low, share?.high].map((bound) => bound?.toFixed(4))).toEqual(['0.2553', '0.3662'])
    const none = shareOf(0, 20)
    expect([none?.low, none?.high].map((bound) => bound?.toFixed(4))).toEqual(['0.0000', '0.1611'])
    const [after, before] = [shareOf(56, 70), shareOf(48, 80)]
    const difference = before && after && shareDifference(before, after)
    expect([difference?.low, difference?.high].map((bound) => bound?.toFixed(4))).toEqual([
      '0.0524',
      '0.3339',
    ])
    expect(shareOf(0, 0)).toBeNull()
  })

  it('of ratios hold the ratio, and are the same when they are asked for again', () => {
    const days: DaySums[] = [3, 5, 0, 9, 4, 2, 7].map((numerator) => ({ numerator, denominator: 2 }))
    const found = ratioOf('ratio', days)
    expect(found?.value).toBe(30 / 14)
    expect((found?.low ?? 0) < 30 / 14 && (found?.high ?? 0) > 30 / 14).toBe(true)
    expect(ratioOf('ratio', days)).toEqual(found)
    expect(ratioOf('complement', [{ numerator: 1, denominator: 0 }])).toBeNull()
  })
})

describe('verdicts', () => {
  const random = seeded(20_260_101)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  /** Log-normal durations, one in five or so censored. */
  const cohort = (n: number, median: number): DurationCount[] =>
    Array.from({ length: n }, () => {
      const duration = Math.ceil(median * Math.exp(normal()))
      const seen_for = Math.ceil(random() * 60_000)
      return duration <= seen_for
        ? { duration, events: 1, censored: 0 }
        : { duration: seen_for, events: 0, censored: 1 }
    })
  const days = (n: number, mean: number): DaySums[] =>
    Array.from({ length: n }, () => ({
      numerator: poisson(mean * (random() < 0.2 ? 3 : 0.5), random),
      denominator: 1,
    }))
  const share = (n: number, p: number) => {
    const hits = Array.from({ length: n }, random).filter((place) => place < p).length
    return { n, estimate: shareOf(hits, n) }
  }
  const found = (tries: number, compare: () => { readonly code: string }) =>
    Array.from({ length: tries }, compare).filter(({ code }) => code === 'lower' || code === 'higher').length

  const medians = (n: number, before: number, after: number) => () =>
    verdictOf('ms', [n, n], () => medianDifference(cohort(n, before), cohort(n, after)))
  const rates = (before: number, after: number) => () =>
    verdictOf('per-day', [99, 99], () => ratioDifference('ratio', days(30, before), days(30, after)))
  const shares = (before: number, after: number) => () => {
    const [first, second] = [share(150, before), share(150, after)]
    return verdictOf(
      'share',
      [first.n, second.n],
      () => first.estimate && second.estimate && shareDifference(first.estimate, second.estimate),
    )
  }

  it.each([
    ['medians of 20', () => medians(20, 5_400, 5_400)],
    ['medians of 60', () => medians(60, 5_400, 5_400)],
    ['rates of bursty days', () => rates(3, 3)],
    ['shares', () => shares(0.3, 0.3)],
  ])('on %s that did not change are false in at most 5 %%', (_what, repeated) => {
    expect(found(REPEATS, repeated())).toBeLessThanOrEqual(FALSE_MAX)
  })

  it.each([
    ['medians of 100, cut to a third', () => medians(100, 5_400, 1_800)],
    ['rates, tripled', () => rates(3, 9)],
    ['shares, 30 % to 60 %', () => shares(0.3, 0.6)],
  ])('on %s find it in at least 19 of 20', (_what, repeated) => {
    expect(found(20, repeated())).toBeGreaterThanOrEqual(19)
  })

  it('of large cohorts tell a change from none as well', () => {
    expect(medians(5_000, 5_400, 4_600)().code).toBe('lower')
    expect(medians(5_000, 5_400, 5_400)().code).toBe('no-evidence')
  })
})

describe('working time', () => {
  const hours = {
    weekdays: ['sun', 'mon'],
    at: '00:00',
    duration_ms: 8 * 3_600_000,
    time_zone: 'Europe/Berlin',
    holidays: ['2026-03-30'],
    workdays: ['2026-03-31'],
  } as const

  it('begins at the local hour on days of any length, without holidays and with days that are worked all the same', () => {
    const from_ms = Date.UTC(2026, 2, 28)
    const stretches = workingStretches(hours, from_ms, from_ms + 7 * 86_400_000)
    expect(
      stretches.map((stretch) => stretch.map((at_ms) => new Date(at_ms).toISOString().slice(5, 16))),
    ).toEqual([
      ['03-28T23:00', '03-29T07:00'],
      ['03-30T22:00', '03-31T06:00'],
      ['04-04T22:00', '04-05T06:00'],
    ])
  })
})
