import { z } from 'zod'
import type { Labels } from '../../../schemas/alert.ts'
import { isWithin } from '../../../schemas/calendar.ts'
import type { DetectorRule, DetectRules, StopRule } from '../../../schemas/detect.ts'
import { contentVersion } from '../../../schemas/ids.ts'
import { compileMatchers, MatcherError } from '../../../schemas/matching.ts'
import { deviceKey, deviceOf, type Series } from '../../../schemas/sample.ts'
import { GROUP_DETECTORS, SERIES_DETECTORS } from '../catalogue.ts'
import type { Detector, TimedDetector } from '../detector.ts'
import type { Row } from '../multivariate.ts'

/** One detector with its options, as a rule asks for it. */
export interface Spec {
  /** The same for the same rule, detector and options: a state that was made for it goes on with it. */
  readonly key: string
  readonly rule: DetectorRule
  readonly detector: Detector<object> & Partial<TimedDetector<object>>
  /** What is usual is made of what was read: such a detector rests while the machine stands or is ill. */
  readonly learns: boolean
  /** Of a rule that watches whether anything arrives, which is more than one series' affair (presence.ts); else null. */
  readonly silence: Silence | null
}

/** A detector of several series of a device at once. */
export interface GroupSpec {
  readonly key: string
  readonly rule: DetectorRule
  readonly detector: (columns: number) => Detector<object, Row>
}

/** What counts as silence. */
export interface Silence {
  /** Usual distance of readings; learned where it is not given. */
  readonly expected_gap_ms: number | null
  readonly gaps: number
  readonly least_ms: number
}

const silence = z.object({
  expected_gap_ms: z.number().nullable().default(null),
  gaps: z.number(),
  least_ms: z.number(),
})

/** Says when alerts of a series are suppressed by design. */
export interface Stop {
  readonly rule: StopRule
  readonly matches: (labels: Labels) => boolean
  readonly is_state: (labels: Labels) => boolean
}

/** Detectors of which one raises for a moment, and says nothing of its end. */
const MOMENTS: ReadonlySet<string> = new Set(['novelty'])
const LEARNING: ReadonlySet<string> = new Set(['novelty', 'cusum', 'page-hinkley', 'seasonal'])

export const isMoment = ({ detector }: Spec): boolean => MOMENTS.has(detector.name)

/** What a series is watched with that no rule matches. */
const STANDARD: DetectorRule = {
  name: 'default',
  match: [],
  detector: 'novelty',
  options: {},
  severity: 'low',
  alertname: null,
  annotations: {},
  time_to_respond_ms: null,
}

const MINUTE_MS = 60_000
const NONE: readonly number[] = []

function isStanding({ weekly, settle_ms }: StopRule, at_ms: number): boolean {
  return (
    weekly !== null && (isWithin(weekly, at_ms) || (settle_ms > 0 && isWithin(weekly, at_ms - settle_ms)))
  )
}

/** Rules as functions. A rule that cannot be used (another version of the program wrote it) is left out, and said. */
export class Plan {
  readonly rules: DetectRules
  /** What was left out, and why. */
  readonly faults: readonly string[]
  readonly stops: readonly Stop[]
  private readonly standard = specOf(STANDARD)
  /** Of the calendars, worked out once a minute. */
  private minute_ms = Number.NaN
  private standing: readonly boolean[] = []
  private readonly groups: readonly { matches: (labels: Labels) => boolean; spec: GroupSpec }[]
  private readonly specs: readonly {
    matches: (labels: Labels) => boolean
    rule: DetectorRule
    spec: Spec | null
  }[]

  constructor(rules: DetectRules) {
    this.rules = rules
    const faults: string[] = []
    const isGroup = ({ detector }: DetectorRule): boolean => Object.hasOwn(GROUP_DETECTORS, detector)
    this.groups = usable(rules.detectors.filter(isGroup), faults, (rule) => ({
      matches: compileMatchers(rule.match),
      spec: groupSpecOf(rule),
    }))
    const single = rules.detectors.filter((rule) => !isGroup(rule))
    this.specs = usable(single, faults, (rule) => ({
      matches: compileMatchers(rule.match),
      rule,
      spec: rule.detector === 'none' ? null : specOf(rule),
    }))
    this.stops = usable(rules.stops, faults, (rule) => ({
      rule,
      matches: compileMatchers(rule.match),
      is_state: rule.state === null ? () => false : compileMatchers(rule.state.match),
    }))
    this.faults = faults
  }

  /** Within a partition; a device lies in one scope. */
  deviceOf(series: Series): string {
    return deviceKey(series.scope, deviceOf(series, this.rules.entity_labels))
  }

  /** What a series is watched with: of rules with the same detector the last, and the default where no rule matches. */
  specsOf(labels: Labels): readonly Spec[] {
    const found = new Map<string, Spec>()
    let matched = false
    for (const { matches, rule, spec } of this.specs) {
      if (!matches(labels)) continue
      matched = true
      if (spec === null) found.clear()
      else found.set(rule.detector, spec)
    }
    return matched ? [...found.values()] : [this.standard]
  }

  /** Groups that a series belongs to; what watches it alone is not changed by that. */
  groupsOf(labels: Labels): readonly GroupSpec[] {
    return this.groups.filter(({ matches }) => matches(labels)).map(({ spec }) => spec)
  }

  /** Numbers of the stops that a series is suppressed by, and of those that it is the state series of. */
  stopsOf(labels: Labels): { readonly by: readonly number[]; readonly state_of: readonly number[] } {
    const by = this.stops.flatMap(({ matches }, i) => (matches(labels) ? [i] : []))
    const state_of = this.stops.flatMap(({ is_state }, i) => (is_state(labels) ? [i] : []))
    return { by: by.length === 0 ? NONE : by, state_of: state_of.length === 0 ? NONE : state_of }
  }

  /** Whether a weekly stop holds in this minute, its settling time included. */
  standsByCalendar(stop: number, at_ms: number): boolean {
    const minute_ms = Math.floor(at_ms / MINUTE_MS) * MINUTE_MS
    if (minute_ms !== this.minute_ms) {
      this.minute_ms = minute_ms
      this.standing = this.stops.map(({ rule }) => isStanding(rule, minute_ms))
    }
    return this.standing[stop] === true
  }
}

function usable<Rule extends { readonly name: string }, Made>(
  rules: readonly Rule[],
  faults: string[],
  make: (rule: Rule) => Made,
): Made[] {
  return rules.flatMap((rule) => {
    try {
      return [make(rule)]
    } catch (error) {
      if (!(error instanceof z.ZodError || error instanceof MatcherError || error instanceof RangeError))
        throw error
      faults.push(`${rule.name}: ${error instanceof z.ZodError ? told(error) : error.message}`)
      return []
    }
  })
}

const told = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ')

/** Throws ZodError. */
function groupSpecOf(rule: DetectorRule): GroupSpec {
  const entry = GROUP_DETECTORS[rule.detector]
  if (entry === undefined) throw new RangeError(`there is no detector ${rule.detector} of groups`)
  entry.detector(rule.options, 2)
  return {
    key: contentVersion([rule.name, rule.detector, rule.options]),
    rule,
    detector: (columns) => entry.detector(rule.options, columns),
  }
}

/** Throws ZodError, or RangeError when there is no such detector. */
function specOf(rule: DetectorRule): Spec {
  const entry = Object.hasOwn(SERIES_DETECTORS, rule.detector) ? SERIES_DETECTORS[rule.detector] : undefined
  if (entry === undefined)
    throw new RangeError(
      `there is no detector ${rule.detector}; known are ${Object.keys(SERIES_DETECTORS).join(', ')}, none`,
    )
  return {
    key: contentVersion([rule.name, rule.detector, rule.options]),
    rule,
    detector: entry.detector(rule.options, 1),
    learns: LEARNING.has(rule.detector),
    silence: rule.detector === 'stale' ? silence.parse(entry.options.parse(rule.options)) : null,
  }
}
