import { z } from 'zod'
import { timeMs } from './alert.ts'
import { LIMITS } from './limits.ts'

/** Something that was done to an entity, and may be why it breaks: a deployment, a change of its configuration. */
export const changeEvent = z.object({
  /** Empty: it concerns all scopes. */
  scope: z.string().max(LIMITS.scope_chars),
  /** As alerts name it. */
  entity: z.string().min(1).max(LIMITS.label_value_chars),
  at_ms: timeMs,
  /** As operators read it: "checkout 2.14.0 deployed". */
  text: z.string().min(1).max(LIMITS.change_event_chars),
})
