import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { matcher } from './matcher.ts'

const duration_ms = z
  .number()
  .int()
  .min(0)
  .max(90 * 86_400_000)
/** A window in which alerts are remembered one by one. */
const window_ms = z.number().int().min(1).max(86_400_000)

const name = z.string().min(1).max(LIMITS.source_chars)
const matchers = z.array(matcher).max(LIMITS.matchers_per_silence)
const label = z.string().min(1).max(LIMITS.label_name_chars)
const labels = z.array(label).max(LIMITS.group_by_labels)
/** An incident with this many members is full; the next alert opens another. */
const members_max = z.number().int().min(1).max(1_000_000)

/** No incident of the group is opened before this many distinct alerts came within the window. */
const openAfter = z.object({
  alerts: z.number().int().min(2).max(LIMITS.waiting_alerts_per_group),
  within_ms: window_ms,
})
export type OpenAfter = z.infer<typeof openAfter>

/** Alerts that match and agree in the labels of `group_by` belong together while the group is not idle nor full. */
export const groupByRule = z.object({
  /** Rules of older logs and rows have no kind. */
  kind: z.literal('group_by').optional(),
  name,
  match: matchers,
  group_by: labels,
  /** A group that took no new member for this long takes none any more. */
  idle_timeout_ms: duration_ms,
  members_max,
  open_after: openAfter.optional(),
})
export type GroupByRule = z.infer<typeof groupByRule>

/** Alerts that match belong together, whatever their labels, when they come this soon after the incident was opened. */
export const timeFrameRule = z.object({
  kind: z.literal('time_frame'),
  name,
  match: matchers,
  within_ms: duration_ms,
  members_max,
  open_after: openAfter.optional(),
})
export type TimeFrameRule = z.infer<typeof timeFrameRule>

/** An alert that matches joins an incident that has an alert which agrees in one of the labels; one with none of them goes on to the next rule. */
export const anyOfRule = z.object({
  kind: z.literal('any_of'),
  name,
  match: matchers,
  any_of: labels.min(1),
  idle_timeout_ms: duration_ms,
  members_max,
})
export type AnyOfRule = z.infer<typeof anyOfRule>

/** An alert `a` and an alert `b` that come within the window and agree in the labels of `equal`, in either order. */
const pair = z.object({
  a: matchers.min(1),
  b: matchers.min(1),
  within_ms: window_ms,
  equal: labels,
})

/** An alert whose partner came joins the partner's incident; one without goes on to the next rule. */
export const pairsRule = z.object({
  kind: z.literal('pairs'),
  name,
  pairs: z.array(pair).min(1).max(LIMITS.pairs_per_rule),
  members_max,
})
export type PairsRule = z.infer<typeof pairsRule>

/** Each alert that matches is an incident of its own. */
export const neverRule = z.object({ kind: z.literal('never'), name, match: matchers })

/** Alerts that differ in one of these labels (an absent one is empty) are never together, neither by a rule nor by evidence. */
export const separateRule = z.object({ kind: z.literal('separate'), name, separate: labels.min(1) })

export const groupingRule = z.discriminatedUnion('kind', [
  groupByRule,
  timeFrameRule,
  anyOfRule,
  pairsRule,
  neverRule,
  separateRule,
])
export type GroupingRule = z.infer<typeof groupingRule>
