import type { Labels } from '../../schemas/alert.ts'
import { goQuote } from '../../schemas/go_quote.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { isLabelName } from '../../schemas/matcher_syntax.ts'
import type { DecodedAlerts, Mark, RawAlert, RejectedAlert } from './raw_alert.ts'
import { dateTimeProblem, type Instant, isBefore, isZeroTime, parseDateTime } from './date_time.ts'
import { isRequestUri } from './request_uri.ts'

/**
 * Alerts in the form of `POST /api/v2/alerts` of Alertmanager 0.34: the same bodies are taken, the same are refused as a whole,
 * the same alerts are refused one by one, in the same words. Deliberately stricter in two points: text after the array, and
 * `null` for an alert (on which Alertmanager breaks the connection), refuse the body.
 */

/** A body that is refused as a whole. `answer_code` is the code in the answer's JSON, `status` that of HTTP. */
export class RefusedBody extends Error {
  override name = 'RefusedBody'
  readonly code: string
  readonly status: number
  readonly answer_code: number
  constructor(code: string, answer_code: number, message: string) {
    super(message)
    this.code = code
    this.answer_code = answer_code
    this.status = answer_code >= 600 ? 422 : answer_code
  }
}

export interface DecodeContext {
  /** Decides only whether an alert without an end that starts in the future is sound. */
  readonly resolve_timeout_ms: number
  /** One alert that is not in an array is taken too (values of Kafka messages). */
  readonly lone_alert: boolean
}

interface Fields {
  readonly labels: Labels | null
  readonly annotations: Labels
  readonly generator_url: string
  readonly starts_at: Instant | null
  readonly ends_at: Instant | null
}

function unparsable(code: string, because: string): RefusedBody {
  return new RefusedBody(code, 400, `parsing alerts body from "" failed, because ${because}`)
}

/** JSON's types by Go's names. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function wrongType(value: unknown, where: string, wanted: string): RefusedBody {
  return unparsable('json-type', `json: cannot unmarshal ${kindOf(value)} into Go ${where} of type ${wanted}`)
}

/** Names with texts; null counts as the empty text, and empty values are left out where `drop_empty` says so. */
function readMap(value: unknown, field: string, drop_empty: boolean): Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(value, `struct field ${field}`, 'models.LabelSet')
  const map = value as Readonly<Record<string, unknown>>
  let clean = true
  for (const name of Object.keys(map)) {
    const text = map[name]
    if (text === null || text === '') clean = false
    else if (typeof text !== 'string') throw wrongType(text, `struct field ${field}`, 'string')
  }
  if (clean) return map as Labels
  const entries = Object.entries(map).map(([name, text]) => [name, text ?? ''] as [string, string])
  return Object.fromEntries(drop_empty ? entries.filter(([, text]) => text !== '') : entries)
}

function readText(value: unknown, field: string): string {
  if (value === null) return ''
  if (typeof value !== 'string') throw wrongType(value, `struct field ${field}`, 'string')
  return value
}

/** null when the time was not given (left out, null, or Go's zero time). */
function readTime(value: unknown, field: string): Instant | null {
  if (value === null) return null
  const text = readText(value, field)
  const at = parseDateTime(text)
  if (at === null) throw unparsable('time-syntax', dateTimeProblem(text))
  return isZeroTime(at) ? null : at
}

const FIELDS = ['annotations', 'endsAt', 'startsAt', 'generatorURL', 'labels'] as const
type Field = (typeof FIELDS)[number]
const FIELD_BY_NAME = new Map<string, Field>(
  FIELDS.flatMap((field) => [
    [field, field],
    [field.toLowerCase(), field],
  ]),
)

/** Like Go's decoder, which takes the names of fields in any case. */
function fieldOf(key: string): Field | undefined {
  return FIELD_BY_NAME.get(key) ?? FIELD_BY_NAME.get(key.toLowerCase())
}

type MutableFields = { -readonly [Key in keyof Fields]: Fields[Key] }

function readOwn(fields: MutableFields, field: Field | undefined, value: unknown): void {
  if (field === 'annotations')
    fields.annotations = value === null ? {} : readMap(value, '.annotations', false)
  else if (field === 'endsAt') fields.ends_at = readTime(value, '.endsAt')
  else if (field === 'startsAt') fields.starts_at = readTime(value, '.startsAt')
}

function readShared(fields: MutableFields, field: Field | undefined, value: unknown): void {
  if (field === 'labels') fields.labels = value === null ? null : readMap(value, 'Alert.labels', true)
  else if (field === 'generatorURL') fields.generator_url = readText(value, 'Alert.generatorURL')
}

/** The fields of one alert. The first fault in Alertmanager's order is told: its own fields, then those it shares with others. */
function readFields(value: object): Fields {
  const given = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(given)
  const fields: MutableFields = {
    labels: null,
    annotations: {},
    generator_url: '',
    starts_at: null,
    ends_at: null,
  }
  for (const key of keys) readOwn(fields, fieldOf(key), given[key])
  for (const key of keys) readShared(fields, fieldOf(key), given[key])
  return fields
}

function badName(map: Labels): string | null {
  for (const name of Object.keys(map)) if (!isLabelName(name)) return name
  return null
}

type Fault = Omit<RejectedAlert, 'ordinal' | 'payload'>

/** Times filled in and checks made in Alertmanager's order. */
function judge(
  fields: Fields,
  labels: Labels,
  ordinal: number,
  received_at_ms: number,
  context: DecodeContext,
): RawAlert | Fault {
  const now: Instant = { ms: received_at_ms, ns: 0 }
  const starts_at = fields.starts_at ?? fields.ends_at ?? now
  const ends_at = fields.ends_at ?? { ms: received_at_ms + context.resolve_timeout_ms, ns: 0 }
  if (isBefore(ends_at, starts_at))
    return { code: 'time-order', reason: 'start time must be before end time' }
  const { annotations, generator_url } = fields
  if (Object.keys(labels).length === 0)
    return { code: 'labels-empty', reason: 'at least one label pair required' }
  const label = badName(labels)
  if (label !== null)
    return { code: 'label-name', reason: `invalid label set: invalid name ${goQuote(label)}` }
  const annotation = badName(annotations)
  if (annotation !== null)
    return { code: 'annotation-name', reason: `invalid annotations: invalid name ${goQuote(annotation)}` }
  return {
    ordinal,
    labels,
    annotations,
    generator_url,
    starts_at_ms: starts_at.ms,
    ...(fields.starts_at === null ? { start_assumed: true as const } : {}),
    ends_at_ms: fields.ends_at?.ms ?? null,
  }
}

/** Text as JSON; half surrogate pairs, which UTF-8 cannot carry, become U+FFFD as everywhere in Go. Throws RefusedBody. */
export function parseText(text: string): unknown {
  if (/^[ \t\r\n]*$/.test(text)) throw new RefusedBody('empty', 602, 'alerts in body is required')
  try {
    const wellFormed = (_key: string, value: unknown): unknown => {
      if (typeof value === 'string') return value.toWellFormed()
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
      return Object.fromEntries(
        Object.entries(value).map(([name, content]) => [name.toWellFormed(), content as unknown]),
      )
    }
    return /\\u[dD][89a-fA-F]/.test(text) ? JSON.parse(text, wellFormed) : JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw unparsable('json-syntax', error.message)
    throw error
  }
}

function listOf(parsed: unknown, context: DecodeContext): readonly unknown[] {
  if (Array.isArray(parsed)) {
    if (parsed.length <= LIMITS.alerts_per_request) return parsed
    const message = `${parsed.length} alerts in one request are more than ${LIMITS.alerts_per_request}; send them in smaller batches`
    throw new RefusedBody('too-many-alerts', 413, message)
  }
  if (parsed === null) return []
  if (context.lone_alert && typeof parsed === 'object') return [parsed]
  throw wrongType(parsed, 'value', 'models.PostableAlerts')
}

/** Faults of form that refuse the body, told after all faults of type. */
function formFault(fields: Fields, ordinal: number): RefusedBody | null {
  const url = fields.generator_url
  if (url !== '' && !isRequestUri(url)) {
    return new RefusedBody(
      'generator-url',
      601,
      `${ordinal}.generatorURL in body must be of type uri: ${goQuote(url)}`,
    )
  }
  return fields.labels === null
    ? new RefusedBody('labels-missing', 602, `${ordinal}.labels in body is required`)
    : null
}

/**
 * The alerts of one body, and those of them that are refused. `received_at_ms` stands for a start that was not given.
 * Throws RefusedBody when the body as a whole is refused.
 */
export function decodeAlerts(body: Buffer, received_at_ms: number, context: DecodeContext): DecodedAlerts {
  const list = listOf(parseText(body.toString('utf8')), context)
  return decodeValues(
    list.map((value, ordinal) => ({ ordinal, value })),
    received_at_ms,
    context,
  )
}

/** The alert as text. What nobody reads may be nested so deeply that the stack does not hold it. */
function textOf(value: object): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return '(nested too deeply to be shown)'
  }
}

/** One alert of a body, as JSON. */
export interface AlertValue {
  readonly ordinal: number
  readonly value: unknown
  readonly mark?: Mark | null
}

/** Like `decodeAlerts`, for values that were parsed; they need not be all of the body. */
export function decodeValues(
  list: readonly AlertValue[],
  received_at_ms: number,
  context: DecodeContext,
): DecodedAlerts {
  const alerts: RawAlert[] = []
  const rejects: RejectedAlert[] = []
  let refused: RefusedBody | null = null
  for (const { ordinal, value, mark } of list) {
    if (value === null) {
      refused ??= new RefusedBody('alert-null', 602, `${ordinal} in body is required`)
      continue
    }
    if (typeof value !== 'object' || Array.isArray(value))
      throw wrongType(value, 'value', 'models.PostableAlert')
    const fields = readFields(value)
    refused ??= formFault(fields, ordinal)
    if (fields.labels === null) continue
    const judged = judge(fields, fields.labels, ordinal, received_at_ms, context)
    if ('reason' in judged) rejects.push({ ordinal, ...judged, payload: textOf(value) })
    else alerts.push(mark === undefined ? judged : { ...judged, mark })
  }
  if (refused !== null) throw refused
  return { alerts, rejects }
}
