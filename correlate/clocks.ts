import { type Decision, NOTHING } from './decision.ts'
import { IncidentDraft, SYSTEM } from './draft.ts'
import type { State } from './state.ts'

/** An incident's timer came up: growth that was held back is told, or a closed incident leaves the live view. */
export function incidentDue(state: State, incident_id: string): Decision {
  const row = state.incidents.get(incident_id)
  if (!row) return NOTHING
  if (row.tell_at_ms === null)
    return { rows: [{ kind: 'incident', key: incident_id, value: null }], changes: [] }
  const draft = new IncidentDraft(row, state.time_ms)
  const last = row.joined.at(-1) ?? row.ended.at(-1)
  const kind = row.joined.length > 0 ? 'grown' : 'updated'
  if (last) draft.tell(kind, { actor: SYSTEM, command_id: null, reason: last.reason })
  else draft.row.tell_at_ms = null
  return { rows: [{ kind: 'incident', key: incident_id, value: draft.row }], changes: draft.changes }
}
