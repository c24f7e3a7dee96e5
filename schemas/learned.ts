import { z } from 'zod'
import { LIMITS } from './limits.ts'

/** Where the second alert of a pair is: about the same entity, or about one near it. */
export const NEARNESS = ['same-entity', 'related'] as const
export type Nearness = (typeof NEARNESS)[number]

const name = z.string().min(1).max(LIMITS.learned_name_chars)
const count = z.number().int().min(0)
const share = z.number().min(0).max(1)

/** Alerts named `second` usually follow alerts named `first`. */
export const learnedPair = z.object({
  first: name,
  second: name,
  where: z.enum(NEARNESS),
  /** It followed this many times, of all the times when `first` came and `second` was not there before. */
  followed: count,
  of: count,
  /** Lower bound of Wilson's interval of 95 % for followed ÷ of. */
  confidence: share,
  gap_p90_ms: count,
})
export type LearnedPair = z.infer<typeof learnedPair>

/** An alert that fires always or periodically; without an entity, about whatever entity. */
const chronicAlert = z.object({
  scope: z.string().min(1).max(LIMITS.scope_chars),
  alertname: name,
  entity: name.optional(),
})

/** What was learned from history and an operator accepted; part of the rules. */
export const learnedRules = z.object({
  pairs: z.array(learnedPair).max(LIMITS.learned_pairs),
  chronic: z.array(chronicAlert).max(LIMITS.chronic_alerts),
})
export type LearnedRules = z.infer<typeof learnedRules>

export const NOTHING_LEARNED: LearnedRules = { pairs: [], chronic: [] }

const accept = z.boolean()

const minedPair = z.strictObject({
  accept,
  ...learnedPair.shape,
  /** How many times likelier `second` is after `first` than at any time. */
  lift: z.number().min(0),
  gap_median_ms: count,
  /** Entities of the first few, as "first → second". */
  examples: z.array(z.string()),
})
export type MinedPair = z.infer<typeof minedPair>

const minedChronic = z.strictObject({
  accept,
  ...chronicAlert.shape,
  why: z.enum(['always', 'periodic']),
  occurrences: count,
  /** Hours in which it fired ÷ hours of the recording, and the lower bound of Wilson's interval of 95 % for it. */
  hours_share: share,
  confidence: share,
  /** Time that it was known to fire ÷ time of the recording. */
  firing_share: share,
  /** Coefficient of variation of the time between its beginnings; absent with fewer than three. */
  variation: z.number().min(0).optional(),
  examples: z.array(z.string()),
})
export type MinedChronic = z.infer<typeof minedChronic>

/** What `tocsin learn` writes and an operator reviews. */
export const learnedFile = z.strictObject({
  /** What it was learned from; the lists of what did not fit into the bounds are counted. */
  recording: z.strictObject({
    statements: count,
    occurrences: count,
    from: z.string(),
    to: z.string(),
    left_out: z.record(z.string(), count),
  }),
  pairs: z.array(minedPair).max(LIMITS.learned_pairs),
  chronic: z.array(minedChronic).max(LIMITS.chronic_alerts),
  /** The usual time between alerts of one name in one scope. For people: nothing follows from it. */
  gaps: z.array(
    z.strictObject({ alertname: name, occurrences: count, gap_median_ms: count, gap_p90_ms: count }),
  ),
})
export type LearnedFile = z.infer<typeof learnedFile>

/** What an operator accepted of a file. */
export function acceptedOf(file: LearnedFile): LearnedRules {
  return {
    pairs: file.pairs
      .filter((pair) => pair.accept)
      .map(({ first, second, where, followed, of, confidence, gap_p90_ms }) => ({
        first,
        second,
        where,
        followed,
        of,
        confidence,
        gap_p90_ms,
      })),
    chronic: file.chronic
      .filter((entry) => entry.accept)
      .map(({ scope, alertname, entity }) => ({ scope, alertname, ...(entity !== undefined && { entity }) })),
  }
}
