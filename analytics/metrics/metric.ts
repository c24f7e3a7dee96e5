import type { Cohorts } from './cohorts.ts'

/** The same in English and Simplified Chinese. */
export interface Text {
  readonly en: string
  readonly zh: string
}

export type Unit = 'ms' | 'share' | 'per-10-min' | 'per-day' | 'count' | 'points' | 'money'

interface Common {
  /** As the API and the command line call it. */
  readonly name: string
  readonly title: Text
  readonly definition: Text
  readonly unit: Unit
  /** Which way is better; null: neither. */
  readonly better: 'less' | 'more' | null
  /** What it counts, which says what it can be counted by: `times` only by times. */
  readonly about: 'incidents' | 'alarms' | 'times'
  /** What a reader may take for more than it is. */
  readonly traps: readonly string[]
}

/**
 * How long until an event, by Kaplan–Meier. `subjects` gives a row for each subject: `id`, `grouped`, `at` (what its period goes by),
 * `begin_at`, `event_at` (NULL: not yet), `closed_at` (when it became impossible; NULL: it still may come).
 */
export interface DurationMetric extends Common {
  readonly kind: 'duration'
  readonly subjects: (cohorts: Cohorts) => string
  /** The probability of the event within this time is told as well. */
  readonly within_ms: number
}

/** Of how many something is so. `subjects` gives a row for each subject: `id`, `grouped`, `at`, `hit` (0 or 1). */
export interface ShareMetric extends Common {
  readonly kind: 'share'
  readonly subjects: (cohorts: Cohorts) => string
}

/**
 * Sums of one thing over sums of another, day by day. `days` gives at most one row for each group and local day: `grouped`, `day`,
 * `numerator`, `denominator`. `as` says what the figure is: the ratio, 1 less it, or the sum of the numerators.
 */
export interface RatioMetric extends Common {
  readonly kind: 'ratio'
  readonly as: 'ratio' | 'complement' | 'total'
  readonly days: (cohorts: Cohorts) => string
  /** The time of each day of the period that falls into the group is added to that side, in this unit; left out: to none. */
  readonly exposure?: { readonly side: 'numerator' | 'denominator'; readonly unit_ms: number }
  /** Which side counts what was seen: below 5 of it nothing is compared. */
  readonly counted: 'numerator' | 'denominator'
}

export type Metric = DurationMetric | ShareMetric | RatioMetric
