import { describe, expect, it } from 'vitest'
import {
  type DurationCount,
  kaplanMeier,
  probabilityWithin,
  quantile,
  survivalInterval,
} from '../../analytics/survival.ts'

/** Weeks of remission under 6-MP, Freireich et al., Blood 21 (1963); censored ones marked with +. */
const SIX_MP = '6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+'
/** The same study, placebo: nobody censored. */
const PLACEBO = '1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23'

function counts(text: string): DurationCount[] {
  return text.split(' ').map((word) => {
    const censored = word.endsWith('+') ? 1 : 0
    return { duration: Number.parseInt(word, 10), events: 1 - censored, censored }
  })
}

describe('Kaplan–Meier', () => {
  it('gives the published estimates of the 6-MP group', () => {
    const curve = kaplanMeier(counts(SIX_MP))
    expect(curve).toMatchObject({ n: 21, censored: 12, followed_for: 35 })
    const published = [
      [6, 21, 0.857, 0.0764],
      [7, 17, 0.807, 0.0869],
      [10, 15, 0.753, 0.0963],
      [13, 12, 0.69, 0.1068],
      [16, 11, 0.627, 0.1141],
      [22, 7, 0.538, 0.1282],
      [23, 6, 0.448, 0.1346],
    ]
    const rounded = curve.points.map(({ duration, at_risk, survival, greenwood }) => [
      duration,
      at_risk,
      Number(survival.toFixed(3)),
      Number((survival * Math.sqrt(greenwood)).toFixed(4)),
    ])
    expect(rounded).toEqual(published)
    expect(quantile(curve, 0.5)).toBe(23)
    expect(quantile(curve, 0.75)).toBeNull()
  })

  it('gives the log(−log) intervals of the 6-MP group', () => {
    const curve = kaplanMeier(counts(SIX_MP))
    const at = (weeks: number) => {
      const point = curve.points.find(({ duration }) => duration === weeks)
      return survivalInterval(point?.survival ?? 0, point?.greenwood ?? 0).map((bound) =>
        Number(bound.toFixed(3)),
      )
    }
    expect([at(6), at(10), at(23)]).toEqual([
      [0.62, 0.952],
      [0.503, 0.889],
      [0.188, 0.68],
    ])
  })

  it('is the share that took longer when nobody is censored', () => {
    const curve = kaplanMeier(counts(PLACEBO))
    expect(curve.points.at(-1)?.survival).toBe(0)
    expect(quantile(curve, 0.5)).toBe(8)
    expect(probabilityWithin(curve, 8)?.value).toBeCloseTo(13 / 21, 12)
    expect(probabilityWithin(curve, 1_000)).toEqual({ value: 1, low: 1, high: 1 })
  })

  it('reaches a median of exactly one half', () => {
    const curve = kaplanMeier(counts('1 2 3 4 5 6 7 8 9 10'))
    expect([quantile(curve, 0.5), quantile(curve, 0.9)]).toEqual([5, 9])
  })

  it('says nothing about durations that nothing was followed for', () => {
    const curve = kaplanMeier(counts('1 2 3+ 3+'))
    expect(probabilityWithin(curve, 4)).toBeNull()
    expect(probabilityWithin(curve, 3)?.value).toBeCloseTo(0.5, 12)
    expect(probabilityWithin(kaplanMeier([]), 4)).toBeNull()
    expect(quantile(kaplanMeier([]), 0.5)).toBeNull()
  })

  it('does not depend on order nor on how equal durations are counted', () => {
    const one_by_one = kaplanMeier(counts(SIX_MP).reverse())
    const grouped = kaplanMeier([{ duration: 6, events: 3, censored: 1 }, ...counts(SIX_MP).slice(4)])
    expect(grouped).toEqual(one_by_one)
  })
})
