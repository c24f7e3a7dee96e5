import { apply } from '../correlate/apply.ts'
import { refusal as refusedBecause } from '../correlate/lifecycle.ts'
import { emptyState, type IncidentRow, type Row } from '../correlate/state.ts'
import type { Command } from '../schemas/command.ts'
import type { Incident } from '../schemas/incident.ts'

function rowOf(incident: Incident): Row {
  const value: IncidentRow = {
    incident,
    group_key: incident.id,
    opened_place: [0, 0],
    members_heard: 0,
    pace: null,
    last_joined_at_ms: incident.opened_at_ms,
    joined: [],
    ended: [],
    tell_at_ms: null,
    told_at_ms: incident.updated_at_ms,
    retire_at_ms: null,
  }
  return { kind: 'incident', key: incident.id, value }
}

/** Why the correlator would refuse a command if these incidents were all it knew; null when it would carry it out. */
export function refusal(incidents: readonly Incident[], { body }: Command): string | null {
  if (!('incident_id' in body)) return null
  const state = emptyState(0)
  apply(state, incidents.map(rowOf))
  const home = state.incidents.get(body.incident_id)
  return home ? refusedBecause(state, home, body) : null
}
