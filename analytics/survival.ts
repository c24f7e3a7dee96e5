/** Kaplan and Meier, "Nonparametric estimation from incomplete observations", JASA 53 (1958), over grouped durations. */

import { type Estimate, Z_95 } from './estimates/interval.ts'

/** How many subjects had their event after this duration, and how many were last seen without one (censored). */
export interface DurationCount {
  readonly duration: number
  readonly events: number
  readonly censored: number
}

/** The curve after the events at one duration. */
export interface SurvivalPoint {
  readonly duration: number
  /** Subjects without event and not censored just before. */
  readonly at_risk: number
  readonly events: number
  /** Probability that the event takes longer than the duration. */
  readonly survival: number
  /** Greenwood's sum of d / (n (n − d)); the variance of `survival` is survival² times this. */
  readonly greenwood: number
}

export interface SurvivalCurve {
  readonly n: number
  readonly censored: number
  /** One for each duration with events, ascending. */
  readonly points: readonly SurvivalPoint[]
  /** The longest duration that anything is known of. */
  readonly followed_for: number
}

/** A product of fractions that should be ½ may miss it by this. */
const ROUNDING = 1e-12

/** The product-limit estimate. Subjects censored at the duration of an event were still at risk then. */
export function kaplanMeier(counts: readonly DurationCount[]): SurvivalCurve {
  const sorted = [...counts].sort((a, b) => a.duration - b.duration)
  const n = sorted.reduce((sum, { events, censored }) => sum + events + censored, 0)
  const points: SurvivalPoint[] = []
  let at_risk = n
  let survival = 1
  let greenwood = 0
  for (let i = 0; i < sorted.length; ) {
    const duration = sorted[i]?.duration ?? 0
    let events = 0
    let leaving = 0
    for (; sorted[i]?.duration === duration; i++) {
      events += sorted[i]?.events ?? 0
      leaving += (sorted[i]?.events ?? 0) + (sorted[i]?.censored ?? 0)
    }
    if (events > 0) {
      survival *= (at_risk - events) / at_risk
      greenwood += events / (at_risk * (at_risk - events))
      points.push({ duration, at_risk, events, survival, greenwood })
    }
    at_risk -= leaving
  }
  const events_total = points.reduce((sum, { events }) => sum + events, 0)
  return { n, censored: n - events_total, points, followed_for: sorted.at(-1)?.duration ?? 0 }
}

/** The shortest duration within which a share `p` had the event; null when the curve does not get there. */
export function quantile(curve: SurvivalCurve, p: number): number | null {
  return curve.points.find(({ survival }) => survival <= 1 - p + ROUNDING)?.duration ?? null
}

/**
 * Probability that the event comes within a duration, with Greenwood's interval of 95 % on the log(−log) scale, which
 * stays between 0 and 1. Null when nothing was followed for so long and subjects are left.
 */
export function probabilityWithin(curve: SurvivalCurve, duration: number): Estimate | null {
  const point = curve.points.findLast((one) => one.duration <= duration)
  const survival = point?.survival ?? 1
  if (curve.n === 0 || (curve.followed_for < duration && survival > 0)) return null
  const [low, high] = survivalInterval(survival, point?.greenwood ?? 0)
  return { value: 1 - survival, low: 1 - high, high: 1 - low }
}

/** Lower and upper bound of a survival probability; at 0 and 1 the method knows no width. */
export function survivalInterval(survival: number, greenwood: number): readonly [low: number, high: number] {
  if (survival <= 0 || survival >= 1) return [survival, survival]
  const width = (Z_95 * Math.sqrt(greenwood)) / Math.abs(Math.log(survival))
  return [survival ** Math.exp(width), survival ** Math.exp(-width)]
}
