import type { Alert, Labels } from '../../schemas/alert.ts'
import type { State } from '../state.ts'
import { withSeparate } from './apart.ts'
import { type KeyedRule, ruleOf } from './compiled.ts'

/** Where an alert belongs by a rule for which its labels are enough. */
export interface Group {
  readonly rule: KeyedRule
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

export function groupIn(state: State, alert: Alert, rule: KeyedRule): Group {
  const own = rule.kind === 'time_frame' ? {} : groupLabels(alert, rule.group_by)
  const labels = withSeparate(state, alert, own)
  return { rule, key: groupKey(alert.scope, rule.name, labels), labels }
}

/** The group of an alert by its labels alone; null when these are not enough to say. */
export function groupOf(state: State, alert: Alert): Group | null {
  const rule = ruleOf(state.derived.grouping, alert.labels)
  return rule === null || rule.kind === 'any_of' || rule.kind === 'never' ? null : groupIn(state, alert, rule)
}
