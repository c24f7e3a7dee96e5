import { z } from 'zod'
import { deadLetterId } from './ids.ts'
import { LIMITS } from './limits.ts'

const count = z.number().int().min(0)

/** A message as it was received, so that it can be read again when its source is mended. */
const keptMessage = z.object({
  /** Left out where it is the payload of the letter. */
  body: z.string().optional(),
  encoding: z.enum(['utf8', 'base64']),
  /** Those that may be kept; names in lower case. */
  headers: z.record(z.string(), z.string()),
  at_ms: count,
  topic: z.string().optional(),
  token: z.string().optional(),
  /** Which of its items were rejected; null: the message as a whole. */
  ordinals: z.array(count).nullable(),
})
export type KeptMessage = z.infer<typeof keptMessage>

/** What could not be read, why, and where it came from. */
export const deadLetter = z.object({
  /** Derived from origin, code and payload, so that a repeated reading gives the same letter. */
  id: z.string(),
  at_ms: count,
  source: z.string(),
  /** e.g. `kafka:plant-alerts/3@1207#4` or `http:POST /api/v2/alerts#17`. */
  origin: z.string(),
  /** A code, e.g. `json-syntax`, `label-name`, `too-large`. */
  code: z.string(),
  reason: z.string(),
  /** The payload as text, cut to the bound of limits.ts. */
  payload: z.string(),
  truncated: z.boolean(),
  /** Which item of its message it is. */
  ordinal: count.optional(),
  /** The message, with the first of its letters. */
  message: keptMessage.optional(),
  /** The letter that has the message. Neither: it was not kept, because it is too large or holds a secret. */
  message_in: z.string().optional(),
})
export type DeadLetter = z.infer<typeof deadLetter>

/** A dead letter with its derived id and its payload cut to the bound. */
export function deadLetterOf(
  found: Omit<DeadLetter, 'id' | 'payload' | 'truncated'> & { readonly payload: Buffer },
): DeadLetter {
  const { payload, ...rest } = found
  const bound = LIMITS.dead_letter_payload_bytes
  const id = deadLetterId(found.source, found.origin, found.code, payload)
  return { id, ...rest, payload: payload.subarray(0, bound).toString(), truncated: payload.length > bound }
}

/** Stands in the log of dead letters behind those that were read again and taken. */
export const retried = z.object({
  /** The letter that has the message. */
  retried: z.string(),
  /** Which of its items were taken; null: the message as a whole. */
  ordinals: z.array(count).nullable(),
  at_ms: count,
  actor: z.string(),
})
export type Retried = z.infer<typeof retried>
