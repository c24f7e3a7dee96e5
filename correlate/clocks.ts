import { type Decision, NOTHING } from './decision.ts'
import { IncidentDraft, SYSTEM } from './draft.ts'
import type { State } from './state.ts'
import { reasonOf } from './match/why.ts'

/** An incident's timer came up: growth that was held back is told, or a closed incident leaves the live view. */
export function incidentDue(state: State, incident_id: string): Decision {
  const row = state.incidents.get(incident_id)
  if (!row) return NOTHING
  if (row.tell_at_ms === null)
    return { rows: [{ kind: 'incident', key: incident_id, value: null }], changes: [] }
  const draft = new IncidentDraft(row, state.time_ms)
  const joined = row.joined.at(-1)
  const reason = joined ? reasonOf(joined.reason) : draft.endingReason(state.rules.version)
  draft.tell(joined ? 'grown' : 'updated', { actor: SYSTEM, command_id: null, reason })
  return { rows: [{ kind: 'incident', key: incident_id, value: draft.row }], changes: draft.changes }
}
