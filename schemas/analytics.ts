import { z } from 'zod'
import { severity, timeMs } from './alert.ts'
import { LIMITS } from './limits.ts'

/** Which incidents and alerts a summary is about: those opened, or told, from one time to before another. */
export const summaryQuestion = z
  .object({
    from_ms: timeMs,
    to_ms: timeMs,
    /** The time of asking: incidents still open then are censored there. */
    as_of_ms: timeMs,
    scope: z.string().min(1).max(LIMITS.scope_chars).optional(),
    severity: severity.optional(),
    /** Name of the grouping rule that opened the incident. */
    rule: z.string().min(1).max(LIMITS.source_chars).optional(),
  })
  .refine(({ from_ms, to_ms }) => from_ms < to_ms, {
    path: ['to_ms'],
    message: 'expected a time after from_ms',
  })
export type SummaryQuestion = z.infer<typeof summaryQuestion>

const count = z.number().int().min(0)
const share = z.number().min(0).max(1)

/**
 * One duration over a cohort, by Kaplan–Meier; resolution one second, rounded up. A quantile is null when the curve
 * does not reach it: too many of the cohort have not come to the event.
 */
export const durationSummary = z.object({
  n: count,
  /** Of them, those without the event that are still open: known only to take longer than until now. */
  open: count,
  /** Of them, those that closed without the event: known to have had none until then. */
  closed_without: count,
  median_ms: count.nullable(),
  median_reached: z.boolean(),
  p75_ms: count.nullable(),
  p90_ms: count.nullable(),
  p95_ms: count.nullable(),
})
export type DurationSummary = z.infer<typeof durationSummary>

/** Figures of a period; see docs/history.md for the definitions. */
export const summary = z.object({
  from_ms: timeMs,
  to_ms: timeMs,
  as_of_ms: timeMs,
  incidents: z.object({
    opened: count,
    /** Of the opened, those merged into others: left out of all durations. */
    merged: count,
    reopened: count,
  }),
  alerts: z.object({
    /** Rows of the history. */
    rows: count,
    /** Statements that the rows stand for. */
    statements: count,
  }),
  /** 1 − incidents ÷ statements; null without alerts, negative when there are more incidents than alerts. */
  compression: z.number().max(1).nullable(),
  time_to_acknowledge: durationSummary,
  /** Resolved without ever having been acknowledged by a person ÷ resolved; null when none resolved. */
  never_acknowledged_share: share.nullable(),
  time_to_mitigate: durationSummary,
  time_to_resolve: durationSummary,
  /** Probability of resolution within two hours with its interval of 95 %; null when nothing was followed for so long. */
  resolved_within_2h: z.object({ value: share, low: share, high: share }).nullable(),
})
export type Summary = z.infer<typeof summary>
