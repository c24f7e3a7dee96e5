import { z } from 'zod'
import { fingerprint, labels, severity, timeMs } from './alert.ts'
import { ticket } from './command.ts'

export const INCIDENT_STATES = [
  'open',
  'acknowledged',
  'mitigated',
  'resolved',
  'reviewed',
  'merged',
] as const
export const incidentState = z.enum(INCIDENT_STATES)
export type IncidentState = z.infer<typeof incidentState>

/** Why a decision was taken: the rule and its version, and the sentence that an operator reads. */
export const reason = z.object({
  code: z.enum([
    'new-group',
    'same-group',
    'idle',
    'full',
    'fired-again',
    'alerts-resolved',
    'operator',
    'overflow',
    'silenced',
    'maintenance',
    'dependency',
    'flapping',
    'shelved',
    'rules',
    'timeout',
    'merged',
    'refused',
    'related',
    'unrelated',
    'same-entity',
    'new-burst',
    'moved',
    'merge-proposed',
    'storm',
    'in-time-frame',
    'frame-over',
    'any-of',
    'paired',
    'enough-came',
    'never-grouped',
    'kept-apart',
  ]),
  rule: z.string(),
  rules_version: z.string(),
  text: z.string(),
  /** What spoke for joining, strongest first. */
  evidence: z
    .array(
      z.object({
        kind: z.enum(['entity', 'related', 'pair', 'kind', 'time', 'operator']),
        /** From 0 to 1. */
        weight: z.number(),
        /** What it is about: an entity, a label value, an alertname. */
        about: z.string(),
      }),
    )
    .optional(),
  /** The incident that came second, with its evidence. */
  runner_up: z.object({ incident_id: z.string(), strength: z.number() }).optional(),
})
export type Reason = z.infer<typeof reason>

/** One alert's place in an incident. */
export const member = z.object({
  fingerprint,
  entity: z.string(),
  labels,
  severity,
  firing: z.boolean(),
  /** What mutes it: the id of a silence, `maintenance:` and the name of a window, `dependency:` and the name of a suppression rule, `shelf:` and who shelved it; sorted. */
  silenced_by: z.array(z.string()),
  /** It turns again and again, and counts as firing until it is steady; left out when it does not. */
  flapping: z.literal(true).optional(),
  starts_at_ms: timeMs,
  /** When it stopped; null while it fires. */
  ended_at_ms: timeMs.nullable(),
  joined_at_ms: timeMs,
  reason,
})
export type Member = z.infer<typeof member>

/** An entry of the incident's own diary: operators' actions and steps of its lifecycle, newest last, bounded. */
export const timelineEntry = z.object({
  at_ms: timeMs,
  kind: z.string(),
  actor: z.string(),
  text: z.string(),
  revision: z.number().int(),
})
export type TimelineEntry = z.infer<typeof timelineEntry>

/** The incident's full current summary, carried by every change. */
export const incident = z.object({
  id: z.string(),
  scope: z.string(),
  state: incidentState,
  severity,
  title: z.string(),
  /** The labels and values that its members agree in by rule. */
  group: labels,
  rule: z.string(),
  rules_version: z.string(),
  revision: z.number().int().min(1),
  /** Every member that fires is muted: shown, but no sink is bothered. */
  suppressed: z.boolean(),
  /** Start of the earliest member. */
  first_event_at_ms: timeMs,
  opened_at_ms: timeMs,
  /** First acknowledgement by a person; null when never. */
  acknowledged_at_ms: timeMs.nullable(),
  mitigated_at_ms: timeMs.nullable(),
  resolved_at_ms: timeMs.nullable(),
  reviewed_at_ms: timeMs.nullable(),
  updated_at_ms: timeMs,
  assignee: z.string().nullable(),
  merged_into: z.string().nullable(),
  reopened: z.number().int().min(0),
  members_total: z.number().int().min(0),
  members_firing: z.number().int().min(0),
  /** The likeliest causes, best first, once more than one entity alerts. */
  causes: z
    .array(z.object({ entity: z.string(), score: z.number(), reasons: z.array(z.string()).readonly() }))
    .readonly()
    .default([]),
  /** In an incident in which the alerts of a storm gather: how many of what. */
  storm: z
    .object({
      counters: z
        .array(
          z.object({
            kind: z.string(),
            /** The entity with `#` for its digits. */
            entity_class: z.string(),
            alerts: z.number().int(),
            /** Fingerprint of the first. */
            example: z.string(),
          }),
        )
        .readonly(),
      /** Alerts of further kinds. */
      others: z.number().int(),
    })
    .optional(),
  /** The first members by arrival; `members_total` counts all. */
  members: z.array(member),
  tickets: z.array(ticket),
  timeline: z.array(timelineEntry),
})
export type Incident = z.infer<typeof incident>
