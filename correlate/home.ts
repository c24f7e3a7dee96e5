import type { IncidentRow, State } from './state.ts'

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

/** Incidents that were opened beside each other have one family. */
export function familyOf(row: IncidentRow): string {
  return row.pace?.beside ?? row.incident.id
}
