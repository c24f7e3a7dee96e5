import { z } from 'zod'
import { labels, severity } from './alert.ts'
import { LIMITS } from './limits.ts'
import { matcher } from './matcher.ts'

const duration_ms = z
  .number()
  .int()
  .min(1_000)
  .max(7 * 86_400_000)

/**
 * What is told periodically (a dead man's switch): an alert of `source` (null: of any) that matches is no alert but a sign of life. Each of
 * them is expected from when it was first heard; when none came for `every_ms` and `grace_ms` more, an alert about that begins.
 */
export const heartbeat = z.object({
  name: z.string().min(1).max(LIMITS.source_chars),
  source: z.string().min(1).max(LIMITS.source_chars).nullable(),
  match: z.array(matcher).max(LIMITS.matchers_per_silence),
  every_ms: duration_ms,
  grace_ms: duration_ms,
  severity,
  /** Given to the alert that is raised. */
  labels,
})
export type Heartbeat = z.infer<typeof heartbeat>

/** The label of an alert that is raised, and of a sign of life from a whole source: which heartbeat it is. */
export const HEARTBEAT_LABEL = 'heartbeat'

/** What the alert about a lost one says. */
export function lostSummary({ name, every_ms }: Heartbeat, heard_at_ms: number): string {
  const since = new Date(heard_at_ms).toISOString()
  return `Nothing was heard of ${name} since ${since}; it should be heard every ${every_ms / 1_000} s.`
}
