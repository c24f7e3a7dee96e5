import { LIMITS } from '../../schemas/limits.ts'
import { TIME_UNITS, type TimeUnit } from '../../schemas/source_formats.ts'
import { isZeroTime, parseDateTime } from '../sources/date_time.ts'
import { cut, textOf } from '../sources/fields.ts'
import { Unreadable } from '../sources/format.ts'

const MS_PER_UNIT: Readonly<Record<TimeUnit, number>> = { s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 }

/** The coarsest unit in which a number since 1970 is a time before the year 2200. */
function unitBySize(value: number): TimeUnit {
  return TIME_UNITS.find((unit) => value * MS_PER_UNIT[unit] <= LIMITS.time_ms_max) ?? 'ns'
}

/** Milliseconds since 1970, with a fraction, of a number since 1970; without a unit that is known by the size. */
export function msOf(value: number, unit: TimeUnit | null): number {
  const ms = value * MS_PER_UNIT[unit ?? unitBySize(value)]
  // To the microsecond: beyond it a double of today's milliseconds holds noise.
  return Math.round(ms * 1_000) / 1_000
}

const NUMBER = /^\s*\d+(?:\.\d+)?(?:e\+?\d+)?\s*$/i

/** A time as RFC 3339 text or as a number (also as text); `at_ms` where none is told. Throws Unreadable `time-syntax`. */
export function sampleTime(value: unknown, unit: TimeUnit | null, at_ms: number, what: string): number {
  if (typeof value === 'number') {
    if (value >= 0) return msOf(value, unit)
  } else if (value === undefined || value === null || value === '') return at_ms
  else if (typeof value === 'string') {
    if (NUMBER.test(value)) return msOf(Number(value), unit)
    const at = parseDateTime(value.trim())
    if (at !== null) return isZeroTime(at) ? at_ms : at.ms + Math.floor(at.ns / 1_000) / 1_000
  }
  throw new Unreadable('time-syntax', `${what} is ${cut(textOf(value), 80)}, which is no time`)
}
