import type { ClickHouseClient } from '@clickhouse/client'
import type { AnalyticsQuestion, Period } from '../../schemas/analytics_question.ts'
import type { GroupFigures, MetricAnswer } from '../../schemas/analytics_answer.ts'
import { Reject } from '../../runtime/errors.ts'
import { COMPARED_MIN } from '../estimates/interval.ts'
import { medianDifference, medianOf } from '../estimates/medians.ts'
import { type DaySums, ratioDifference, ratioOf } from '../estimates/ratios.ts'
import { shareDifference, shareOf } from '../estimates/shares.ts'
import { type Verdict, verdictOf } from '../estimates/verdict.ts'
import type { Cohorts } from '../metrics/cohorts.ts'
import { elapsed } from '../metrics/elapsed.ts'
import type { DurationMetric, Metric, RatioMetric, ShareMetric } from '../metrics/metric.ts'
import { type DurationCount, kaplanMeier, probabilityWithin, quantile } from '../survival.ts'
import { type Query, rowsOf } from './ask.ts'
import { queryOf } from './build.ts'
import { exposures } from './exposure.ts'

const GROUPS_MAX = 1_000

/** A group while it is estimated: its key, its figures, and how it compares with the same group of another period. */
interface Estimated {
  readonly key: readonly string[]
  readonly figures: Omit<GroupFigures, 'by' | 'compared'>
  readonly counted: number
  readonly against: (before: Estimated) => Verdict
}

/** Every subject, or every day, behind a figure: what there is to be downloaded and to be counted again by others. */
export function pointsQuery(metric: Metric, question: AnalyticsQuestion): Query {
  return queryOf(question, question.period, (cohorts) => {
    switch (metric.kind) {
      case 'duration':
        return `
          SELECT id, grouped, at, elapsed_ms, multiIf(isNotNull(event_at), 'event', isNotNull(closed_at), 'closed', 'open') AS outcome
          FROM (${elapsed(metric.subjects(cohorts), cohorts.pieces)}) ORDER BY at, id`
      case 'share':
        return `SELECT id, grouped, at, toUInt8(hit) AS hit FROM (${metric.subjects(cohorts)}) ORDER BY at, id`
      case 'ratio':
        return `SELECT grouped, day, numerator, denominator FROM (${metric.days(cohorts)}) ORDER BY grouped, day`
    }
  })
}

/** The query that a figure comes from; the estimate is made of its rows. */
export function figureQuery(metric: Metric, question: AnalyticsQuestion, period: Period): Query {
  return queryOf(question, period, (cohorts) => {
    switch (metric.kind) {
      case 'duration':
        return durationCounts(metric, cohorts)
      case 'share':
        return `
          SELECT grouped, countIf(hit) AS hits, count() AS n FROM (${metric.subjects(cohorts)})
          GROUP BY grouped ORDER BY n DESC LIMIT ${GROUPS_MAX + 1}`
      case 'ratio':
        return `SELECT grouped, toString(day) AS day, toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator FROM (${metric.days(cohorts)})`
    }
  })
}

/** Seconds, rounded up; from 10,000 on to four digits. */
const CELL = `intExp10(greatest(length(toString(seconds)), 4) - 4)`

function durationCounts(metric: DurationMetric, cohorts: Cohorts): string {
  return `
    SELECT grouped, toUInt32(ceil(seconds / ${CELL}) * ${CELL}) AS duration, countIf(isNotNull(event_at)) AS events,
           countIf(isNull(event_at) AND isNull(closed_at)) AS open, countIf(isNull(event_at) AND isNotNull(closed_at)) AS closed
    FROM (SELECT *, toUInt32(ceil(elapsed_ms / 1000)) AS seconds FROM (${elapsed(metric.subjects(cohorts), cohorts.pieces)}))
    GROUP BY grouped, duration`
}

/**
 * A figure of the history by its groups, with intervals, and compared with another period when that is asked for. Throws Reject
 * `history-limit`, and what the client throws.
 */
export async function askMetric(
  client: ClickHouseClient,
  metric: Metric,
  question: AnalyticsQuestion,
): Promise<MetricAnswer> {
  const [now, before] = await Promise.all([
    estimates(client, metric, question, question.period),
    question.compared && estimates(client, metric, question, question.compared),
  ])
  const earlier = new Map(before?.map((group) => [JSON.stringify(group.key), group]))
  const groups = now.map((group): GroupFigures => {
    const same = earlier.get(JSON.stringify(group.key))
    const by = Object.fromEntries(question.by.map((dimension, index) => [dimension, group.key[index] ?? '']))
    const compared = same && { ...same.figures, verdict: group.against(same) }
    return { by, ...group.figures, compared: compared ?? null }
  })
  const { name, unit, better, kind } = metric
  const { period, compared, as_of_ms, tz, business_hours } = question
  return {
    metric: name,
    kind,
    unit,
    better,
    time: business_hours === null ? 'wall' : 'business',
    period,
    compared,
    as_of_ms,
    tz,
    groups,
  }
}

async function estimates(
  client: ClickHouseClient,
  metric: Metric,
  question: AnalyticsQuestion,
  period: Period,
): Promise<Estimated[]> {
  const query = figureQuery(metric, question, period)
  const found = await estimatesOf(client, metric, question, period, query)
  if (found.length > GROUPS_MAX)
    throw new Reject('history-limit', `the question is refused: it gives more than ${GROUPS_MAX} groups`)
  return ordered(question, found)
}

async function estimatesOf(
  client: ClickHouseClient,
  metric: Metric,
  question: AnalyticsQuestion,
  period: Period,
  query: Query,
): Promise<Estimated[]> {
  switch (metric.kind) {
    case 'duration':
      return durations(metric, await grouped<DurationRow>(client, query), question)
    case 'share':
      return shares(metric, await rowsOf<ShareRow>(client, query))
    case 'ratio': {
      const rows = await grouped<DayRow>(client, query)
      if (question.by.length === 0 && rows.size === 0) rows.set('[]', [])
      const exposed = metric.exposure && (await exposures(client, question, period))
      return [...rows].map(([key, days]) => {
        const parsed = JSON.parse(key) as string[]
        return ratio(metric, parsed, exposed ? exposed.fill(metric, parsed, days) : days)
      })
    }
  }
}

const BY_TIME = new Set(['month', 'week', 'day', 'hour', 'hour_of_week'])

/** In the order of time when that is what it is counted by, else the largest first. */
function ordered({ by }: AnalyticsQuestion, found: Estimated[]): Estimated[] {
  const by_key = by.some((dimension) => BY_TIME.has(dimension))
  return found.sort((a, b) => {
    const keys = a.key.join('\u0000') < b.key.join('\u0000') ? -1 : 1
    return by_key ? keys : b.counted - a.counted || keys
  })
}

async function grouped<Row extends { readonly grouped: readonly string[] }>(
  client: ClickHouseClient,
  query: Query,
): Promise<Map<string, Row[]>> {
  const groups = new Map<string, Row[]>()
  for (const row of await rowsOf<Row>(client, query)) {
    const key = JSON.stringify(row.grouped)
    const rows = groups.get(key)
    if (rows) rows.push(row)
    else groups.set(key, [row])
  }
  return groups
}

interface DurationRow {
  readonly grouped: readonly string[]
  readonly duration: number
  readonly events: number
  readonly open: number
  readonly closed: number
}

function durations(
  metric: DurationMetric,
  groups: Map<string, DurationRow[]>,
  question: AnalyticsQuestion,
): Estimated[] {
  if (question.by.length === 0 && groups.size === 0) groups.set('[]', [])
  return [...groups].map(([key, rows]) =>
    duration(metric, JSON.parse(key) as string[], rows, question.within_ms),
  )
}

const counts = (rows: readonly DurationRow[]): DurationCount[] =>
  rows.map((row) => ({ duration: row.duration, events: row.events, censored: row.open + row.closed }))
const inMs = (seconds: number | null) => (seconds === null ? null : seconds * 1_000)

interface EstimatedDuration extends Estimated {
  readonly rows: readonly DurationRow[]
}

function duration(
  metric: DurationMetric,
  key: readonly string[],
  rows: readonly DurationRow[],
  within_ms: number | null,
): EstimatedDuration {
  const curve = kaplanMeier(counts(rows))
  const median = medianOf(curve)
  const sum = (side: 'open' | 'closed') => rows.reduce((total, row) => total + row[side], 0)
  const within = within_ms ?? metric.within_ms
  const figures: Estimated['figures'] = {
    n: curve.n,
    value: inMs(median.value),
    low: inMs(median.low),
    high: inMs(median.high),
    duration: {
      open: sum('open'),
      closed_without: sum('closed'),
      p75: inMs(quantile(curve, 0.75)),
      p90: inMs(quantile(curve, 0.9)),
      p95: inMs(quantile(curve, 0.95)),
      within: { ms: within, probability: probabilityWithin(curve, within / 1_000) },
    },
  }
  return {
    key,
    rows,
    figures,
    counted: curve.n,
    against: (before) =>
      verdictOf(metric.unit, [before.counted, curve.n], () => {
        const found = medianDifference(counts((before as EstimatedDuration).rows), counts(rows))
        return found && { value: found.value * 1_000, low: found.low * 1_000, high: found.high * 1_000 }
      }),
  }
}

interface ShareRow {
  readonly grouped: readonly string[]
  readonly hits: number
  readonly n: number
}

function shares(metric: ShareMetric, rows: readonly ShareRow[]): Estimated[] {
  return rows.map(({ grouped: key, hits, n }): Estimated => {
    const share = shareOf(hits, n)
    return {
      key,
      figures: { n, value: share?.value ?? null, low: share?.low ?? null, high: share?.high ?? null, hits },
      counted: n,
      against: (before) =>
        verdictOf(metric.unit, [before.counted, n], () => {
          const earlier = shareOf(before.figures.hits ?? 0, before.counted)
          return earlier && share && shareDifference(earlier, share)
        }),
    }
  })
}

interface DayRow extends DaySums {
  readonly grouped: readonly string[]
  readonly day: string
}

interface EstimatedRatio extends Estimated {
  readonly days: readonly DaySums[]
}

function ratio(metric: RatioMetric, key: readonly string[], days: readonly DaySums[]): EstimatedRatio {
  const sum = (side: keyof DaySums) => days.reduce((total, day) => total + day[side], 0)
  const [numerator, denominator] = [sum('numerator'), sum('denominator')]
  const counted = metric.counted === 'numerator' ? numerator : denominator
  // The mean time between failures of few failures says nothing.
  const withheld = metric.name === 'mtbf' && counted < COMPARED_MIN
  const estimate = withheld ? null : ratioOf(metric.as, days)
  return {
    key,
    days,
    figures: {
      n: counted,
      value: estimate?.value ?? null,
      low: estimate?.low ?? null,
      high: estimate?.high ?? null,
      ratio: { numerator, denominator, days: days.length },
    },
    counted,
    against: (before) =>
      verdictOf(metric.unit, [before.counted, counted], () =>
        ratioDifference(metric.as, (before as EstimatedRatio).days, days),
      ),
  }
}
