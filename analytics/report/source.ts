import type { ClickHouseClient } from '@clickhouse/client'
import type { GroupFigures, SurvivalAnswer } from '../../schemas/analytics_answer.ts'
import { type AnalyticsQuestion, DEFAULT_SHIFTS, type Period } from '../../schemas/analytics_question.ts'
import { dayBegin } from '../../schemas/calendar.ts'
import { metricNamed } from '../metrics/catalogue.ts'
import { DURATIONS } from '../metrics/durations.ts'
import type { Metric } from '../metrics/metric.ts'
import { askMetric } from '../queries/metric.ts'
import { askSurvival } from '../queries/survival.ts'
import { askTable } from '../queries/table.ts'
import { TABLES } from '../tables/catalogue.ts'

/** What every report is asked for. */
export interface ReportScope {
  readonly period: Period
  readonly compared: Period | null
  readonly as_of_ms: number
  readonly tz: string
  readonly business_hours: AnalyticsQuestion['business_hours']
  readonly target_ms: AnalyticsQuestion['target_ms']
  readonly filters: AnalyticsQuestion['filters']
}

/** The local days of a period. */
export interface LocalDay {
  readonly date: string
  readonly at_ms: number
}

export type TableRow = Readonly<Record<string, string | number | boolean | null>>

/** The history for one report: metrics and tables by name, of its period. */
export class ReportSource {
  private readonly client: ClickHouseClient
  private readonly question: AnalyticsQuestion

  constructor(client: ClickHouseClient, scope: ReportScope) {
    this.client = client
    this.question = {
      ...scope,
      by: [],
      labels: [],
      shifts: DEFAULT_SHIFTS,
      within_ms: null,
      cost_per_hour: {},
    }
  }

  async figures(name: string, by: AnalyticsQuestion['by'] = []): Promise<MetricFigures> {
    const metric = metricNamed(name)
    if (!metric) throw new Error(`there is no metric ${name}`)
    const { groups } = await askMetric(this.client, metric, { ...this.question, by })
    return { metric, groups }
  }

  async rows(name: string): Promise<TableRow[]> {
    const table = TABLES.find((one) => one.name === name)
    if (!table) throw new Error(`there is no table ${name}`)
    return (await askTable(this.client, table, this.question)).rows as TableRow[]
  }

  async curves(name: string, by: AnalyticsQuestion['by']): Promise<SurvivalAnswer> {
    const metric = DURATIONS.find((one) => one.name === name)
    if (!metric) throw new Error(`there is no duration ${name}`)
    return askSurvival(this.client, metric, { ...this.question, by })
  }
}

export interface MetricFigures {
  readonly metric: Metric
  readonly groups: readonly GroupFigures[]
}

/** The local days of a period, each with its beginning. */
export function localDays({ from_ms, to_ms }: Period, tz: string): LocalDay[] {
  const local = new Intl.DateTimeFormat('en-CA', {
    timeZone: tz,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  const days: LocalDay[] = []
  for (let at_ms = from_ms; at_ms < to_ms; ) {
    const date = local.format(at_ms)
    days.push({ date, at_ms })
    const next = new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
    at_ms = dayBegin(next, tz)
  }
  return days
}

/** A month (`YYYY-MM`) in a time zone, and the one before. */
export function monthPeriods(
  month: string,
  tz: string,
): { readonly period: Period; readonly compared: Period } {
  const year = Number(month.slice(0, 4))
  const number = Number(month.slice(5))
  const begin = (months: number) => {
    const at = new Date(Date.UTC(year, number - 1 + months, 1))
    return dayBegin(at.toISOString().slice(0, 10), tz)
  }
  return {
    period: { from_ms: begin(0), to_ms: begin(1) },
    compared: { from_ms: begin(-1), to_ms: begin(0) },
  }
}
