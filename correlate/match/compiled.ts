import type { Labels } from '../../schemas/alert.ts'
import type {
  AnyOfRule,
  GroupByRule,
  GroupingRule,
  PairsRule,
  TimeFrameRule,
} from '../../schemas/grouping.ts'
import { compileMatchers } from '../../schemas/matching.ts'
import type { LabelTest } from '../state.ts'

export type KeyedRule = GroupByRule | TimeFrameRule
type NeverRule = Extract<GroupingRule, { kind: 'never' }>

/** A rule that says where an alert belongs, and whether it is about the alert. */
export interface MatchingRule {
  readonly kind: 'matching'
  readonly rule: KeyedRule | AnyOfRule | NeverRule
  readonly test: LabelTest
}

/** One half of a pair: which alerts it is about, and which half they meet. */
export interface Half {
  readonly test: LabelTest
  /** Names the half within the rules. */
  readonly id: string
  readonly other_id: string
  readonly within_ms: number
  readonly equal: readonly string[]
}

export interface CompiledPairs {
  readonly kind: 'pairs'
  readonly rule: PairsRule
  readonly halves: readonly Half[]
}

/** The grouping rules, ready for use; it follows from the rules. */
export interface CompiledGrouping {
  /** In order. */
  readonly rules: readonly (MatchingRule | CompiledPairs)[]
  readonly halves: readonly Half[]
  readonly with_any_of: boolean
  /** Labels in which the alerts of one incident never differ. */
  readonly separate: readonly { readonly label: string; readonly rule: string }[]
}

/** Throws MatcherError when a matcher cannot be used. */
export function compileGrouping(grouping: readonly GroupingRule[]): CompiledGrouping {
  const rules: (MatchingRule | CompiledPairs)[] = []
  const separate: { label: string; rule: string }[] = []
  for (const rule of grouping) {
    if (rule.kind === 'separate') separate.push(...rule.separate.map((label) => ({ label, rule: rule.name })))
    else if (rule.kind === 'pairs') rules.push({ kind: 'pairs', rule, halves: halvesOf(rule) })
    else rules.push({ kind: 'matching', rule, test: compileMatchers(rule.match) })
  }
  const halves = rules.flatMap((rule) => (rule.kind === 'pairs' ? rule.halves : []))
  const with_any_of = grouping.some(({ kind }) => kind === 'any_of')
  return { rules, halves, with_any_of, separate }
}

function halvesOf({ name, pairs }: PairsRule): Half[] {
  return pairs.flatMap(({ a, b, within_ms, equal }, i) => {
    const [id, other_id] = [`${name}/${i}/a`, `${name}/${i}/b`]
    return [
      { test: compileMatchers(a), id, other_id, within_ms, equal },
      { test: compileMatchers(b), id: other_id, other_id: id, within_ms, equal },
    ]
  })
}

/** The first rule that is about such an alert, whatever else came; pairs are about two alerts. */
export function ruleOf({ rules }: CompiledGrouping, labels: Labels): MatchingRule['rule'] | null {
  for (const compiled of rules) {
    if (compiled.kind === 'pairs' || !compiled.test(labels)) continue
    const { rule } = compiled
    if (rule.kind === 'any_of' && agreeable(rule, labels).length === 0) continue
    return rule
  }
  return null
}

/** The labels of `any_of` that an alert has. */
export function agreeable({ any_of }: AnyOfRule, labels: Labels): string[] {
  return any_of.filter((name) => Object.hasOwn(labels, name) && labels[name] !== '')
}

/** The names under which an alert is found by one that agrees with it in a label of its any-of rule. */
export function agreements(grouping: CompiledGrouping, labels: Labels): string[] {
  const rule = ruleOf(grouping, labels)
  if (rule?.kind !== 'any_of') return []
  return agreeable(rule, labels).map((label) => agreement(rule, label, labels))
}

export function agreement({ name }: AnyOfRule, label: string, labels: Labels): string {
  return JSON.stringify([name, label, labels[label]])
}
