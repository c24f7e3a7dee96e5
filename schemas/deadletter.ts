import { z } from 'zod'

/** What could not be read, why, and where it came from. */
export const deadLetter = z.object({
  /** Derived from origin and place, or from the content when the source has no positions. */
  id: z.string(),
  at_ms: z.number().int(),
  source: z.string(),
  /** e.g. `kafka:plant-alerts/3@1207#4` or `http:POST /api/v2/alerts#17`. */
  origin: z.string(),
  /** A code from ingest/reject.ts, e.g. `json-syntax`, `label-name`, `too-large`. */
  code: z.string(),
  reason: z.string(),
  /** The payload, cut to the bound of limits.ts. */
  payload: z.string(),
  truncated: z.boolean(),
})
export type DeadLetter = z.infer<typeof deadLetter>
