import type { Config } from '../schemas/config.ts'
import type { LearnedRules } from '../schemas/learned.ts'
import { parseMatcher } from '../schemas/matcher_syntax.ts'
import { compileMatchers } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'

/** The rules of a configuration, with what was learned and accepted, without their version. Throws MatcherError when a matcher cannot be used. */
export function rulesOf(config: Config, learned: LearnedRules): Omit<Rules, 'version'> {
  const { rules } = config
  const grouping = rules.grouping.map((rule) => ({
    ...rule,
    match: rule.match.map((text) => parseMatcher(text)),
  }))
  for (const rule of grouping) compileMatchers(rule.match)
  return {
    grouping,
    evidence: rules.evidence,
    learned,
    resolve_timeout_ms: rules.resolve_timeout_ms,
    reopen_within_ms: rules.reopen_within_ms,
    growth_interval_ms: rules.growth_interval_ms,
    retain_resolved_ms: rules.retain_resolved_ms,
  }
}
