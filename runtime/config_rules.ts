import type { Config } from '../schemas/config.ts'
import type { MaintenanceEntry } from '../schemas/config_rules.ts'
import type { MaintenanceWindow } from '../schemas/maintenance.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { parseMatcher } from '../schemas/matcher_syntax.ts'
import { compileMatchers } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'

/** The rules of a configuration, without their version. Throws MatcherError when a matcher cannot be used. */
export function rulesOf(config: Config): Omit<Rules, 'version'> {
  const { rules } = config
  return {
    ...rules,
    grouping: rules.grouping.map((rule) => ({ ...rule, match: matchersOf(rule.match) })),
    maintenance: rules.maintenance.map(windowOf),
    suppression: rules.suppression.map((rule) => ({
      ...rule,
      source: matchersOf(rule.source),
      target: matchersOf(rule.target),
    })),
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
