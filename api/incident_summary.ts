import type { Incident } from '../schemas/incident.ts'
import type { IncidentSummary } from '../schemas/incident_summary.ts'

/** What a list shows of an incident. */
export function summaryOf(of: Incident): IncidentSummary {
  const { members, timeline: _timeline, causes, storm: _storm, rules_version: _version, ...shown } = of
  const [cause] = causes
  return {
    ...shown,
    entity: cause?.entity ?? members[0]?.entity ?? '',
    entities: new Set(members.map((member) => member.entity)).size,
    cause: cause ? { entity: cause.entity, reasons: [...cause.reasons] } : null,
  }
}
