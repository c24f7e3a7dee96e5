import type { Alert, Labels } from '../../schemas/alert.ts'
import type { GroupingRule } from '../../schemas/rules.ts'
import type { State } from '../state.ts'

/** Where an alert belongs by the first grouping rule that matches it. */
export interface Group {
  readonly rule: GroupingRule
  /** Scope, rule and values: equal keys belong together. */
  readonly key: string
  /** The labels of `group_by` and the alert's values; `...` stands for all labels, as in Alertmanager. */
  readonly labels: Labels
}

function groupLabels(alert: Alert, group_by: readonly string[]): Labels {
  if (group_by.includes('...')) return alert.labels
  const chosen: Record<string, string> = {}
  for (const name of group_by) {
    if (Object.hasOwn(alert.labels, name)) chosen[name] = alert.labels[name] as string
  }
  return chosen
}

export function groupKey(scope: string, rule: string, labels: Labels): string {
  const parts = [scope, rule]
  for (const name of Object.keys(labels).sort()) parts.push(name, labels[name] as string)
  return JSON.stringify(parts)
}

/** Null when no rule matches: then every alert is an incident of its own. */
export function groupOf(state: State, alert: Alert): Group | null {
  const { rules, derived } = state
  for (const [i, rule] of rules.grouping.entries()) {
    if (derived.rule_tests[i]?.(alert.labels) !== true) continue
    const labels = groupLabels(alert, rule.group_by)
    return { rule, key: groupKey(alert.scope, rule.name, labels), labels }
  }
  return null
}
