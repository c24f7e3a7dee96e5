import type { Labels } from '../../schemas/alert.ts'
import type { Reason } from '../../schemas/incident.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import { homeOf, isUnresolved } from '../home.ts'
import type { AlertRow, IncidentRow, State } from '../state.ts'
import type { Group } from './labels.ts'
import { enter, open, seconds } from './seat.ts'

export function newestOf(state: State, group_key: string): IncidentRow | undefined {
  const id = state.derived.groups.get(group_key)?.at(-1)
  return id === undefined ? undefined : homeOf(state, id)
}

/** An incident of the alert's group that takes it, if there is one. */
export function joinByRule(state: State, fresh: AlertRow, group: Group): Decision | null {
  const candidate = newestOf(state, group.key)
  if (!candidate || refusalOf(state, group, candidate)) return null
  const gap_ms = state.time_ms - candidate.last_joined_at_ms
  const reason: Reason = {
    code: 'same-group',
    rule: group.rule.name,
    rules_version: state.rules.version,
    text: `Joined by rule ${group.rule.name}: ${labelsText(group.labels)} as the incident, ${seconds(gap_ms)} after its last new alert.`,
  }
  return enter(
    state,
    { ...fresh, incident_id: candidate.incident.id, reason },
    candidate,
    candidate.pace ?? null,
  )
}

export function openByRule(state: State, fresh: AlertRow, group: Group, place: Place): Decision {
  const candidate = newestOf(state, group.key)
  const refusal = candidate ? refusalOf(state, group, candidate) : null
  const first = `Opened by rule ${group.rule.name} for ${labelsText(group.labels)}`
  const reason: Reason = {
    code: refusal?.code ?? 'new-group',
    rule: group.rule.name,
    rules_version: state.rules.version,
    text: refusal ? `${first}: ${refusal.text}.` : `${first}: the first of its group.`,
  }
  const opening = { group_key: group.key, group: group.labels, rule: group.rule.name, pace: null }
  return open(state, { ...fresh, reason }, opening, place)
}

interface Refusal {
  readonly code: Reason['code']
  readonly text: string
}

/** Why the candidate takes no more members; null when it does. */
function refusalOf(state: State, group: Group, candidate: IncidentRow): Refusal | null {
  const { id } = candidate.incident
  if (!isUnresolved(candidate)) return { code: 'new-group', text: `${id} of the same group is closed` }
  const idle_ms = state.time_ms - candidate.last_joined_at_ms
  if (idle_ms > group.rule.idle_timeout_ms)
    return {
      code: 'idle',
      text: `${id} of the same group took no alert for ${seconds(idle_ms)}, more than ${seconds(group.rule.idle_timeout_ms)}`,
    }
  if (candidate.incident.members_total >= group.rule.members_max)
    return { code: 'full', text: `${id} of the same group is full with ${group.rule.members_max} alerts` }
  return null
}

function labelsText(labels: Labels): string {
  const names = Object.keys(labels).sort()
  return names.length === 0
    ? 'the same scope'
    : names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(', ')
}
