import { z } from 'zod'
import { labels, timeMs } from './alert.ts'
import { LIMITS } from './limits.ts'

/** One reading of a sensor or metric series; the identity of a series is its scope and labels. */
export const sample = z.object({
  scope: z.string().min(1).max(LIMITS.scope_chars),
  series: labels,
  at_ms: timeMs,
  value: z.number(),
  /** Whether the source vouches for the value. */
  quality: z.enum(['good', 'uncertain', 'bad', 'stale']),
})
