import type { Alert, Labels } from '../../schemas/alert.ts'
import { labelValue } from '../../schemas/matching.ts'
import type { IncidentRow, State } from '../state.ts'

/** What keeps an alert out of an incident. */
export interface Apart {
  readonly rule: string
  /** For people. */
  readonly text: string
}

/**
 * The rule that keeps the alert apart from the incident, if there is one. Members agree in the labels of such rules, so one stands for
 * all; what an operator merged is the operator's affair.
 */
export function apartFrom(state: State, alert: Alert, { incident }: IncidentRow): Apart | null {
  const { separate } = state.derived.grouping
  const [member] = incident.members
  if (separate.length === 0 || member === undefined) return null
  for (const { label, rule } of separate) {
    const [own, theirs] = [labelValue(alert.labels, label), labelValue(member.labels, label)]
    if (own !== theirs)
      return { rule, text: `${label} is ${JSON.stringify(own)}, there ${JSON.stringify(theirs)}` }
  }
  return null
}

/** The labels of a group with those that keep groups apart. */
export function withSeparate(state: State, alert: Alert, labels: Labels): Labels {
  const { separate } = state.derived.grouping
  if (separate.length === 0) return labels
  const all: Record<string, string> = { ...labels }
  for (const { label } of separate) {
    const value = labelValue(alert.labels, label)
    if (value !== '') all[label] = value
  }
  return all
}
