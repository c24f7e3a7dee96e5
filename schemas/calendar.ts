import { z } from 'zod'
import { timeMs } from './alert.ts'

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Beyond this an occurrence would last into its own next one. */
const OCCURRENCE_MAX_MS = 7 * DAY_MS

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** One stretch of time; the end is not part of it. */
export const once = z.object({ starts_at_ms: timeMs, ends_at_ms: timeMs })

/** A stretch that begins at a local time of some weekdays and lasts `duration_ms`, whatever the clocks do meanwhile. */
export const weekly = z.object({
  weekdays: z.array(z.enum(WEEKDAYS)).min(1).max(WEEKDAYS.length),
  /** Local time of day, `HH:MM`. */
  at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as 22:30'),
  time_zone: z.string().min(1).max(64).refine(isTimeZone, 'expected an IANA time zone such as Europe/Berlin'),
  duration_ms: z.number().int().min(1).max(OCCURRENCE_MAX_MS),
})

type Once = z.infer<typeof once>
export type Weekly = z.infer<typeof weekly>
export type Calendar = Once | Weekly

/** Whether the calendar holds at that time. */
export function isWithin(calendar: Calendar, at_ms: number): boolean {
  return stretches(calendar, at_ms).some(([from_ms, to_ms]) => from_ms <= at_ms && at_ms < to_ms)
}

/** The first beginning or end after that time; null when there will be none. */
export function nextTurn(calendar: Calendar, at_ms: number): number | null {
  const turns = stretches(calendar, at_ms)
    .flat()
    .filter((turn_ms) => turn_ms > at_ms)
  return turns.length === 0 ? null : Math.min(...turns)
}

/** One occurrence of a weekly calendar: the local date (`YYYY-MM-DD`) that it begins on, and when. */
export interface Occurrence {
  readonly date: string
  readonly begin_ms: number
  readonly end_ms: number
}

/** What of a weekly calendar begins from the local day of one time to that of another, in order. */
export function occurrences(calendar: Weekly, from_ms: number, to_ms: number): Occurrence[] {
  const zone = zoneOf(calendar.time_zone)
  const found: Occurrence[] = []
  const first_ms = Math.floor((from_ms + offsetAt(zone, from_ms)) / DAY_MS) * DAY_MS
  const last_ms = to_ms + offsetAt(zone, to_ms)
  for (let date_ms = first_ms; date_ms <= last_ms; date_ms += DAY_MS) {
    const date = new Date(date_ms).toISOString().slice(0, 10)
    if (!calendar.weekdays.includes(weekdayOf(date))) continue
    const begin_ms = instantOf(zone, date_ms + timeOfDay(calendar.at))
    found.push({ date, begin_ms, end_ms: begin_ms + calendar.duration_ms })
  }
  return found
}

/** The weekday of a date (`YYYY-MM-DD`). */
export function weekdayOf(date: string): Weekly['weekdays'][number] {
  return WEEKDAYS[new Date(date).getUTCDay()] as Weekly['weekdays'][number]
}

/** When a local date (`YYYY-MM-DD`) begins in a time zone. */
export function dayBegin(date: string, time_zone: string): number {
  return localInstant(Date.parse(`${date}T00:00:00Z`), time_zone)
}

/** When the clocks of a time zone show a local time, given as if it were UTC; as `instantOf`. */
export function localInstant(local_ms: number, time_zone: string): number {
  return instantOf(zoneOf(time_zone), local_ms)
}

type Stretch = readonly [from_ms: number, to_ms: number]

/** Every stretch that may hold at that time, and the next one: of a weekly calendar at most seventeen days are looked at. */
function stretches(calendar: Calendar, at_ms: number): readonly Stretch[] {
  if ('starts_at_ms' in calendar) return [[calendar.starts_at_ms, calendar.ends_at_ms]]
  const zone = zoneOf(calendar.time_zone)
  const today_ms = Math.floor((at_ms + offsetAt(zone, at_ms)) / DAY_MS) * DAY_MS
  const days_back = Math.ceil(calendar.duration_ms / DAY_MS) + 1
  const found: Stretch[] = []
  for (let day = -days_back; day <= 8; day++) {
    const date_ms = today_ms + day * DAY_MS
    if (!calendar.weekdays.includes(WEEKDAYS[new Date(date_ms).getUTCDay()] as Weekly['weekdays'][number]))
      continue
    const from_ms = instantOf(zone, date_ms + timeOfDay(calendar.at))
    found.push([from_ms, from_ms + calendar.duration_ms])
  }
  return found
}

function timeOfDay(at: string): number {
  return (Number(at.slice(0, 2)) * 60 + Number(at.slice(3))) * MINUTE_MS
}

/** Making one costs a thousand times what asking it does; there are some 400 names. */
const zones = new Map<string, Intl.DateTimeFormat>()

function zoneOf(name: string): Intl.DateTimeFormat {
  const known = zones.get(name)
  if (known) return known
  const zone = new Intl.DateTimeFormat('en', {
    timeZone: name,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  zones.set(name, zone)
  return zone
}

/** Local time less UTC, in milliseconds. */
function offsetAt(zone: Intl.DateTimeFormat, at_ms: number): number {
  const at: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of zone.formatToParts(at_ms)) at[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = at
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at_ms / 1_000) * 1_000
}

/**
 * When the clocks of the zone show that local time (given as if it were UTC). Shown twice, the first; never shown because
 * clocks went forward, the time that they would have shown it by (02:30 becomes 03:30).
 */
function instantOf(zone: Intl.DateTimeFormat, local_ms: number): number {
  const before = offsetAt(zone, local_ms - DAY_MS)
  const after = offsetAt(zone, local_ms + DAY_MS)
  const shown = [local_ms - before, local_ms - after].filter(
    (at_ms) => at_ms + offsetAt(zone, at_ms) === local_ms,
  )
  return shown.length === 0 ? local_ms - before : Math.min(...shown)
}
