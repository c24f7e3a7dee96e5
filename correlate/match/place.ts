import type { Alert, Labels } from '../../schemas/alert.ts'
import { incidentId } from '../../schemas/ids.ts'
import type { Reason } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Place } from '../../schemas/record.ts'
import type { Rules } from '../../schemas/rules.ts'
import type { Decision } from '../decision.ts'
import { homeOf, isUnresolved } from '../home.ts'
import { IncidentDraft, newIncident, SYSTEM } from '../draft.ts'
import type { AlertRow, IncidentRow, State } from '../state.ts'
import { type Group, groupKey, groupOf } from './labels.ts'

/** Finds the incident of an alert that is in none, or opens one, with the reason. */
export function placeAlert(state: State, fresh: AlertRow, place: Place): Decision {
  const { rules } = state
  const group = groupOf(state, fresh.alert)
  const candidate = newestOf(state, group?.key)
  const refusal = refusalOf(state, group, candidate)
  if (group && candidate && !refusal) return join(state, fresh, candidate, group, rules)
  if (state.derived.unresolved >= LIMITS.unresolved_incidents_per_partition)
    return overflow(state, fresh, rules, place)
  const reason: Reason = {
    code: refusal?.code ?? 'new-group',
    rule: group?.rule.name ?? '',
    rules_version: rules.version,
    text: openingText(group, refusal?.text),
  }
  const key = group?.key ?? groupKey(fresh.alert.scope, '', { fingerprint: fresh.alert.fingerprint })
  return open(
    state,
    { ...fresh, reason },
    { key, labels: group?.labels ?? {}, rule: group?.rule.name ?? '' },
    rules,
    place,
  )
}

function newestOf(state: State, key: string | undefined): IncidentRow | undefined {
  const id = key === undefined ? undefined : state.derived.groups.get(key)?.at(-1)
  return id === undefined ? undefined : homeOf(state, id)
}

interface Refusal {
  readonly code: Reason['code']
  readonly text: string
}

/** Why the candidate takes no more members; null when it does. */
function refusalOf(state: State, group: Group | null, candidate: IncidentRow | undefined): Refusal | null {
  if (!group || !candidate) return null
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

function seconds(ms: number): string {
  return `${ms / 1000} s`
}

function labelsText(labels: Labels): string {
  const names = Object.keys(labels).sort()
  return names.length === 0
    ? 'the same scope'
    : names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(', ')
}

function openingText(group: Group | null, refusal: string | undefined): string {
  if (!group) return 'Opened: no grouping rule matches this alert.'
  const first = `Opened by rule ${group.rule.name} for ${labelsText(group.labels)}`
  return refusal === undefined ? `${first}: the first of its group.` : `${first}: ${refusal}.`
}

function join(state: State, fresh: AlertRow, candidate: IncidentRow, group: Group, rules: Rules): Decision {
  const gap_ms = state.time_ms - candidate.last_joined_at_ms
  const text = `Joined by rule ${group.rule.name}: ${labelsText(group.labels)} as the incident, ${seconds(gap_ms)} after its last new alert.`
  const reason: Reason = { code: 'same-group', rule: group.rule.name, rules_version: rules.version, text }
  return enter(state, { ...fresh, incident_id: candidate.incident.id, reason }, candidate, rules)
}

function enter(state: State, row: AlertRow, home: IncidentRow, rules: Rules): Decision {
  const draft = new IncidentDraft(home, state.time_ms)
  if (draft.join(row, false)) {
    draft.note('severity-changed', SYSTEM, `Severity rose to ${draft.incident.severity}.`)
    draft.tell('severity-changed', { actor: SYSTEM, command_id: null, reason: row.reason })
  } else {
    draft.tellSoon(row.reason, rules.growth_interval_ms)
  }
  return decision(row, draft)
}

function decision(row: AlertRow, draft: IncidentDraft): Decision {
  return {
    rows: [
      { kind: 'alert', key: row.alert.fingerprint, value: row },
      { kind: 'incident', key: draft.incident.id, value: draft.row },
    ],
    changes: draft.changes,
  }
}

function open(
  state: State,
  fresh: AlertRow,
  group: { key: string; labels: Labels; rule: string },
  rules: Rules,
  place: Place,
): Decision {
  const { alert } = fresh
  const id = incidentId(alert.scope, alert.fingerprint, state.partition, place[0], place[1])
  const row: AlertRow = { ...fresh, incident_id: id }
  const blank = newIncident({
    id,
    alert,
    group: group.labels,
    group_key: group.key,
    rule: group.rule,
    rules_version: rules.version,
    opened_place: place,
    now_ms: state.time_ms,
  })
  const draft = new IncidentDraft(blank, state.time_ms)
  draft.join(row, false)
  draft.note('opened', SYSTEM, row.reason.text)
  draft.tell('opened', { actor: SYSTEM, command_id: null, reason: row.reason })
  return decision(row, draft)
}

/** Too many incidents are open: what would open another joins the one overflow incident of its scope. */
function overflow(state: State, fresh: AlertRow, rules: Rules, place: Place): Decision {
  const key = overflowKey(fresh.alert)
  const text = `More than ${LIMITS.unresolved_incidents_per_partition} incidents are open: further alerts of this scope gather here.`
  const row: AlertRow = {
    ...fresh,
    reason: { code: 'overflow', rule: '', rules_version: rules.version, text },
  }
  const home = newestOf(state, key)
  if (home && isUnresolved(home)) return enter(state, { ...row, incident_id: home.incident.id }, home, rules)
  return open(state, row, { key, labels: {}, rule: '' }, rules, place)
}

function overflowKey(alert: Alert): string {
  return groupKey(alert.scope, '', { overflow: 'yes' })
}
