import { z } from 'zod'
import { fingerprint, timeMs } from './alert.ts'
import { changeEvent } from './change_event.ts'
import { LIMITS } from './limits.ts'
import { onceWindow } from './maintenance.ts'
import { matcher } from './matcher.ts'

const id = z.string().min(1).max(LIMITS.id_chars)
const comment = z.string().max(LIMITS.comment_chars)

export const silence = z.object({
  id,
  matchers: z.array(matcher).min(1).max(LIMITS.matchers_per_silence),
  starts_at_ms: timeMs,
  ends_at_ms: timeMs,
  created_by: z.string().max(LIMITS.label_value_chars),
  comment,
  updated_at_ms: timeMs,
})
export type Silence = z.infer<typeof silence>

export const ticket = z.object({
  sink: z.string().min(1).max(LIMITS.source_chars),
  external_id: z.string().min(1).max(LIMITS.label_value_chars),
  url: z.string().max(LIMITS.generator_url_chars),
})
export type Ticket = z.infer<typeof ticket>

const onIncident = { incident_id: id }
const moved = z.array(fingerprint).min(1).max(LIMITS.alerts_per_move)

/** What an operator or a ticket asks for. */
export const commandBody = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('acknowledge'), ...onIncident }),
  z.object({ kind: z.literal('mitigate'), ...onIncident, comment: comment.optional() }),
  z.object({ kind: z.literal('resolve'), ...onIncident, comment: comment.optional() }),
  z.object({ kind: z.literal('review'), ...onIncident, comment: comment.optional() }),
  z.object({ kind: z.literal('reopen'), ...onIncident, comment: comment.optional() }),
  z.object({
    kind: z.literal('assign'),
    ...onIncident,
    assignee: z.string().max(LIMITS.label_value_chars).nullable(),
  }),
  z.object({ kind: z.literal('comment'), ...onIncident, comment: comment.min(1) }),
  z.object({ kind: z.literal('merge'), ...onIncident, into: id }),
  z.object({ kind: z.literal('move'), ...onIncident, fingerprints: moved, into: id }),
  z.object({ kind: z.literal('split'), ...onIncident, fingerprints: moved }),
  z.object({ kind: z.literal('link-ticket'), ...onIncident, ticket }),
  z.object({
    kind: z.literal('shelve'),
    ...onIncident,
    /** Only this alert of the incident; left out: all that fire. */
    fingerprint: fingerprint.optional(),
    until_ms: timeMs,
    comment,
  }),
  z.object({ kind: z.literal('unshelve'), ...onIncident, fingerprint: fingerprint.optional() }),
  z.object({ kind: z.literal('silence'), silence }),
  z.object({ kind: z.literal('expire-silence'), silence_id: id }),
  z.object({ kind: z.literal('maintenance'), window: onceWindow }),
  z.object({ kind: z.literal('end-maintenance'), name: onceWindow.shape.name }),
  z.object({ kind: z.literal('change-event'), change: changeEvent }),
])
export type CommandBody = z.infer<typeof commandBody>

/** `id` is the idempotency key: a fold ignores a command that it has had. */
export const command = z.object({ id, actor: z.string().min(1).max(LIMITS.source_chars), body: commandBody })
export type Command = z.infer<typeof command>
