import { parseDateTime } from '../../ingest/sources/date_time.ts'

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
/** What people write where there is no value. */
const MISSING = /^(?:|-+|\?|nan|null|nil|none|n\/a|na|#n\/a|undefined|[+-]?inf(?:inity)?|bad|no ?data)$/i
/** `2026-11-25 14:03:00.5`, with T, slashes, an offset, without seconds. */
const SPACED =
  /^(\d{4})[-/](\d\d?)[-/](\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/

/** `20261125` or `20261125140300`: as seconds or milliseconds these would be 1970 or 2612. */
const COMPACT = /^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:([01]\d|2[0-3])([0-5]\d)([0-5]\d))?$/

export type Cell =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'missing' | 'unreadable' }

/** A value; a decimal comma is understood where the comma is not the delimiter. */
export function valueOf(text: string): Cell {
  const plain = /^[+-]?\d+,\d+$/.test(text) ? text.replace(',', '.') : text
  if (NUMBER.test(plain)) {
    const value = Number(plain)
    return Number.isFinite(value) ? { kind: 'number', value } : { kind: 'missing' }
  }
  return { kind: MISSING.test(text) ? 'missing' : 'unreadable' }
}

export const TIME_FORMS =
  'ISO 8601, YYYY-MM-DD HH:MM:SS (UTC where no offset is given), or seconds, milliseconds, microseconds or nanoseconds since 1970'

/** Milliseconds since the epoch; null when the text is no time. */
export function timeOf(text: string): number | null {
  const compact = COMPACT.exec(text)
  if (compact !== null)
    return timeOf(
      `${compact[1]}-${compact[2]}-${compact[3]} ${compact[4] ?? '00'}:${compact[5] ?? '00'}:${compact[6] ?? '00'}`,
    )
  if (NUMBER.test(text)) return epochOf(Number(text))
  const usual = text === '' ? null : parseDateTime(text)
  if (usual !== null) return usual.ms + usual.ns / 1_000_000
  const match = SPACED.exec(text)
  if (match === null) return null
  const [, year, month, day, hour = '0', minute = '00', second = '00', fraction = '', offset = 'Z'] = match
  const two = (part: string | undefined): string => (part ?? '').padStart(2, '0')
  const digits = fraction === '' ? '' : `.${fraction}`
  const zone = /^[+-]\d{4}$/.test(offset) ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset
  const strict = `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}${digits}${zone}`
  const instant = parseDateTime(strict)
  return instant === null ? null : instant.ms + instant.ns / 1_000_000
}

/** Seconds until the year 5138, then milliseconds, microseconds, nanoseconds: each unit covers the years that matter. */
function epochOf(number: number): number | null {
  const size = Math.abs(number)
  if (size < 1e11) return number * 1_000
  if (size < 1e14) return number
  if (size < 1e17) return number / 1_000
  return size < 1e20 ? number / 1_000_000 : null
}
