import type { Config } from '../schemas/config.ts'
import type { ConfiguredRule } from '../schemas/config_grouping.ts'
import type { GroupingRule } from '../schemas/grouping.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { parseMatcher } from '../schemas/matcher_syntax.ts'
import { compileMatchers } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'

/** The rules of a configuration, without their version and without the tests. Throws MatcherError when a matcher cannot be used. */
export function rulesOf(config: Config): Omit<Rules, 'version'> {
  const { rules } = config
  return {
    grouping: rules.grouping.map(grouping),
    evidence: rules.evidence,
    resolve_timeout_ms: rules.resolve_timeout_ms,
    reopen_within_ms: rules.reopen_within_ms,
    growth_interval_ms: rules.growth_interval_ms,
    retain_resolved_ms: rules.retain_resolved_ms,
  }
}

function grouping(rule: ConfiguredRule): GroupingRule {
  if (rule.kind === 'separate') return rule
  if (rule.kind !== 'pairs') return { ...rule, match: matchers(rule.match) }
  return { ...rule, pairs: rule.pairs.map((pair) => ({ ...pair, a: matchers(pair.a), b: matchers(pair.b) })) }
}

function matchers(texts: readonly string[]): Matcher[] {
  const parsed = texts.map((text) => parseMatcher(text))
  compileMatchers(parsed)
  return parsed
}
