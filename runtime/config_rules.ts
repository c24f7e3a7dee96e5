import type { Config } from '../schemas/config.ts'
import { heartbeatOf } from '../schemas/config_heartbeats.ts'
import type { ConfiguredRule } from '../schemas/config_grouping.ts'
import type { MaintenanceEntry } from '../schemas/config_rules.ts'
import type { MaintenanceWindow } from '../schemas/maintenance.ts'
import type { GroupingRule } from '../schemas/grouping.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { type LearnedRules, NOTHING_LEARNED } from '../schemas/learned.ts'
import { parseMatcher } from '../schemas/matcher_syntax.ts'
import { compileMatchers } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'

/** The rules of a configuration, with what was learned and accepted, without their version and without the tests. Throws MatcherError when a matcher cannot be used. */
export function rulesOf(config: Config, learned: LearnedRules = NOTHING_LEARNED): Omit<Rules, 'version'> {
  // Tests of the rules are no part of them, nor is where the file with the learned ones is.
  const { tests: _tests, learned: _file, ...rules } = config.rules
  return {
    ...rules,
    learned,
    grouping: rules.grouping.map(grouping),
    maintenance: rules.maintenance.map(windowOf),
    heartbeats: rules.heartbeats.map(heartbeatOf),
    suppression: rules.suppression.map((rule) => ({
      ...rule,
      source: matchersOf(rule.source),
      target: matchersOf(rule.target),
    })),
  }
}

function grouping(rule: ConfiguredRule): GroupingRule {
  if (rule.kind === 'separate') return rule
  if (rule.kind !== 'pairs') return { ...rule, match: matchersOf(rule.match) }
  return {
    ...rule,
    pairs: rule.pairs.map((pair) => ({ ...pair, a: matchersOf(pair.a), b: matchersOf(pair.b) })),
  }
}

function matchersOf(texts: readonly string[]): Matcher[] {
  const matchers = texts.map((text) => parseMatcher(text))
  compileMatchers(matchers)
  return matchers
}

function windowOf(entry: MaintenanceEntry): MaintenanceWindow {
  const match = matchersOf(entry.match)
  if (entry.kind === 'weekly') return { ...entry, match }
  const { from, to, ...named } = entry
  return { ...named, match, starts_at_ms: Date.parse(from), ends_at_ms: Date.parse(to) }
}
