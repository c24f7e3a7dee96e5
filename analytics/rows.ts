import type { Alert } from '../schemas/alert.ts'
import type { Change } from '../schemas/change.ts'
import type { Command } from '../schemas/command.ts'
import type { DeadLetter } from '../schemas/deadletter.ts'
import type { Member } from '../schemas/incident.ts'
import type { AlertsRecord } from '../schemas/record.ts'
import { REPEAT_COLUMNS } from './repeat_counts.ts'

/** Columns of each table in the order in which the functions here write them. */
export const COLUMNS = {
  alerts: [
    'at',
    'log_partition',
    'log_position',
    'ordinal',
    'scope',
    'fingerprint',
    'severity',
    'entity',
    'source',
    'labels',
    'annotations',
    'generator_url',
    'starts_at',
    'ends_at',
    'repeats',
    'origin_source',
    'origin_partition',
    'origin_offset',
    'origin_ordinal',
  ],
  incident_changes: [
    'id',
    'incident_id',
    'revision',
    'kind',
    'at',
    'actor',
    'command_id',
    'reason_code',
    'reason_rule',
    'reason_rules_version',
    'reason_text',
    'scope',
    'state',
    'severity',
    'title',
    'members_total',
    'members_firing',
    'change',
    'assignee',
    'log_partition',
    'log_position',
  ],
  incidents: [
    'id',
    'revision',
    'scope',
    'state',
    'severity',
    'title',
    'group_labels',
    'rule',
    'rules_version',
    'suppressed',
    'first_event_at',
    'opened_at',
    'acknowledged_at',
    'mitigated_at',
    'resolved_at',
    'reviewed_at',
    'updated_at',
    'assignee',
    'merged_into',
    'reopened',
    'members_total',
    'members_firing',
    'tickets',
    'labels',
    'entity',
    'root_fingerprint',
    'log_partition',
    'log_position',
  ],
  memberships: [
    'incident_id',
    'fingerprint',
    'joined_at',
    'ended_at',
    'starts_at',
    'scope',
    'entity',
    'severity',
    'labels',
    'silenced_by',
    'reason_code',
    'reason_text',
    'reason_rule',
    'reason_rules_version',
    'revision',
    'log_partition',
    'log_position',
  ],
  change_events: ['at', 'id', 'scope', 'entity', 'text', 'actor', 'log_partition', 'log_position'],
  alert_repeats: REPEAT_COLUMNS,
  dead_letters: [
    'id',
    'at',
    'source',
    'origin',
    'code',
    'reason',
    'payload',
    'truncated',
    'log_partition',
    'log_position',
  ],
} as const satisfies Record<string, readonly string[]>
export type TableName = keyof typeof COLUMNS

/** Where and when the log took the entry that a row comes from. */
export interface LogPlace {
  readonly partition: number
  readonly position: number
  readonly time_ms: number
}

/** Time as ClickHouse's DateTime64(3) reads it: ten digits of seconds (with fewer it looks for a date) and three more. */
function seconds(ms: number): string {
  const text = String(ms).padStart(13, '0')
  return `${text.slice(0, -3)}.${text.slice(-3)}`
}

function secondsOrNull(ms: number | null): string | null {
  return ms === null ? null : seconds(ms)
}

/**
 * One row as a line of JSONCompactEachRow. A lone surrogate, which UTF-8 cannot express and ClickHouse refuses,
 * becomes U+FFFD.
 */
function line(values: readonly unknown[]): string {
  return wellFormed(JSON.stringify(values))
}

function wellFormed(json: string): string {
  // JSON.stringify writes surrogates as escapes only when they are alone.
  return json.includes('\\ud') ? json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\ufffd') : json
}

/** The rows of `alerts` from one record, from `first` on. */
export function alertRows(place: LogPlace, record: AlertsRecord, first: number): string[] {
  const head = `"${seconds(place.time_ms)}",${place.partition},${place.position}`
  const origin = `${JSON.stringify(record.origin?.source ?? '')},${record.origin?.partition ?? 0}`
  const rows: string[] = []
  for (let i = first; i < record.alerts.length; i++) {
    const [offset, ordinal] = record.places[i] ?? [0, 0]
    rows.push(`[${head},${i},${alertColumns(record.alerts[i] as Alert)},${origin},${offset},${ordinal}]`)
  }
  return rows
}

function alertColumns(alert: Alert): string {
  const { scope, fingerprint, severity, entity, source, labels, annotations, generator_url } = alert
  const texts = line([scope, fingerprint, severity, entity, source, labels, annotations, generator_url])
  const ends_at = alert.ends_at_ms === null ? 'null' : `"${seconds(alert.ends_at_ms)}"`
  return `${texts.slice(1, -1)},"${seconds(alert.starts_at_ms)}",${ends_at},${alert.repeats}`
}

export function changeRow(place: LogPlace, change: Change): string {
  const { reason, incident } = change
  return line([
    change.id,
    change.incident_id,
    change.revision,
    change.kind,
    seconds(change.at_ms),
    change.actor,
    change.command_id ?? '',
    reason.code,
    reason.rule,
    reason.rules_version,
    reason.text,
    incident.scope,
    incident.state,
    incident.severity,
    incident.title,
    incident.members_total,
    incident.members_firing,
    JSON.stringify(withoutMembers(change)),
    incident.assignee ?? '',
    place.partition,
    place.position,
  ])
}

/** Members are rows of `memberships`; in every change again they would be nine tenths of the history. */
function withoutMembers(change: Change): object {
  const { memberships: _told, incident, ...rest } = change
  const { members: _listed, ...summary } = incident
  return { ...rest, incident: summary }
}

/** The alert that an incident is counted by: the first about its likeliest cause, else its first. */
function rootOf({ members, causes }: Change['incident']): Member | undefined {
  return members.find(({ entity }) => entity === causes[0]?.entity) ?? members[0]
}

export function incidentRow(place: LogPlace, change: Change): string {
  const it = change.incident
  const root = rootOf(it)
  return line([
    it.id,
    change.revision,
    it.scope,
    it.state,
    it.severity,
    it.title,
    it.group,
    it.rule,
    it.rules_version,
    it.suppressed,
    seconds(it.first_event_at_ms),
    seconds(it.opened_at_ms),
    secondsOrNull(it.acknowledged_at_ms),
    secondsOrNull(it.mitigated_at_ms),
    secondsOrNull(it.resolved_at_ms),
    secondsOrNull(it.reviewed_at_ms),
    seconds(it.updated_at_ms),
    it.assignee ?? '',
    it.merged_into ?? '',
    it.reopened,
    it.members_total,
    it.members_firing,
    it.tickets,
    root?.labels ?? {},
    root?.entity ?? '',
    root?.fingerprint ?? '',
    place.partition,
    place.position,
  ])
}

export function membershipRow(place: LogPlace, change: Change, member: Member): string {
  const { reason } = member
  return line([
    change.incident_id,
    member.fingerprint,
    seconds(member.joined_at_ms),
    secondsOrNull(member.ended_at_ms),
    seconds(member.starts_at_ms),
    change.incident.scope,
    member.entity,
    member.severity,
    member.labels,
    member.silenced_by,
    reason.code,
    reason.text,
    reason.rule,
    reason.rules_version,
    change.revision,
    place.partition,
    place.position,
  ])
}

type ChangeEventBody = Extract<Command['body'], { kind: 'change-event' }>

export function changeEventRow(place: LogPlace, { id, actor }: Command, { change }: ChangeEventBody): string {
  const { at_ms, scope, entity, text } = change
  return line([seconds(at_ms), id, scope, entity, text, actor, place.partition, place.position])
}

export function deadLetterRow(place: LogPlace, letter: DeadLetter): string {
  return line([
    letter.id,
    seconds(letter.at_ms),
    letter.source,
    letter.origin,
    letter.code,
    letter.reason,
    letter.payload,
    letter.truncated,
    place.partition,
    place.position,
  ])
}
