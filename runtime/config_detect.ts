import { z } from 'zod'
import { GROUP_DETECTORS, SERIES_DETECTORS } from '../ingest/detect/catalogue.ts'
import type { Severity } from '../schemas/alert.ts'
import type { Config } from '../schemas/config.ts'
import type { DetectorEntry, StopEntry } from '../schemas/config_detect.ts'
import type { Contradiction } from '../schemas/config_contradictions.ts'
import { type DetectorRule, type DetectRules, severityOf, type StopRule } from '../schemas/detect.ts'
import { contentVersion } from '../schemas/ids.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { parseMatcher } from '../schemas/matcher_syntax.ts'
import { compileMatcher, MatcherError } from '../schemas/matching.ts'
import { nearest } from './nearest.ts'

type Configured = Pick<Config, 'detectors' | 'stops' | 'entity'>

/** The rules of detection of a configuration in which `detectorProblems` finds nothing. */
export function detectRulesOf({ detectors, stops, entity }: Configured): DetectRules {
  const rules = {
    entity_labels: entity.labels,
    detectors: detectors.map(ruleOf),
    stops: stops.map(stopOf),
  }
  return { version: contentVersion(rules), ...rules }
}

function ruleOf(entry: DetectorEntry): DetectorRule {
  const { impact: _impact, alertname, time_to_respond_ms = null, ...rest } = entry
  return {
    ...rest,
    match: matchersOf(rest.match),
    severity: severityFor(entry),
    alertname: alertname ?? null,
    time_to_respond_ms,
  }
}

/** The time to respond counts as long where none is given. */
function severityFor({ severity, impact, time_to_respond_ms, detector }: DetectorEntry): Severity {
  if (severity !== undefined) return severity
  if (impact !== undefined) return severityOf(impact, time_to_respond_ms ?? Number.POSITIVE_INFINITY)
  return detector === 'novelty' ? 'low' : 'medium'
}

const stopOf = ({ name, match, weekly, state, settle_ms }: StopEntry): StopRule => ({
  name,
  match: matchersOf(match),
  weekly: weekly ?? null,
  state: state ? { match: matchersOf(state.match), values: state.values } : null,
  settle_ms,
})

const matchersOf = (texts: readonly string[]): Matcher[] => texts.map((text) => parseMatcher(text))

/** What the types cannot say of detectors: names that are known, options that fit, matchers that can be used. */
export function detectorProblems({ detectors, stops }: Configured): Contradiction[] {
  return [
    ...detectors.flatMap((entry, i) => [
      ...unusableMatchers(['detectors', i, 'match'], entry.match),
      ...unusableOptions(['detectors', i], entry),
    ]),
    ...stops.flatMap((entry, i) => [
      ...unusableMatchers(['stops', i, 'match'], entry.match),
      ...unusableMatchers(['stops', i, 'state', 'match'], entry.state?.match ?? []),
    ]),
  ]
}

function unusableMatchers(path: readonly (string | number)[], texts: readonly string[]): Contradiction[] {
  return texts.flatMap((text, i) => {
    try {
      compileMatcher(parseMatcher(text))
      return []
    } catch (error) {
      if (!(error instanceof MatcherError)) throw error
      return [{ path: [...path, i], message: error.message }]
    }
  })
}

function unusableOptions(
  path: readonly (string | number)[],
  { detector, options }: DetectorEntry,
): Contradiction[] {
  if (detector === 'none') return []
  const all = { ...SERIES_DETECTORS, ...GROUP_DETECTORS }
  const known = [...Object.keys(all), 'none']
  const entry = Object.hasOwn(all, detector) ? all[detector] : undefined
  if (entry === undefined) {
    const near = nearest(detector, known)
    return [
      {
        path: [...path, 'detector'],
        message: `there is no detector ${detector}${near === null ? '' : `; did you mean ${near}?`} Known are ${known.join(', ')}`,
      },
    ]
  }
  try {
    entry.detector(options, 2)
    return []
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    return error.issues.map((issue) => ({
      path: [...path, 'options', ...issue.path.filter((key) => typeof key !== 'symbol')],
      message: `${issue.message} (options of ${detector}: ${Object.keys(entry.options.shape).join(', ') || 'none'})`,
    }))
  }
}
