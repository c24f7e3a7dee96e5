import {
  annotationsOf,
  type Fields,
  fieldsOf,
  firing,
  HEARD,
  labelsOf,
  linkOf,
  over,
  textOf,
} from './fields.ts'
import {
  type Decode,
  decoder,
  DROPPED,
  eachOf,
  type FormatSettings,
  type FoundAlert,
  jsonLines,
  parseJson,
  type SourceMessage,
  Unreadable,
} from './format.ts'
import type { Acknowledgement } from './raw_alert.ts'

/** What one message of a vendor says of one alert. Values that are empty or missing are left out of maps. */
export interface Statement {
  /** What every message about the alert carries: its fingerprint, and labels as well. */
  readonly identity: Fields
  readonly labels: Fields
  readonly annotations: Fields
  readonly link?: unknown
  readonly is_over: boolean
  readonly started_ms: number | null
  /** `started_ms` is the time of the message, not of the beginning. */
  readonly started_is_heard?: true
  readonly ended_ms?: number | null
}

/** Throws Unreadable `identity-missing` when nothing names the alert. */
export function foundAlert(
  statement: Statement,
  { at_ms }: Pick<SourceMessage, 'at_ms'>,
  { expire_after_ms }: FormatSettings,
): FoundAlert {
  const identity = labelsOf(statement.identity)
  if (Object.keys(identity).length === 0)
    throw new Unreadable(
      'identity-missing',
      `nothing names the alert: ${Object.keys(statement.identity).join(', ')}`,
    )
  const { started_ms, ended_ms = null } = statement
  return {
    labels: { ...labelsOf(statement.labels), ...identity },
    identity,
    annotations: annotationsOf(statement.annotations),
    generator_url: linkOf(statement.link),
    ...(statement.is_over
      ? over(started_ms, ended_ms, { at_ms })
      : { ...firing(started_ms, { at_ms, expire_after_ms }), ...(statement.started_is_heard ? HEARD : {}) }),
  }
}

/** Somebody works on the alert of this identity. */
export interface Acknowledged {
  readonly acknowledged: Fields
  readonly by: unknown
}

/** A decoder of messages that each hold one JSON object about one alert, or several such objects, one a line. */
export function oneStatement(
  read: (body: Fields, message: SourceMessage) => Statement | Acknowledged | typeof DROPPED,
): Decode {
  return decoder((message, settings) => {
    const lines = jsonLines(message.body)
    const only = lines.length === 1 ? fieldsOf(parseJson(message.body), 'the body') : null
    const acknowledgements: Acknowledgement[] = []
    const decoded = eachOf(
      [...lines.entries()],
      ([, line]) => (only ? JSON.stringify(only) : line.toString()),
      ([ordinal, line]) => {
        const statement = read(only ?? fieldsOf(parseJson(line), 'the line'), message)
        if (statement === DROPPED) return DROPPED
        if (!('acknowledged' in statement)) return foundAlert(statement, message, settings)
        const { acknowledged, by } = statement
        acknowledgements.push({ ordinal, identity: labelsOf(acknowledged), by: textOf(by) || 'the sender' })
        return DROPPED
      },
    )
    if (acknowledgements.length === 0) return decoded
    const { dropped = 0, ...rest } = decoded
    return { ...rest, dropped: dropped - acknowledgements.length, acknowledgements }
  })
}

/** A word in lower case, without what surrounds it; the empty text when there is none. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : ''
}
