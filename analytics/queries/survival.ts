import type { ClickHouseClient } from '@clickhouse/client'
import type { SurvivalAnswer } from '../../schemas/analytics_answer.ts'
import type { AnalyticsQuestion } from '../../schemas/analytics_question.ts'
import { medianOf } from '../estimates/medians.ts'
import type { DurationMetric } from '../metrics/metric.ts'
import { type DurationCount, kaplanMeier, type SurvivalCurve, survivalInterval } from '../survival.ts'
import { rowsOf } from './ask.ts'
import { figureQuery } from './metric.ts'

/** A curve is told in at most so many steps; of more, those that change it least are left out. */
const STEPS_MAX = 400
const CENSOR_TICKS_MAX = 200
const CURVES_MAX = 12

interface Row {
  readonly grouped: readonly string[]
  readonly duration: number
  readonly events: number
  readonly open: number
  readonly closed: number
}

/** Curves of Kaplan and Meier by group, the largest groups first. Throws as `askMetric`. */
export async function askSurvival(
  client: ClickHouseClient,
  metric: DurationMetric,
  question: AnalyticsQuestion,
): Promise<SurvivalAnswer> {
  const rows = await rowsOf<Row>(client, figureQuery(metric, question, question.period))
  const groups = Map.groupBy(rows, ({ grouped }) => JSON.stringify(grouped))
  const all = [...groups].map(([key, own]) => curveOf(question, JSON.parse(key) as string[], own))
  const curves = all.sort((a, b) => b.n - a.n).slice(0, CURVES_MAX)
  const { period, as_of_ms, tz } = question
  return { metric: metric.name, period, as_of_ms, tz, curves, curves_left_out: all.length - curves.length }
}

function curveOf(
  { by }: AnalyticsQuestion,
  key: readonly string[],
  rows: readonly Row[],
): SurvivalAnswer['curves'][number] {
  const counts: DurationCount[] = rows.map(({ duration, events, open, closed }) => ({
    duration,
    events,
    censored: open + closed,
  }))
  const curve = kaplanMeier(counts)
  const { value, low, high } = medianOf(curve)
  const ms = (seconds: number | null) => (seconds === null ? null : seconds * 1_000)
  return {
    by: Object.fromEntries(by.map((dimension, index) => [dimension, key[index] ?? ''])),
    n: curve.n,
    open: rows.reduce((sum, { open }) => sum + open, 0),
    closed_without: rows.reduce((sum, { closed }) => sum + closed, 0),
    median: { value: ms(value), low: ms(low), high: ms(high) },
    followed_for_ms: curve.followed_for * 1_000,
    steps: thinned(curve).map(({ duration, survival, greenwood, at_risk }) => {
      const [below, above] = survivalInterval(survival, greenwood)
      return { ms: duration * 1_000, survival, low: below, high: above, at_risk }
    }),
    censored: censorTicks(counts),
  }
}

function thinned({ points }: SurvivalCurve): SurvivalCurve['points'] {
  if (points.length <= STEPS_MAX) return points
  const kept: SurvivalCurve['points'][number][] = []
  let last = 1
  for (const [index, point] of points.entries()) {
    if (last - point.survival < 1 / STEPS_MAX && index < points.length - 1) continue
    kept.push(point)
    last = point.survival
  }
  return kept
}

/** Durations at which subjects left without the event; of many, evenly chosen ones. */
function censorTicks(counts: readonly DurationCount[]): { ms: number; count: number }[] {
  const ticks = counts
    .filter(({ censored }) => censored > 0)
    .sort((a, b) => a.duration - b.duration)
    .map(({ duration, censored }) => ({ ms: duration * 1_000, count: censored }))
  const every = Math.ceil(ticks.length / CENSOR_TICKS_MAX)
  return ticks.filter((_, index) => index % every === 0)
}
