import type { CommandBody } from '../schemas/command.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { Decision } from './decision.ts'
import type { IncidentDraft } from './draft.ts'
import { firingMembers, homeOf } from './home.ts'
import type { AlertRow, Row, State } from './state.ts'
import { shelvedBy, spread } from './suppress.ts'

type Shelve = Extract<CommandBody, { kind: 'shelve' }>
type Unshelve = Extract<CommandBody, { kind: 'unshelve' }>

/** The alert that is named, or all that fire in the incident. */
function wanted(state: State, { incident_id, fingerprint }: Shelve | Unshelve): AlertRow[] {
  const members = firingMembers(state, incident_id)
  return fingerprint === undefined
    ? members
    : members.filter(({ alert }) => alert.fingerprint === fingerprint)
}

export function shelvingFault(state: State, body: Shelve): string | null {
  const { time_ms, rules, shelves } = state
  if (body.until_ms <= time_ms) return 'until_ms is over already'
  if (body.until_ms > time_ms + rules.shelve_max_ms)
    return `alerts are shelved for at most ${rules.shelve_max_ms / 1_000} s (rules.shelve_max_ms)`
  const members = wanted(state, body)
  if (members.length === 0) return 'no such alert fires in the incident'
  const fresh = members.filter(({ alert }) => !shelves.has(alert.fingerprint)).length
  return shelves.size + fresh > LIMITS.shelved_alerts_per_partition
    ? `${shelves.size} alerts are shelved already, of at most ${LIMITS.shelved_alerts_per_partition}`
    : null
}

/** Each alert is shelved by itself, so that a new one of the incident is heard, and one that fires again is not. */
export function shelve(state: State, draft: IncidentDraft, body: Shelve, actor: string): Row[] {
  const { until_ms, comment } = body
  const { id } = draft.incident
  return wanted(state, body).flatMap((row) => {
    const key = row.alert.fingerprint
    const value: AlertRow = { ...row, silenced_by: shelvedBy(row.silenced_by, actor) }
    draft.hear(value, row.silenced_by.length === 0)
    return [
      { kind: 'alert', key, value },
      { kind: 'shelf', key, value: { incident_id: id, actor, comment, until_ms } },
    ]
  })
}

/** Shelved alerts that are named, or that belong to the incident, those that do not fire included. */
function shelvedOf(state: State, { incident_id, fingerprint }: Unshelve): string[] {
  const found: string[] = []
  for (const [key, shelf] of state.shelves) {
    const home = homeOf(state, state.alerts.get(key)?.incident_id ?? shelf.incident_id)
    if (home?.incident.id === incident_id && (fingerprint ?? key) === key) found.push(key)
  }
  return found.sort()
}

export function unshelvingFault(state: State, body: Unshelve): string | null {
  return shelvedOf(state, body).length === 0 ? 'no such alert of the incident is shelved' : null
}

export function unshelve(state: State, draft: IncidentDraft, body: Unshelve): Row[] {
  return shelvedOf(state, body).flatMap((key): Row[] => {
    const rows: Row[] = [{ kind: 'shelf', key, value: null }]
    const row = state.alerts.get(key)
    if (!row?.firing) return rows
    const value: AlertRow = { ...row, silenced_by: shelvedBy(row.silenced_by, null) }
    if (!row.dismissed && !row.held) draft.hear(value, row.silenced_by.length === 0)
    return [...rows, { kind: 'alert', key, value }]
  })
}

/** The time of one or more shelved alerts is up: they come up together. */
export function shelvesEnd(state: State): Decision {
  const due = new Set<string>()
  for (const [key, { until_ms }] of state.shelves) if (until_ms <= state.time_ms) due.add(key)
  const alerts = [...due].sort().flatMap((key) => state.alerts.get(key) ?? [])
  const why = { code: 'shelved', rule: '', text: 'The time of what was shelved is up.' } as const
  const { rows, changes } = spread(state, alerts, why, (row) => shelvedBy(row.silenced_by, null))
  return { rows: [...[...due].map((key): Row => ({ kind: 'shelf', key, value: null })), ...rows], changes }
}
