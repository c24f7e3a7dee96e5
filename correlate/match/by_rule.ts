import type { Labels } from '../../schemas/alert.ts'
import type { Reason } from '../../schemas/incident.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import { homeOf, isUnresolved } from '../home.ts'
import type { AlertRow, IncidentRow, State } from '../state.ts'
import { groupKey, type Group } from './labels.ts'
import { enter, open, seconds } from './seat.ts'
import { released } from './waiting.ts'

export function newestOf(state: State, group_key: string): IncidentRow | undefined {
  const id = state.derived.groups.get(group_key)?.at(-1)
  return id === undefined ? undefined : homeOf(state, id)
}

/** An incident of the alert's group that takes it, if there is one. */
export function joinByRule(state: State, fresh: AlertRow, group: Group): Decision | null {
  const candidate = newestOf(state, group.key)
  if (!candidate || refusalOf(state, group.rule, candidate)) return null
  const reason = joinedReason(state, group, candidate)
  return enter(
    state,
    { ...fresh, incident_id: candidate.incident.id, reason },
    candidate,
    candidate.pace ?? null,
  )
}

function joinedReason(state: State, { rule, labels }: Group, candidate: IncidentRow): Reason {
  const after = (at_ms: number) => seconds(state.time_ms - at_ms)
  const said =
    rule.kind === 'time_frame'
      ? `${after(candidate.incident.opened_at_ms)} after the incident was opened, within ${seconds(rule.within_ms)}`
      : `${labelsText(labels)} as the incident, ${after(candidate.last_joined_at_ms)} after its last new alert`
  return {
    code: rule.kind === 'time_frame' ? 'in-time-frame' : 'same-group',
    rule: rule.name,
    rules_version: state.rules.version,
    text: `Joined by rule ${rule.name}: ${said}.`,
  }
}

/** `waited` are alerts of the group that come in with the one that opens it. */
export function openByRule(
  state: State,
  fresh: AlertRow,
  group: Group,
  place: Place,
  waited: readonly AlertRow[],
): Decision {
  const { rule } = group
  const reason =
    waited.length > 0 ? enoughReason(state, group, waited.length + 1) : openedReason(state, group)
  const opening = { group_key: group.key, group: group.labels, rule: rule.name, pace: null }
  const others = waited.map((row) => ({ ...released(row), reason }))
  return open(state, { ...fresh, reason }, opening, place, others)
}

function openedReason(state: State, { rule, key, labels }: Group): Reason {
  const candidate = newestOf(state, key)
  const refusal = candidate ? refusalOf(state, rule, candidate) : null
  const first = `Opened by rule ${rule.name} for ${labelsText(labels)}`
  return {
    code: refusal?.code ?? 'new-group',
    rule: rule.name,
    rules_version: state.rules.version,
    text: refusal ? `${first}: ${refusal.text}.` : `${first}: the first of its group.`,
  }
}

function enoughReason(state: State, { rule, labels }: Group, alerts: number): Reason {
  const within = seconds(rule.open_after?.within_ms ?? 0)
  return {
    code: 'enough-came',
    rule: rule.name,
    rules_version: state.rules.version,
    text: `Opened by rule ${rule.name} for ${labelsText(labels)}: ${alerts} alerts came within ${within}.`,
  }
}

/** The alert opens an incident of its own, because a rule says so. */
export function openAlone(state: State, fresh: AlertRow, rule: string, place: Place): Decision {
  const { scope, fingerprint } = fresh.alert
  const reason: Reason = {
    code: 'never-grouped',
    rule,
    rules_version: state.rules.version,
    text: `Opened by rule ${rule}, which groups none of its alerts.`,
  }
  const opening = { group_key: groupKey(scope, rule, { fingerprint }), group: {}, rule, pace: null }
  return open(state, { ...fresh, reason }, opening, place)
}

export interface Refusal {
  readonly code: Reason['code']
  readonly text: string
}

/** Until when an incident takes alerts. */
export interface Limits {
  readonly idle_timeout_ms?: number
  /** From its opening. */
  readonly within_ms?: number
  readonly members_max: number
}

/** Why the candidate takes no more members; null when it does. */
export function refusalOf(state: State, limits: Limits, candidate: IncidentRow): Refusal | null {
  const { incident } = candidate
  const { idle_timeout_ms, within_ms, members_max } = limits
  const of_group = `${incident.id} of the same group`
  if (!isUnresolved(candidate)) return { code: 'new-group', text: `${of_group} is closed` }
  const idle_ms = state.time_ms - candidate.last_joined_at_ms
  if (idle_timeout_ms !== undefined && idle_ms > idle_timeout_ms)
    return {
      code: 'idle',
      text: `${of_group} took no alert for ${seconds(idle_ms)}, more than ${seconds(idle_timeout_ms)}`,
    }
  const age_ms = state.time_ms - incident.opened_at_ms
  if (within_ms !== undefined && age_ms > within_ms)
    return {
      code: 'frame-over',
      text: `${of_group} was opened ${seconds(age_ms)} ago, more than ${seconds(within_ms)}`,
    }
  if (incident.members_total >= members_max)
    return { code: 'full', text: `${of_group} is full with ${members_max} alerts` }
  return null
}

export function labelsText(labels: Labels): string {
  const names = Object.keys(labels).sort()
  return names.length === 0
    ? 'the same scope'
    : names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(', ')
}
