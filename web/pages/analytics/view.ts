import type { Severity } from '../../../schemas/alert.ts'
import { SEVERITIES } from '../../parts/severity.tsx'

/** Which question the page asks of the history; read from the address and pure from there on. */

export const PERIOD_DAYS = [7, 30, 90, 365] as const
const PERIOD_DEFAULT_DAYS = 30
export const GROUPS = ['severity', 'service', 'team', 'site', 'line', 'scope'] as const
export type Group = (typeof GROUPS)[number]
export const STEPS = ['time_to_acknowledge', 'time_to_mitigate', 'time_to_resolve'] as const
export type Step = (typeof STEPS)[number]
export const CLOCKS = ['response', 'resolve', 'review'] as const
export type Clock = (typeof CLOCKS)[number]
/** Filters whose values come from the history, by the name of their parameter. */
export const VALUE_FILTERS = ['service', 'team', 'site'] as const
export type ValueFilter = (typeof VALUE_FILTERS)[number]
export const FILTERS = ['severity', ...VALUE_FILTERS, 'line', 'scope'] as const

/** Of every panel the chart is shown unless the address says that its table is. */
export type PanelName =
  | 'curves'
  | 'scatter'
  | 'phases'
  | 'hours'
  | 'funnel'
  | 'recurrence'
  | 'service-levels'
  | 'breaching'

export interface View {
  /** Days until now, or dates, both of them in it. */
  readonly period: { readonly days: number } | { readonly from: string; readonly to: string }
  readonly compare: boolean
  readonly by: Group
  readonly step: Step
  readonly clock: Clock
  /** Working time such as `mon-fri 09:00-17:00`; null: the wall clock. */
  readonly hours: string | null
  readonly filters: readonly (readonly [name: string, value: string])[]
  readonly severity: Severity | null
}

export const OFFICE_HOURS = 'mon-fri 09:00-17:00'
const DAY_MS = 86_400_000
const DATE = /^\d{4}-\d{2}-\d{2}$/

function isDate(text: string | null): text is string {
  return text !== null && DATE.test(text) && !Number.isNaN(Date.parse(text))
}

function oneOf<Item extends string>(text: string | null, known: readonly Item[], otherwise: Item): Item {
  return known.find((item) => item === text) ?? otherwise
}

function periodOf(query: URLSearchParams): View['period'] {
  const from = query.get('from')
  const to = query.get('to')
  if (isDate(from) && isDate(to) && from <= to) return { from, to }
  const days = Number(query.get('days') ?? PERIOD_DEFAULT_DAYS)
  return { days: PERIOD_DAYS.find((known) => known === days) ?? PERIOD_DEFAULT_DAYS }
}

export function viewOf(query: URLSearchParams): View {
  const severity = query.get('severity')
  return {
    period: periodOf(query),
    compare: query.get('compare') !== 'none',
    by: oneOf(query.get('by'), GROUPS, 'severity'),
    step: oneOf(query.get('step'), STEPS, 'time_to_resolve'),
    clock: oneOf(query.get('clock'), CLOCKS, 'resolve'),
    hours: query.get('hours'),
    filters: FILTERS.flatMap((name) => {
      const value = query.get(name)
      return value === null || value === '' ? [] : [[name, value] as const]
    }),
    severity: SEVERITIES.find((known) => known === severity) ?? null,
  }
}

/** The date so many days later, `YYYY-MM-DD`. */
export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10)
}

function boundsOf({ period }: View, now_ms: number): Readonly<Record<string, string>> {
  if ('days' in period) {
    const from_ms = now_ms - period.days * DAY_MS
    return {
      from: String(from_ms),
      to: String(now_ms),
      compare_from: String(from_ms - period.days * DAY_MS),
      compare_to: String(from_ms),
    }
  }
  const days = (Date.parse(period.to) - Date.parse(period.from)) / DAY_MS + 1
  return {
    from: period.from,
    to: dateAfter(period.to, 1),
    compare_from: dateAfter(period.from, -days),
    compare_to: period.from,
  }
}

/** Parameters of the API (api/analytics_query.ts). Whoever compares gets the stretch of the same length before. */
export function parametersOf(view: View, now_ms: number, zone: string, compare: boolean): URLSearchParams {
  const { from = '', to = '', compare_from = '', compare_to = '' } = boundsOf(view, now_ms)
  const parameters = new URLSearchParams({ from, to, tz: zone })
  if (compare && view.compare) {
    parameters.set('compare_from', compare_from)
    parameters.set('compare_to', compare_to)
  }
  for (const [name, value] of view.filters) parameters.set(name, value)
  if (view.hours !== null) parameters.set('business_hours', view.hours)
  return parameters
}
