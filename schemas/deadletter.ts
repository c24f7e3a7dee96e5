import { z } from 'zod'
import { deadLetterId } from './ids.ts'
import { LIMITS } from './limits.ts'

/** What could not be read, why, and where it came from. */
export const deadLetter = z.object({
  /** Derived from origin, code and payload, so that a repeated reading gives the same letter. */
  id: z.string(),
  at_ms: z.number().int().min(0),
  source: z.string(),
  /** e.g. `kafka:plant-alerts/3@1207#4` or `http:POST /api/v2/alerts#17`. */
  origin: z.string(),
  /** A code, e.g. `json-syntax`, `label-name`, `too-large`. */
  code: z.string(),
  reason: z.string(),
  /** The payload as text, cut to the bound of limits.ts. */
  payload: z.string(),
  truncated: z.boolean(),
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
