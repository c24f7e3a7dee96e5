import type { Change } from '../schemas/change.ts'
import type { Ticket } from '../schemas/command.ts'
import type { Summary } from './delivery.ts'

/** The bounds of a summary; the rest is counted or cut. */
const SUMMARY = {
  members: 10,
  news: 20,
  labels: 16,
  title_chars: 500,
  text_chars: 1_000,
  name_chars: 300,
} as const

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).toWellFormed()}…`
}

/** The bounded extract of a change that sinks are told. */
export function summarise(change: Change): Summary {
  const { incident } = change
  const {
    scope,
    state,
    severity,
    rule,
    revision,
    suppressed,
    first_event_at_ms,
    opened_at_ms,
    acknowledged_at_ms,
    resolved_at_ms,
  } = incident
  const { assignee, merged_into, reopened, members_total, members_firing } = incident
  const group = Object.entries(incident.group).slice(0, SUMMARY.labels)
  return {
    scope,
    state,
    severity,
    rule,
    revision,
    suppressed,
    first_event_at_ms,
    opened_at_ms,
    acknowledged_at_ms,
    resolved_at_ms,
    merged_into,
    reopened,
    members_total,
    members_firing,
    assignee: assignee === null ? null : cut(assignee, SUMMARY.name_chars),
    incident_id: change.incident_id,
    change_id: change.id,
    kind: change.kind,
    at_ms: change.at_ms,
    actor: change.actor,
    title: cut(incident.title, SUMMARY.title_chars),
    group: Object.fromEntries(group.map(([name, value]) => [name, cut(value, SUMMARY.name_chars)])),
    reason: cut(incident.members[0]?.reason.text ?? change.reason.text, SUMMARY.text_chars),
    members: incident.members.slice(0, SUMMARY.members).map((member) => ({
      entity: cut(member.entity, SUMMARY.name_chars),
      severity: member.severity,
      firing: member.firing,
      starts_at_ms: member.starts_at_ms,
    })),
    news: incident.timeline
      .slice(-SUMMARY.news)
      .map((entry) => ({ ...entry, text: cut(entry.text, SUMMARY.text_chars) })),
  }
}

/** The ticket that the incident was last linked to in this sink. */
export function linkedTicket(change: Change, sink: string): Ticket | null {
  return change.incident.tickets.findLast((ticket) => ticket.sink === sink) ?? null
}
