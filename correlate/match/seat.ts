import type { Labels } from '../../schemas/alert.ts'
import { incidentId } from '../../schemas/ids.ts'
import type { Incident } from '../../schemas/incident.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import { IncidentDraft, newIncident, SYSTEM } from '../draft.ts'
import type { AlertRow, IncidentRow, Row, State } from '../state.ts'
import type { IncidentPace } from './pace.ts'
import { reasonOf } from './why.ts'

/** The alert becomes a member of an open incident. `pace` is the incident's after that; rules keep none. */
export function enter(state: State, row: AlertRow, home: IncidentRow, pace: IncidentPace | null): Decision {
  const { rules } = state
  const draft = new IncidentDraft(home, state.time_ms)
  draft.row.pace = pace
  if (draft.join(row, false)) {
    draft.note('severity-changed', SYSTEM, `Severity rose to ${draft.incident.severity}.`)
    draft.tell('severity-changed', { actor: SYSTEM, command_id: null, reason: reasonOf(row.reason) })
  } else {
    draft.tellSoon(row.reason, rules.growth_interval_ms)
  }
  return decision(row, draft)
}

export interface Opening {
  readonly group_key: string
  readonly group: Labels
  readonly rule: string
  readonly pace: IncidentPace | null
  /** It gathers the alerts of a storm. */
  readonly storm?: Incident['storm']
}

/** The alert opens an incident. Its id is derived from where the alert stands in the log. `before` are alerts that came earlier and join first. */
export function open(
  state: State,
  fresh: AlertRow,
  opening: Opening,
  place: Place,
  before: readonly AlertRow[] = [],
): Decision {
  const { alert } = before[0] ?? fresh
  const id = openedId(state, fresh, place)
  const row: AlertRow = { ...fresh, incident_id: id }
  const blank = newIncident({
    id,
    alert,
    group: opening.group,
    group_key: opening.group_key,
    rule: opening.rule,
    rules_version: state.rules.version,
    opened_place: place,
    now_ms: state.time_ms,
    pace: opening.pace,
  })
  const draft = new IncidentDraft(blank, state.time_ms)
  if (opening.storm) {
    draft.incident.storm = opening.storm
    draft.incident.title = `Storm of alerts in ${alert.scope}`
  }
  const rows = before.map(
    (earlier): AlertRow => ({ ...earlier, incident_id: id, joined_at_ms: state.time_ms }),
  )
  for (const earlier of rows) admit(draft, earlier)
  draft.join(row, false)
  const reason = reasonOf(row.reason)
  draft.note('opened', SYSTEM, reason.text)
  draft.tell('opened', { actor: SYSTEM, command_id: null, reason })
  const opened = decision(row, draft)
  return { ...opened, rows: [...rows.map(alertRow), ...opened.rows] }
}

/** It may have ended while it waited: then it joins and ends. */
function admit(draft: IncidentDraft, row: AlertRow): void {
  draft.join({ ...row, firing: true, ended_at_ms: null }, false)
  if (!row.firing) draft.end(row, row.silenced_by.length === 0)
}

function alertRow(row: AlertRow): Row {
  return { kind: 'alert', key: row.alert.fingerprint, value: row }
}

export function openedId(state: State, { alert }: AlertRow, place: Place): string {
  return incidentId(alert.scope, alert.fingerprint, state.partition, place[0], place[1])
}

function decision(row: AlertRow, draft: IncidentDraft): Decision {
  return {
    rows: [alertRow(row), { kind: 'incident', key: draft.incident.id, value: draft.row }],
    changes: draft.changes,
  }
}

export function seconds(ms: number): string {
  return `${ms / 1000} s`
}
