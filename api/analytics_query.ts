import { z } from 'zod'
import { SEVERITIES } from '../schemas/alert.ts'
import {
  type AnalyticsQuestion,
  type BusinessHours,
  DEFAULT_SHIFTS,
  type Dimension,
  LOCAL_DIMENSIONS,
  type Period,
  PLAIN_DIMENSIONS,
  type Shift,
} from '../schemas/analytics_question.ts'
import { dayBegin, isTimeZone, WEEKDAYS } from '../schemas/calendar.ts'
import { LIMITS } from '../schemas/limits.ts'
import { ApiError } from './errors.ts'
import { listOf } from './validation.ts'

const DAY_MS = 86_400_000
const PERIOD_DEFAULT_MS = 30 * DAY_MS
const PERIOD_MAX_MS = 3_660 * DAY_MS
const BY_MAX = 2

const time = z
  .string()
  .regex(
    /^(\d{1,16}|\d{4}-\d{2}-\d{2}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))$/,
    'expected a date (2026-10-01, midnight in tz), a time (2026-10-01T08:00:00+08:00) or milliseconds since the epoch',
  )
  .optional()

const dimension = z
  .string()
  .max(LIMITS.label_name_chars)
  .refine(
    (name) =>
      [...PLAIN_DIMENSIONS, ...LOCAL_DIMENSIONS].some((known) => known === name) || /^label\..+/.test(name),
    `expected one of ${[...PLAIN_DIMENSIONS, ...LOCAL_DIMENSIONS].join(', ')} or label.NAME`,
  )

const value = z.string().max(LIMITS.label_value_chars)
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a date such as 2026-10-01')
const CLOCK = String.raw`([01]\d|2[0-4]):([0-5]\d)`
const DAYS = WEEKDAYS.join('|')
const HOURS = new RegExp(`^(${DAYS})(?:-(${DAYS}))? ${CLOCK}-${CLOCK}$`)
const SHIFT = new RegExp(`^([^=]{1,40})=${CLOCK}-${CLOCK}$`)
const TARGET = new RegExp(`^(?:(${SEVERITIES.join('|')}):)?(\\d{1,9})$`)

const only = (name: string) =>
  listOf(value).describe(`only this ${name}; several between commas, or repeated`)

/** What every question to the history takes. */
export const analyticsQuery = z.strictObject({
  from: time.describe('begin of the period; left out: 30 days before its end'),
  to: time.describe('end of the period, not in it; left out: now'),
  compare_from: time.describe('begin of the period that it is compared with'),
  compare_to: time.describe('end of that period; left out: as long as the first'),
  as_of: time.describe('what is open then is censored there; left out: now'),
  tz: z
    .string()
    .max(64)
    .refine(isTimeZone, 'expected an IANA time zone such as Asia/Shanghai')
    .default('UTC')
    .describe('time zone of dates, months, hours and shifts'),
  by: listOf(dimension).describe(
    `count by one or two of ${[...PLAIN_DIMENSIONS, ...LOCAL_DIMENSIONS].join(', ')}, label.NAME`,
  ),
  scope: only('scope'),
  service: only('service'),
  team: only('team'),
  site: only('site'),
  line: only('production line'),
  severity: listOf(z.enum(SEVERITIES)).describe('only these severities'),
  entity: only('entity'),
  rule: only('grouping rule'),
  assignee: only('assignee'),
  label: listOf(z.string().regex(/^[^=]+=/, 'expected NAME=VALUE')).describe(
    'only with this label, NAME=VALUE; several: all of them',
  ),
  business_hours: z
    .string()
    .regex(HOURS, 'expected weekdays and hours such as "mon-fri 09:00-17:00"')
    .optional()
    .describe('durations in working time, less pauses, e.g. "mon-fri 09:00-17:00" in tz'),
  holidays: listOf(date).describe('dates without working time'),
  workdays: listOf(date).describe('dates with working time although their weekday has none'),
  shifts: listOf(z.string().regex(SHIFT, 'expected NAME=HH:MM-HH:MM')).describe(
    'shifts, NAME=HH:MM-HH:MM; left out: early=06:00-14:00, late=14:00-22:00, night=22:00-06:00',
  ),
  target_s: listOf(z.string().regex(TARGET, 'expected SECONDS or SEVERITY:SECONDS')).describe(
    'target of service levels in seconds, for all severities or one (critical:900)',
  ),
  within_s: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000_000)
    .optional()
    .describe(
      'how long after something counts (reopened, recurrence, change_failure), or the time that a probability is told for',
    ),
  cost: listOf(z.string().regex(/^.+:\d{1,12}(\.\d{1,6})?$/, 'expected SERVICE:AMOUNT')).describe(
    'cost of an hour of downtime of a service, SERVICE:AMOUNT',
  ),
  explain: z.enum(['true', 'false']).default('false').describe('give the SQL and its parameters as well'),
})
export type AnalyticsQuery = z.output<typeof analyticsQuery>

function refuse(field: string, message: string): never {
  throw new ApiError('invalid-parameter', `${field} ${message}`, { field })
}

function instant(field: string, text: string | undefined, tz: string): number | null {
  if (text === undefined) return null
  if (!/^\d+$/.test(text) && Number.isNaN(Date.parse(text)))
    refuse(field, `is ${text}: there is no such time`)
  const at_ms = /^\d+$/.test(text) ? Number(text) : text.length === 10 ? dayBegin(text, tz) : Date.parse(text)
  if (!(at_ms >= 0 && at_ms <= LIMITS.time_ms_max)) refuse(field, `is ${text}: there is no such time`)
  return at_ms
}

function periodOf(name: '' | 'compare_', from_ms: number, to_ms: number): Period {
  if (from_ms >= to_ms) refuse(`${name}to`, `is not after ${name}from`)
  if (to_ms - from_ms > PERIOD_MAX_MS)
    refuse(`${name}from`, 'is more than ten years before the end of the period')
  return { from_ms, to_ms }
}

function comparedOf(query: AnalyticsQuery, period: Period): Period | null {
  const from_ms = instant('compare_from', query.compare_from, query.tz)
  const to_ms = instant('compare_to', query.compare_to, query.tz)
  if (from_ms === null) return to_ms === null ? null : refuse('compare_from', 'is missing')
  return periodOf('compare_', from_ms, to_ms ?? from_ms + period.to_ms - period.from_ms)
}

const minutes = (hour: string | undefined, minute: string | undefined) => Number(hour) * 60 + Number(minute)

function businessHoursOf(query: AnalyticsQuery): BusinessHours | null {
  const { business_hours, holidays, workdays, tz } = query
  if (business_hours === undefined) return null
  const [, first, last = first, ...clock] = HOURS.exec(business_hours) as unknown as [
    string,
    string,
    string | undefined,
    ...string[],
  ]
  const begin = minutes(clock[0], clock[1])
  const end = minutes(clock[2], clock[3])
  if (end <= begin || end > 1_440) refuse('business_hours', 'ends before it begins')
  const [from, to] = [first, last].map((day) => WEEKDAYS.findIndex((name) => name === day)) as [
    number,
    number,
  ]
  const length = ((to - from + WEEKDAYS.length) % WEEKDAYS.length) + 1
  const weekdays = Array.from(
    { length },
    (_, i) => WEEKDAYS[(from + i) % WEEKDAYS.length] as (typeof WEEKDAYS)[number],
  )
  const duration_ms = (end - begin) * 60_000
  return { weekdays, at: `${clock[0]}:${clock[1]}`, duration_ms, time_zone: tz, holidays, workdays }
}

function shiftOf(text: string): Shift {
  const [, name = '', ...clock] = SHIFT.exec(text) ?? []
  return { name, begin_minute: minutes(clock[0], clock[1]), end_minute: minutes(clock[2], clock[3]) }
}

function targetsOf({ target_s }: AnalyticsQuery): AnalyticsQuestion['target_ms'] {
  if (target_s.length === 0) return null
  const targets: Record<string, number> = {}
  for (const text of target_s) {
    const [, severity, seconds] = TARGET.exec(text) ?? []
    for (const one of severity === undefined ? SEVERITIES : [severity]) targets[one] = Number(seconds) * 1_000
  }
  return targets
}

/** The question that query parameters ask. Throws ApiError `invalid-parameter`, which names the parameter. */
export function questionOf(query: AnalyticsQuery, now_ms: number): AnalyticsQuestion {
  const to_ms = instant('to', query.to, query.tz) ?? now_ms
  const from_ms = instant('from', query.from, query.tz) ?? Math.max(0, to_ms - PERIOD_DEFAULT_MS)
  const period = periodOf('', from_ms, to_ms)
  if (query.by.length > BY_MAX) refuse('by', `has more than ${BY_MAX} dimensions`)
  if (new Set(query.by).size < query.by.length) refuse('by', 'names a dimension twice')
  const named = PLAIN_DIMENSIONS.filter((name) => query[name].length > 0)
  return {
    period,
    compared: comparedOf(query, period),
    as_of_ms: instant('as_of', query.as_of, query.tz) ?? now_ms,
    tz: query.tz,
    by: query.by as Dimension[],
    filters: Object.fromEntries(named.map((name) => [name, query[name]])),
    labels: query.label.map((text) => {
      const [name = '', ...rest] = text.split('=')
      return { name, value: rest.join('=') }
    }),
    shifts: query.shifts.length === 0 ? DEFAULT_SHIFTS : query.shifts.map(shiftOf),
    business_hours: businessHoursOf(query),
    target_ms: targetsOf(query),
    within_ms: query.within_s === undefined ? null : query.within_s * 1_000,
    cost_per_hour: Object.fromEntries(
      query.cost.map((text) => [
        text.slice(0, text.lastIndexOf(':')),
        Number(text.slice(text.lastIndexOf(':') + 1)),
      ]),
    ),
  }
}

/** Refuses what the question counts or filters by and the figure does not have. */
export function checkDimensions(question: AnalyticsQuestion, known: readonly string[], what: string): void {
  const labels = known.includes('label.NAME')
  const strange = question.by.find((name) => !known.includes(name) && !(labels && name.startsWith('label.')))
  if (strange !== undefined) refuse('by', `is ${strange}: ${what} knows ${known.join(', ')}`)
  const filter = Object.keys(question.filters).find((name) => !known.includes(name))
  if (filter !== undefined) refuse(filter, `cannot be chosen: ${what} knows ${known.join(', ')}`)
  if (question.labels.length > 0 && !labels)
    refuse('label', `cannot be chosen: ${what} knows ${known.join(', ')}`)
}
