/**
 * Times as Alertmanager's API reads them: RFC 3339 with any fraction and offset, and the other forms of go-openapi's
 * `date-time` (local times are UTC; a date alone is its midnight; the empty text is the epoch). Leap seconds are refused.
 */

/** An instant: whole milliseconds since the epoch, and the nanoseconds beyond them (0 to 999 999). */
export interface Instant {
  readonly ms: number
  readonly ns: number
}

/** Go's zero time, which means that no time was given. */
const ZERO_TIME_MS = -62_135_596_800_000
export const isZeroTime = (at: Instant): boolean => at.ms === ZERO_TIME_MS && at.ns === 0
export const isBefore = (a: Instant, b: Instant): boolean => a.ms < b.ms || (a.ms === b.ms && a.ns < b.ns)

const FULL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)?$/
/** An offset without a colon is known only after a fraction of three or six digits. */
const NO_COLON = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)[.,](\d{3}|\d{6})([+-]\d{4})$/
const SPACED = /^(\d{4})-(\d\d)-(\d\d) (\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?$/
const MINUTES = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d)Z?$/
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/

/** Minutes east of UTC; null when out of range (24 hours and 60 minutes are in it, as people write them). */
function offsetMinutes(offset: string | undefined): number | null {
  if (offset === undefined || offset === 'Z') return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(-2))
  if (hours > 24 || minutes > 60) return null
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** Nanoseconds of a fraction's digits; those beyond nine are cut off. */
const fractionNs = (digits: string | undefined): number =>
  digits === undefined ? 0 : Number(digits.slice(0, 9).padEnd(9, '0'))

/** What Prometheus writes, and most others: UTC, to the millisecond at most, on a day that every year has. JavaScript reads it alike. */
const USUAL = /^\d{4}-(?!02-(?:29|30))\d\d-(?:[0-2]\d|30)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?Z$/

/** The instant that `text` names, or null when it names none. */
export function parseDateTime(text: string): Instant | null {
  if (text === '') return { ms: 0, ns: 0 }
  if (USUAL.test(text)) {
    const ms = Date.parse(text)
    if (!Number.isNaN(ms)) return { ms, ns: 0 }
  }
  return parseCarefully(text)
}

function parseCarefully(text: string): Instant | null {
  const match =
    FULL.exec(text) ?? SPACED.exec(text) ?? NO_COLON.exec(text) ?? MINUTES.exec(text) ?? DATE.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number?,
    number?,
    number?,
  ]
  const offset = offsetMinutes(match[8])
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || offset === null) return null
  if ((hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const ns = fractionNs(match[7])
  const ms = date.getTime() + (((hour ?? 0) * 60 + (minute ?? 0) - offset) * 60 + (second ?? 0)) * 1_000
  return { ms: ms + Math.floor(ns / 1_000_000), ns: ns % 1_000_000 }
}

/** Go quotes a time in its messages byte by byte. */
function quoted(text: string): string {
  let out = ''
  for (const byte of Buffer.from(text)) {
    const sign = String.fromCharCode(byte)
    if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, '0')}`
    else out += sign === '"' || sign === '\\' ? `\\${sign}` : sign
  }
  return `"${out}"`
}

/** Why `text` is no time, in Go's words: it tells what the last form it tries, a date alone, makes of it. */
export function dateTimeProblem(text: string): string {
  const all = quoted(text)
  const cannot = (rest: string, element: string): string =>
    `parsing time ${all} as "2006-01-02": cannot parse ${quoted(rest)} as "${element}"`
  if (!/^\d{4}/.test(text)) return cannot(text, '2006')
  if (text.charAt(4) !== '-') return cannot(text.slice(4), '-')
  if (!/^\d\d/.test(text.slice(5))) return cannot(text.slice(5), '01')
  const month = Number(text.slice(5, 7))
  if (month < 1 || month > 12) return `parsing time ${all}: month out of range`
  if (text.charAt(7) !== '-') return cannot(text.slice(7), '-')
  if (!/^\d\d/.test(text.slice(8))) return cannot(text.slice(8), '02')
  if (text.length > 10) return `parsing time ${all}: extra text: ${quoted(text.slice(10))}`
  return `parsing time ${all}: day out of range`
}
