import type { Labels } from '../../schemas/alert.ts'
import { digestOf } from '../../schemas/ids.ts'
import {
  annotationsOf,
  cut,
  type Fields,
  firing,
  HEARD,
  labelsOf,
  linkOf,
  over,
  textOf,
  timeOf,
} from './fields.ts'
import {
  decoder,
  type FormatSettings,
  parseJson,
  shownBody,
  type SourceMessage,
  Unreadable,
} from './format.ts'
import type { DecodedAlerts } from './raw_alert.ts'

/**
 * PagerDuty's Events API v2. An event names its alert by routing key and dedup key, and these two alone are its identity, because a
 * `resolve` carries nothing else. The routing key is a secret: a digest stands for it in labels, and nothing in dead letters.
 */

const ACTIONS = ['trigger', 'acknowledge', 'resolve'] as const
const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const
const DEDUP_KEY_CHARS = 255
const SUMMARY_CHARS = 1_024

/** The event breaks the rules of the API; each problem in its words. */
export class InvalidEvent extends Unreadable {
  override name = 'InvalidEvent'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super('event-invalid', problems.join('; '))
    this.problems = problems
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isBlank = (value: unknown): boolean => typeof value !== 'string' || value.trim() === ''
const missing = (name: string, value: unknown): string[] =>
  isBlank(value) ? [`'${name}' is missing or blank`] : []

function oneOf(name: string, value: unknown, words: readonly string[]): string[] {
  if (words.includes(value as string)) return []
  const quoted = words.map((word) => `'${word}'`)
  return [`'${name}' is invalid (must be one of the following: ${quoted.join(', ')})`]
}

function payloadProblems(payload: unknown): string[] {
  if (!isFields(payload)) return ["'payload' is missing or blank"]
  return [
    ...missing('payload.summary', payload['summary']),
    ...missing('payload.source', payload['source']),
    ...oneOf('payload.severity', payload['severity'], SEVERITIES),
  ]
}

function problemsOf(event: Fields): string[] {
  const { routing_key, event_action, dedup_key, payload } = event
  const has_key = dedup_key !== undefined && dedup_key !== null && dedup_key !== ''
  return [
    ...missing('routing_key', routing_key),
    ...oneOf('event_action', event_action, ACTIONS),
    ...(has_key || event_action === 'trigger' ? [] : missing('dedup_key', dedup_key)),
    ...(has_key && typeof dedup_key !== 'string' ? ["'dedup_key' is not a string"] : []),
    ...(typeof dedup_key === 'string' && dedup_key.length > DEDUP_KEY_CHARS
      ? [`'dedup_key' is too long (maximum is ${DEDUP_KEY_CHARS} characters)`]
      : []),
    ...(event_action === 'trigger' ? payloadProblems(payload) : []),
  ]
}

/** An event of which the form is right. */
export interface Event {
  readonly action: (typeof ACTIONS)[number]
  readonly routing_key: string
  /** Made up from the event and its time where a trigger brings none. */
  readonly dedup_key: string
  readonly fields: Fields
}

function parseEvent(body: Buffer): Fields {
  const value = parseJson(body)
  if (!isFields(value)) throw new InvalidEvent(['the event is not an object'])
  return value
}

/** Throws Unreadable. */
export function readEvent({ body, at_ms }: SourceMessage): Event {
  const fields = parseEvent(body)
  const problems = problemsOf(fields)
  if (problems.length > 0) throw new InvalidEvent(problems)
  const { routing_key, dedup_key, event_action } = fields
  return {
    action: event_action as Event['action'],
    routing_key: textOf(routing_key),
    dedup_key: textOf(dedup_key) || digestOf(`pagerduty event at ${at_ms}`, body),
    fields,
  }
}

function identityOf(routing_key: string, dedup_key: string): Labels {
  return { pagerduty_key: digestOf('pagerduty routing key', routing_key).slice(0, 16), dedup_key }
}

/** A time that cannot be read must not cost the page. */
function startOf(payload: Fields): number | null {
  try {
    return timeOf(payload['timestamp'], 'payload.timestamp')
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return null
  }
}

function linesOf(links: unknown): string {
  if (!Array.isArray(links)) return ''
  return links.flatMap((link: unknown) => (isFields(link) ? [lineOf(link)] : [])).join('\n')
}

function lineOf(link: Fields): string {
  const text = textOf(link['text'] ?? link['alt'])
  return [text, linkOf(link['href'] ?? link['src'])].filter((part) => part !== '').join(': ')
}

function annotationsOfEvent(fields: Fields, payload: Fields): Labels {
  return annotationsOf({
    summary: cut(textOf(payload['summary']), SUMMARY_CHARS),
    custom_details: payload['custom_details'],
    links: linesOf(fields['links']),
    images: linesOf(fields['images']),
    client: fields['client'],
  })
}

function labelsOfPayload(payload: Fields): Readonly<Record<string, unknown>> {
  const { summary, source, severity, component, group, class: kind } = payload
  const name = isBlank(kind) ? cut(textOf(summary), SUMMARY_CHARS) : kind
  return { alertname: name, severity, instance: source, component, group, class: kind }
}

/** What an event that is right gives. */
export function alertsOf(
  { action, routing_key, dedup_key, fields }: Event,
  { at_ms }: SourceMessage,
  { expire_after_ms }: FormatSettings,
): DecodedAlerts {
  const identity = identityOf(routing_key, dedup_key)
  const times = { at_ms, expire_after_ms }
  if (action === 'acknowledge')
    return { alerts: [], rejects: [], acknowledgements: [{ ordinal: 0, identity, by: 'pagerduty' }] }
  const payload = isFields(fields['payload']) ? fields['payload'] : {}
  const labels = action === 'trigger' ? labelsOf({ ...labelsOfPayload(payload), ...identity }) : identity
  const annotations = action === 'trigger' ? annotationsOfEvent(fields, payload) : {}
  const generator_url = linkOf(fields['client_url'])
  // The time of an event is its own: one that is sent again has another.
  const when =
    action === 'trigger' ? { ...firing(startOf(payload), times), ...HEARD } : over(null, null, times)
  return { alerts: [{ ordinal: 0, labels, identity, annotations, generator_url, ...when }], rejects: [] }
}

/** Takes routing keys out of a body, which may be no JSON at all. */
function withoutKey(body: Buffer): string {
  return shownBody(body).replaceAll(/("routing_key"\s*:\s*)"[^"]*"?/g, '$1"(left out)"')
}

export const pagerduty = decoder(
  (message, settings) => alertsOf(readEvent(message), message, settings),
  withoutKey,
)

/** A change event: something was done, nothing is wrong. An alert of severity info that is over by itself. Throws Unreadable. */
export function readChange(message: SourceMessage): {
  readonly routing_key: string
  readonly decoded: DecodedAlerts
} {
  const fields = parseEvent(message.body)
  const { routing_key, payload } = fields
  const problems = isFields(payload)
    ? missing('payload.summary', payload['summary'])
    : ["'payload' is missing or blank"]
  const all = [...missing('routing_key', routing_key), ...problems]
  if (all.length > 0 || !isFields(payload)) throw new InvalidEvent(all)
  const key = textOf(routing_key)
  const { pagerduty_key } = identityOf(key, '')
  const alert = {
    ordinal: 0,
    labels: labelsOf({
      ...labelsOfPayload({ summary: payload['summary'], source: payload['source'], severity: 'info' }),
      pagerduty_key,
      event: 'change',
    }),
    annotations: annotationsOfEvent(fields, payload),
    generator_url: '',
    starts_at_ms: Math.min(startOf(payload) ?? message.at_ms, message.at_ms),
    ends_at_ms: null,
  }
  return { routing_key: key, decoded: { alerts: [alert], rejects: [] } }
}

/** The rejects of a body that is no event. */
export function rejectedEvent(body: Buffer, error: Unreadable): DecodedAlerts {
  const { code, message } = error
  return { alerts: [], rejects: [{ ordinal: 0, code, reason: message, payload: withoutKey(body) }] }
}
