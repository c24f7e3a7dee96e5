import { z } from 'zod'
import { groupingRule } from './grouping.ts'
import { heartbeat } from './heartbeat.ts'
import { learnedRules, NOTHING_LEARNED } from './learned.ts'
import { LIMITS } from './limits.ts'
import { maintenanceWindow } from './maintenance.ts'
import { matcher } from './matcher.ts'

const duration_ms = z
  .number()
  .int()
  .min(0)
  .max(90 * 86_400_000)

const weight = z.number().min(0).max(1)

/** How alerts that no grouping rule matches find their incident: by evidence (correlate/match/evidence.ts). */
export const evidenceRules = z.object({
  /** Evidence from 0 to 1 with which an alert joins. */
  join_at: weight,
  /** An incident of a quiet scope takes alerts for at most this long after its last one; of a busy scope, for less. */
  quiet_ms: duration_ms,
  /** An alert about an entity that has alerts in an incident joins it for this long, even when that took no alert of late. */
  same_entity_ms: duration_ms,
  /** What each kind of evidence is worth alone; 0 leaves it out. */
  weights: z.object({
    entity: weight,
    related: weight,
    kind: weight,
    time: weight,
  }),
})
export type EvidenceRules = z.infer<typeof evidenceRules>

export const DEFAULT_EVIDENCE: EvidenceRules = {
  join_at: 0.5,
  quiet_ms: 180_000,
  same_entity_ms: 600_000,
  weights: { entity: 0.9, related: 0.6, kind: 0.6, time: 0.6 },
}

/**
 * While an alert that matches `source` fires, those of its scope that match `target` and agree with it in the labels of
 * `equal` are suppressed (Alertmanager's inhibition). An absent label is the empty string. With `behind` only those whose entity
 * depends on that of the source by the declared topology.
 */
export const suppressionRule = z.object({
  name: z.string().min(1).max(LIMITS.source_chars),
  source: z.array(matcher).min(1).max(LIMITS.matchers_per_silence),
  target: z.array(matcher).min(1).max(LIMITS.matchers_per_silence),
  equal: z.array(z.string().min(1).max(LIMITS.label_name_chars)).max(LIMITS.group_by_labels),
  behind: z.literal(true).optional(),
})
export type SuppressionRule = z.infer<typeof suppressionRule>

const percent = z.number().int().min(1).max(100)

/** When an alert that turns often is held to flap: Icinga's weighted history of its last twenty states. */
export const flapping = z.object({
  /** A state is taken at every turn, and in between once in this time; 0: nothing flaps. */
  interval_ms: duration_ms,
  /** It begins above this weighted share of changes … */
  start_percent: percent,
  /** … and ends at or below this one. */
  end_percent: percent,
})

/** How long an alert of a severity waits before it opens an incident or joins one. Critical ones never wait. */
export const hold_ms = z.object({
  high: duration_ms,
  medium: duration_ms,
  low: duration_ms,
  info: duration_ms,
})

/** The rules in force: a record of the log, pinned by version in every decision. The first grouping rule that matches decides; without one, evidence does. */
export const rules = z.object({
  /** 16 hex digits of SHA-256 over the rules. */
  version: z.string().min(1).max(LIMITS.id_chars),
  grouping: z.array(groupingRule).max(LIMITS.grouping_rules),
  evidence: evidenceRules.default(DEFAULT_EVIDENCE),
  learned: learnedRules.default(NOTHING_LEARNED),
  /** An alert without an end is held to have resolved when it was not repeated for this long. */
  resolve_timeout_ms: duration_ms,
  /** An alert that fires again this soon after its incident resolved reopens it. */
  reopen_within_ms: duration_ms,
  /** Growth of one incident is told at most this often; opening and rising severity are told at once. */
  growth_interval_ms: duration_ms,
  /** A resolved incident leaves the live view after this long (its history stays). */
  retain_resolved_ms: duration_ms,
  maintenance: z.array(maintenanceWindow).max(LIMITS.maintenance_windows_per_partition).default([]),
  suppression: z.array(suppressionRule).max(LIMITS.suppression_rules).default([]),
  heartbeats: z.array(heartbeat).max(LIMITS.heartbeats).default([]),
  flapping: flapping.default(() => DEFAULT_RULES.flapping),
  hold_ms: hold_ms.default(() => DEFAULT_RULES.hold_ms),
  /** An alert is shelved for at most this long at a time. */
  shelve_max_ms: duration_ms.default(() => DEFAULT_RULES.shelve_max_ms),
})
export type Rules = z.infer<typeof rules>

/** What holds in a partition before any rules were appended to it; the defaults of the configuration. */
export const DEFAULT_RULES: Rules = {
  version: 'default',
  grouping: [],
  evidence: DEFAULT_EVIDENCE,
  learned: NOTHING_LEARNED,
  resolve_timeout_ms: 300_000,
  reopen_within_ms: 600_000,
  growth_interval_ms: 1_000,
  retain_resolved_ms: 86_400_000,
  maintenance: [],
  suppression: [],
  heartbeats: [],
  flapping: { interval_ms: 60_000, start_percent: 30, end_percent: 25 },
  hold_ms: { high: 0, medium: 0, low: 0, info: 0 },
  shelve_max_ms: 86_400_000,
}
