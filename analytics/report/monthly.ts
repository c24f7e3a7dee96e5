import type { GroupFigures, SurvivalAnswer } from '../../schemas/analytics_answer.ts'
import {
  localDays,
  type LocalDay,
  type MetricFigures,
  type ReportScope,
  type ReportSource,
  type TableRow,
} from './source.ts'

/** Figures in the order of the report. */
const FIGURES = [
  'incidents_per_day',
  'interruptions',
  'time_to_detect',
  'time_to_acknowledge',
  'time_to_mitigate',
  'time_to_resolve',
  'active_time',
  'time_to_review',
  'never_acknowledged',
  'response_timeliness',
  'sla_attainment',
  'review_timeliness',
  'reopened',
  'recurrence',
  'dispatch_accuracy',
  'escalated',
  'compression',
  'noise_reduction',
  'alarm_rate',
] as const
const SERVICES_MAX = 10
const ACTIONS_MAX = 15
/** The tables give no more rows. */
export const DUE_COUNTED_MAX = 200
/** Asked at the same time; ClickHouse takes all cores for each. */
const AT_ONCE = 4

export interface ServiceLine {
  readonly service: string
  readonly resolve: GroupFigures
  readonly attainment: GroupFigures | undefined
  readonly down_ms: number
}

/** The first of what is due, and how many there are; null: more than are counted. */
export interface Due {
  readonly rows: readonly TableRow[]
  readonly total: number | null
}

/** Everything that the monthly report tells. */
export interface Monthly {
  readonly month: string
  readonly scope: ReportScope
  readonly figures: readonly MetricFigures[]
  readonly curves: SurvivalAnswer
  readonly scatter: readonly TableRow[]
  readonly days: readonly (LocalDay & { readonly incidents: number })[]
  /** `[weekday][hour]`, Monday first. */
  readonly week: readonly (readonly number[])[]
  readonly services: readonly ServiceLine[]
  readonly service_metrics: { readonly resolve: MetricFigures; readonly attainment: MetricFigures }
  readonly sla: readonly TableRow[]
  readonly recurrence: readonly TableRow[]
  readonly overdue: Due
  readonly unreviewed: Due
}

export async function monthly(source: ReportSource, month: string, scope: ReportScope): Promise<Monthly> {
  const figures = await inTurns(FIGURES.map((name) => () => source.figures(name)))
  const [curves, scatter, per_day, heat] = await Promise.all([
    source.curves('time_to_resolve', ['severity']),
    source.rows('scatter'),
    source.figures('incidents_per_day', ['day']),
    source.rows('heatmap'),
  ])
  const [resolve, attainment, mtbf] = await Promise.all([
    source.figures('time_to_resolve', ['service']),
    source.figures('sla_attainment', ['service']),
    source.figures('mtbf', ['service']),
  ])
  const [sla, recurrence, breaching, unreviewed] = await Promise.all([
    source.rows('sla'),
    source.rows('recurrence'),
    source.rows('breaching'),
    source.rows('reviews-due'),
  ])
  const counts = new Map(per_day.groups.map(({ by, n }) => [by['day'], n]))
  return {
    month,
    scope,
    figures,
    curves,
    scatter,
    days: localDays(scope.period, scope.tz).map((day) => ({ ...day, incidents: counts.get(day.date) ?? 0 })),
    week: weekOf(heat),
    services: worst(resolve, attainment, mtbf, scope),
    service_metrics: { resolve, attainment },
    sla,
    recurrence: recurrence.slice(0, SERVICES_MAX),
    overdue: dueOf(breaching.filter(({ left_ms }) => Number(left_ms) < 0)),
    unreviewed: dueOf(unreviewed),
  }
}

function dueOf(rows: readonly TableRow[]): Due {
  return { rows: rows.slice(0, ACTIONS_MAX), total: rows.length < DUE_COUNTED_MAX ? rows.length : null }
}

async function inTurns<Answer>(asks: readonly (() => Promise<Answer>)[]): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < asks.length; i += AT_ONCE)
    answers.push(...(await Promise.all(asks.slice(i, i + AT_ONCE).map((ask) => ask()))))
  return answers
}

function weekOf(rows: readonly TableRow[]): number[][] {
  const week = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0))
  for (const { weekday, hour, incidents } of rows) {
    const day = week[Number(weekday) - 1]
    if (day) day[Number(hour)] = Number(incidents)
  }
  return week
}

/** Those with the longest time in which at least one incident was open. */
function worst(
  resolve: MetricFigures,
  attainment: MetricFigures,
  mtbf: MetricFigures,
  { period, as_of_ms }: ReportScope,
): ServiceLine[] {
  const named = ({ groups }: MetricFigures) =>
    new Map(groups.map((group) => [group.by['service'] ?? '', group]))
  const attained = named(attainment)
  const up = named(mtbf)
  const length_ms = Math.min(period.to_ms, as_of_ms) - period.from_ms
  const lines = resolve.groups.map((group): ServiceLine => {
    const service = group.by['service'] ?? ''
    const down_ms = length_ms - (up.get(service)?.ratio?.numerator ?? length_ms)
    return { service, resolve: group, attainment: attained.get(service), down_ms }
  })
  return lines.sort((a, b) => b.down_ms - a.down_ms).slice(0, SERVICES_MAX)
}
