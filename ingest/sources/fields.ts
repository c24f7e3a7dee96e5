import type { Labels } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { isZeroTime, parseDateTime } from './date_time.ts'
import { Unreadable } from './format.ts'

/** Reading the fields of foreign JSON into labels, annotations and times. */

export type Fields = Readonly<Record<string, unknown>>

/** Throws Unreadable `json-type` when it is no object. */
export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Unreadable('json-type', `${what} is ${nameOfType(value)}, not an object`)
}

/** Like fieldsOf, and no fields where there is nothing. */
export function optionalFields(value: unknown, what: string): Fields {
  return value === undefined || value === null ? {} : fieldsOf(value, what)
}

/** Throws Unreadable `json-type` when it is no array. */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Unreadable('json-type', `${what} is ${nameOfType(value)}, not an array`)
}

function nameOfType(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A value as text: texts as they are, nothing as the empty text, anything else as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value.toWellFormed()
  if (value === undefined || value === null) return ''
  return JSON.stringify(value).toWellFormed()
}

/** Of a number, or a text that is one; NaN of anything else, which Number() would ask for a text of its own. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
}

/** Throws Unreadable `field-missing` when it is no text, or empty. */
export function neededText(value: unknown, what: string): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text === 'string' && text.trim() !== '') return text.toWellFormed()
  throw new Unreadable('field-missing', `${what} is ${nameOfType(value)}, not a text`)
}

/** Cut where it is too long, and visibly so. */
export function cut(text: string, chars_max: number): string {
  if (text.length <= chars_max) return text
  const mark = `… (${text.length} characters)`
  return text.slice(0, chars_max - mark.length).toWellFormed() + mark
}

function mapOf(given: Readonly<Record<string, unknown>>, chars_max: number): Labels {
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(given)) {
    const text = cut(textOf(value), chars_max)
    if (text !== '' && name !== '') entries.push([name.toWellFormed(), text])
  }
  return Object.fromEntries(entries)
}

/** Labels of whatever is there: empty ones are left out, long values are cut. */
export function labelsOf(given: Readonly<Record<string, unknown>>): Labels {
  return mapOf(given, LIMITS.label_value_chars)
}

/** Annotations, likewise. */
export function annotationsOf(given: Readonly<Record<string, unknown>>): Labels {
  return mapOf(given, LIMITS.annotation_value_chars)
}

/** Above these a number of that unit would be beyond the year 2200, and is of the next finer one. */
const SECONDS_MAX = LIMITS.time_ms_max / 1_000
const UNITS_PER_MS = [1, 1_000, 1_000_000] as const

/** A time as a number since the epoch, in s, ms, µs or ns by its size. Null when it is none. */
function timeOfNumber(value: number): number | null {
  if (!Number.isFinite(value) || value < 0) return null
  if (value <= SECONDS_MAX) return Math.round(value * 1_000)
  const per_ms = UNITS_PER_MS.find((units) => value <= LIMITS.time_ms_max * units)
  return per_ms === undefined ? null : Math.floor(value / per_ms)
}

/** A time as RFC 3339 text or as a number (also as text). Null when none is told. Throws Unreadable `time-syntax`. */
export function timeOf(value: unknown, what: string): number | null {
  if (value === undefined || value === null || value === '') return null
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text === 'string') {
    const number_ms = /^\s*\d+(?:\.\d+)?(?:e\+?\d+)?\s*$/i.test(text) ? timeOfNumber(Number(text)) : null
    if (number_ms !== null) return number_ms
    const at = parseDateTime(text.trim())
    if (at !== null) return isZeroTime(at) ? null : at.ms
  }
  throw new Unreadable('time-syntax', `${what} is ${cut(textOf(value), 80)}, which is no time`)
}

/** The log's clock may be this far behind the one that a message was received by. */
const CLOCKS_DIFFER_MS = 2_000

export interface Times {
  readonly starts_at_ms: number
  readonly ends_at_ms: number
  readonly start_assumed?: true
}

/** For times of the message, which are not when the condition began: each message of one alert has another. */
export const HEARD = { start_assumed: true } as const

/** Times of an alert that fires until a message says that it is over. `told_ms` is when it began, if it was told. */
export function firing(
  told_ms: number | null,
  { at_ms, expire_after_ms }: { readonly at_ms: number; readonly expire_after_ms: number },
): Times {
  const times = { starts_at_ms: Math.min(told_ms ?? at_ms, at_ms), ends_at_ms: at_ms + expire_after_ms }
  return told_ms === null ? { ...times, ...HEARD } : times
}

/** Times of one that is over: its end is never ahead of the log's clock, by which it would be taken for one that still fires. */
export function over(
  started_ms: number | null,
  told_ms: number | null,
  { at_ms }: { readonly at_ms: number },
): Times {
  const ends_at_ms = Math.min(told_ms ?? at_ms, at_ms - CLOCKS_DIFFER_MS)
  return { starts_at_ms: Math.min(started_ms ?? ends_at_ms, ends_at_ms), ends_at_ms }
}

/** An address that may be shown as a link, or the empty text. */
export function linkOf(value: unknown): string {
  const text = textOf(value)
  return text.length <= LIMITS.generator_url_chars && /^https?:\/\/\S+$/i.test(text) ? text : ''
}
