import { z } from 'zod'
import { timeMs } from './alert.ts'
import { incident, member, reason } from './incident.ts'

const CHANGE_KINDS = [
  'opened',
  'grown',
  'updated',
  'severity-changed',
  'acknowledged',
  'mitigated',
  'resolved',
  'reviewed',
  'reopened',
  'assigned',
  'commented',
  'merged',
  'ticket-linked',
  'suppressed',
  'unsuppressed',
  'shelved',
  'unshelved',
  'flapping-started',
  'flapping-ended',
  'command-refused',
] as const
export const changeKind = z.enum(CHANGE_KINDS)
export type ChangeKind = z.infer<typeof changeKind>

/** Memberships that began (`joined`) or whose alert stopped (`ended`) since the change before. */
const memberships = z.object({ joined: z.array(member), ended: z.array(member) })

/**
 * An incident event that leaves the correlator. `id` is the incident's id and the revision, so equal ids carry equal
 * content for ever; consumers ignore a revision that they have seen.
 */
export const change = z.object({
  id: z.string(),
  incident_id: z.string(),
  revision: z.number().int().min(1),
  kind: changeKind,
  at_ms: timeMs,
  actor: z.string(),
  /** The command that caused it, if one did. */
  command_id: z.string().nullable(),
  reason,
  memberships,
  incident,
})
export type Change = z.infer<typeof change>
