import { LIMITS } from '../../schemas/limits.ts'
import type { DecodedAlerts, RawAlert, RejectedAlert } from './raw_alert.ts'

/** One message of a source: the body of a request, or the value of a Kafka message. */
export interface SourceMessage {
  readonly body: Buffer
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the request, or of the Kafka message: stands for a start that is not told. */
  readonly at_ms: number
  /** Where it came from, of a Kafka message. */
  readonly topic?: string
  /** Name of the token that it was sent with. */
  readonly token?: string
}

export interface FormatSettings {
  /** An alert whose end is told by a message of its own ends this long after it was last told if none comes. */
  readonly expire_after_ms: number
}

/** Reads a message. Total: what cannot be read is among the rejects. Depends on its arguments alone. */
export type Decode = (message: SourceMessage, settings: FormatSettings) => DecodedAlerts

/** Why a message, or one alert of it, cannot be read. Thrown inside of decoders only. */
export class Unreadable extends Error {
  override name = 'Unreadable'
  readonly code: string
  constructor(code: string, reason: string) {
    super(reason)
    this.code = code
  }
}

/** Deeper JSON is no alert, and would end the stack of whoever writes it again. */
const DEPTH_MAX = 64
const QUOTE = 0x22
const ESCAPE = 0x5c

function isTooDeep(body: Buffer): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (quoted) {
      if (byte === ESCAPE) i++
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEPTH_MAX) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}

/** Throws Unreadable. Invalid UTF-8 becomes U+FFFD. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new Unreadable('empty', 'the body is empty')
  if (isTooDeep(body))
    throw new Unreadable('json-depth', `the JSON is nested deeper than ${DEPTH_MAX} levels`)
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Unreadable('json-syntax', `the body is no JSON: ${error.message}`)
  }
}

/** The JSON objects of a message that holds several, one a line; else the message itself. */
export function jsonLines(body: Buffer): readonly Buffer[] {
  if (!body.includes(0x0a)) return [body]
  const lines = body
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.length > 1 && lines.every((line) => line.trim().startsWith('{'))
    ? lines.map((line) => Buffer.from(line))
    : [body]
}

/** What a decoder finds in one item; the ordinal is added. */
export type FoundAlert = Omit<RawAlert, 'ordinal'>

/** An item that is left out on purpose. */
export const DROPPED = Symbol('dropped')

/** Reads items one by one: a bad one is rejected, the others are taken. Throws Unreadable when there are too many. */
export function eachOf<Item>(
  items: readonly Item[],
  textOf: (item: Item) => string,
  read: (item: Item) => FoundAlert | typeof DROPPED,
): DecodedAlerts {
  if (items.length > LIMITS.alerts_per_request)
    throw new Unreadable(
      'too-many-alerts',
      `${items.length} alerts in one message are more than ${LIMITS.alerts_per_request}`,
    )
  const alerts: RawAlert[] = []
  const rejects: RejectedAlert[] = []
  let dropped = 0
  for (const [ordinal, item] of items.entries()) {
    try {
      const found = read(item)
      if (found === DROPPED) dropped++
      else alerts.push({ ordinal, ...found })
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      rejects.push({ ordinal, code: error.code, reason: error.message, payload: textOf(item) })
    }
  }
  return dropped === 0 ? { alerts, rejects } : { alerts, rejects, dropped }
}

/** A decoder of a function that may throw Unreadable, which refuses the message as a whole. */
export function decoder(
  read: (message: SourceMessage, settings: FormatSettings) => DecodedAlerts,
  payloadOf: (body: Buffer) => string = shownBody,
): Decode {
  return (message, settings) => {
    try {
      return read(message, settings)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      const payload = payloadOf(message.body)
      return { alerts: [], rejects: [{ ordinal: 0, code: error.code, reason: error.message, payload }] }
    }
  }
}

/** As much of it as dead letters keep, and a byte to tell that there was more. */
export function shownBody(body: Buffer): string {
  return body.subarray(0, LIMITS.dead_letter_payload_bytes + 1).toString()
}
