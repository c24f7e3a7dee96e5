import { LIMITS } from '../schemas/limits.ts'
import type { AlertRow, History, IncidentRow, State } from './state.ts'

export function isUnresolved(row: IncidentRow): boolean {
  const { state } = row.incident
  return state === 'open' || state === 'acknowledged' || state === 'mitigated'
}

/** The incident of that id, or the one that it was merged into. */
export function homeOf(state: State, incident_id: string): IncidentRow | undefined {
  let home = state.incidents.get(incident_id)
  // Merging into a merged incident is refused, so chains are short; the bound is for a damaged state.
  for (let hops = 0; home?.incident.merged_into && hops < 16; hops++)
    home = state.incidents.get(home.incident.merged_into)
  return home
}

/** In the order of opening. */
export function compareOpened({ opened_place: a }: IncidentRow, { opened_place: b }: IncidentRow): number {
  return a[0] - b[0] || a[1] - b[1]
}

/** Incidents that were opened beside each other have one family. */
export function familyOf(row: IncidentRow): string {
  return row.pace?.beside ?? row.incident.id
}

/** It turned too often of late (flapping.ts). */
export function flaps(row: AlertRow): boolean {
  return row.history?.settles_at_ms != null
}

/** When an alert that has ended may be forgotten: a reopening, or a repeat that names it, must find it. */
export function forgetAt(state: State): number {
  return state.time_ms + Math.max(state.rules.reopen_within_ms, LIMITS.ended_alert_kept_ms)
}

export function endedRow(
  state: State,
  row: AlertRow,
  ended_at_ms: number,
  history: History | null,
): AlertRow {
  return {
    ...row,
    firing: false,
    dismissed: false,
    ended_at_ms,
    updated_at_ms: state.time_ms,
    silenced_by: [],
    forget_at_ms: forgetAt(state),
    // Never undefined: see AlertRow.
    ...((history ?? row.history) && { history }),
  }
}

/** Alerts of one incident that fire, in the order of their fingerprints (maps differ after a restart). */
export function firingMembers(state: State, incident_id: string): AlertRow[] {
  const found: AlertRow[] = []
  for (const fingerprint of state.derived.members.get(incident_id) ?? []) {
    const row = state.alerts.get(fingerprint)
    if (row?.firing && !row.dismissed) found.push(row)
  }
  return found.sort((a, b) => (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1))
}
