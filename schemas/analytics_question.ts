import type { Severity } from './alert.ts'
import type { WEEKDAYS } from './calendar.ts'

/** What incidents and alarms can be counted and filtered by. */
export const PLAIN_DIMENSIONS = [
  'scope',
  'service',
  'team',
  'site',
  'line',
  'severity',
  'entity',
  'rule',
  'assignee',
] as const
export type PlainDimension = (typeof PLAIN_DIMENSIONS)[number]

/** What they can be counted by in the time zone of the question. */
export const LOCAL_DIMENSIONS = ['month', 'week', 'day', 'hour', 'hour_of_week', 'shift'] as const

export type Dimension = PlainDimension | (typeof LOCAL_DIMENSIONS)[number] | `label.${string}`

export interface Period {
  readonly from_ms: number
  readonly to_ms: number
}

/** A shift of a day in local minutes since midnight; one that ends before it begins goes over midnight. */
export interface Shift {
  readonly name: string
  readonly begin_minute: number
  readonly end_minute: number
}

/** Working time: a stretch of some weekdays, less holidays, and the same stretch of days that are worked all the same. */
export interface BusinessHours {
  readonly weekdays: readonly (typeof WEEKDAYS)[number][]
  /** Local time of day, `HH:MM`. */
  readonly at: string
  readonly duration_ms: number
  readonly time_zone: string
  /** Local dates, `YYYY-MM-DD`. */
  readonly holidays: readonly string[]
  readonly workdays: readonly string[]
}

/** What a figure of the history is asked for. */
export interface AnalyticsQuestion {
  readonly period: Period
  /** What it is compared with; null: nothing. */
  readonly compared: Period | null
  /** The time of asking: what is still open then is censored there. */
  readonly as_of_ms: number
  readonly tz: string
  readonly by: readonly Dimension[]
  readonly filters: Readonly<Partial<Record<PlainDimension, readonly string[]>>>
  readonly labels: readonly { readonly name: string; readonly value: string }[]
  readonly shifts: readonly Shift[]
  /** Null: durations are by the wall clock. */
  readonly business_hours: BusinessHours | null
  /** Targets by severity, in milliseconds; null: those of the metric. */
  readonly target_ms: Readonly<Partial<Record<Severity, number>>> | null
  /** How long after a resolution something counts as the same again; null: as long as the metric says. */
  readonly within_ms: number | null
  /** Cost of an hour of downtime by service. */
  readonly cost_per_hour: Readonly<Record<string, number>>
}

export const DEFAULT_SHIFTS: readonly Shift[] = [
  { name: 'early', begin_minute: 360, end_minute: 840 },
  { name: 'late', begin_minute: 840, end_minute: 1_320 },
  { name: 'night', begin_minute: 1_320, end_minute: 360 },
]
