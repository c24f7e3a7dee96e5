import { apply } from '../correlate/apply.ts'
import { carryOut } from '../correlate/lifecycle.ts'
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
export function refusal(incidents: readonly Incident[], command: Command): string | null {
  const state = emptyState(0)
  apply(state, incidents.map(rowOf))
  const outcome = carryOut(state, command).rows.find((row) => row.kind === 'command')
  return outcome?.kind === 'command' ? (outcome.value?.refused ?? null) : null
}
