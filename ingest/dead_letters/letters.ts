import { type DeadLetter, deadLetterOf, type KeptMessage } from '../../schemas/deadletter.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Batch, DecodedMessage } from '../batch.ts'
import type { SourceMessage } from '../sources/format.ts'
import type { RejectedAlert } from '../sources/raw_alert.ts'

/** A message that may be kept for being read again, when something of it is rejected. */
export interface Received extends SourceMessage {
  /** Headers that carry a secret, names in lower case. */
  readonly secret_headers?: readonly string[]
  /** Each item is a message of its own as well, so that the rejected ones are kept and not all of them. */
  readonly items_stand_alone?: true
}

/** What is in these is nobody's business, or proves who sent it. */
const SECRET = /auth|cookie|token|secret|key|signature|password/
const HEADER_CHARS = 1_024
const HEADERS_MAX = 64

function keptHeaders({ headers, secret_headers = [] }: Received): Readonly<Record<string, string>> {
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      !SECRET.test(name) && !secret_headers.includes(name) && name.length + value.length <= HEADER_CHARS,
  )
  return Object.fromEntries(kept.slice(0, HEADERS_MAX))
}

/** Null when it is too large. */
function keptMessage(
  received: Received,
  ordinals: KeptMessage['ordinals'],
  payload: string,
): KeptMessage | null {
  const { body, at_ms, topic, token } = received
  if (body.length > LIMITS.dead_letter_message_bytes) return null
  const text = body.toString()
  const is_text = Buffer.from(text).equals(body)
  return {
    ...(!is_text || text !== payload ? { body: is_text ? text : body.toString('base64') } : {}),
    encoding: is_text ? 'utf8' : 'base64',
    headers: keptHeaders(received),
    at_ms,
    ...(topic !== undefined && { topic }),
    ...(token !== undefined && token !== '' && { token }),
    ordinals,
  }
}

/** Nothing of the message was read, not even how many items it has. */
function isWhole(
  { alerts, dropped = 0, repeats }: DecodedMessage['decoded'],
  rejects: readonly RejectedAlert[],
) {
  return (
    alerts.length === 0 &&
    dropped === 0 &&
    (repeats?.size ?? 0) === 0 &&
    rejects.length === 1 &&
    rejects[0]?.ordinal === 0
  )
}

/** Escapes make text longer than it was. */
const fits = (letter: DeadLetter): boolean =>
  Buffer.byteLength(JSON.stringify(letter)) <= LIMITS.dead_letter_bytes

/** The dead letters of one message, whose rejects ascend. The first has the message itself. */
export function lettersOf(
  batch: Pick<Batch, 'source' | 'received_at_ms' | 'locate'>,
  message: DecodedMessage,
  rejects: readonly RejectedAlert[],
): DeadLetter[] {
  const { source, received_at_ms: at_ms, locate } = batch
  const letters = rejects.map(({ ordinal, code, reason, payload }) =>
    deadLetterOf({
      at_ms,
      source,
      origin: locate(message.offset, ordinal),
      code,
      reason,
      payload: Buffer.from(payload),
      ordinal,
    }),
  )
  return message.received?.items_stand_alone && !isWhole(message.decoded, rejects)
    ? letters.map((letter, i) => standingAlone(letter, message.received?.at_ms ?? at_ms, rejects[i]))
    : withMessage(letters, message, rejects)
}

/** An item that its source reads without its message. */
function standingAlone(letter: DeadLetter, at_ms: number, reject: RejectedAlert | undefined): DeadLetter {
  if (letter.truncated || reject?.was_read) return letter
  return { ...letter, message: { encoding: 'utf8', headers: {}, at_ms, ordinals: null } }
}

function withMessage(
  letters: DeadLetter[],
  { decoded, received }: DecodedMessage,
  rejects: readonly RejectedAlert[],
): DeadLetter[] {
  const [first, ...others] = letters
  if (first === undefined || received === undefined) return letters
  const ordinals = isWhole(decoded, rejects) ? null : rejects.map(({ ordinal }) => ordinal)
  const message = keptMessage(received, ordinals, first.payload)
  if (message === null || !fits({ ...first, message })) return letters
  return [{ ...first, message }, ...others.map((letter) => ({ ...letter, message_in: first.id }))]
}

/** The message of a letter that has one. */
export function messageOf({ payload, message }: DeadLetter): SourceMessage | null {
  if (message === undefined) return null
  const { body = payload, encoding, ordinals: _ordinals, topic, token, ...rest } = message
  return {
    ...rest,
    body: Buffer.from(body, encoding),
    ...(topic !== undefined && { topic }),
    ...(token !== undefined && { token }),
  }
}
