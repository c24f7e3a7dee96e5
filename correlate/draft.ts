import { compareSeverity } from '../schemas/alert.ts'
import type { Change, ChangeKind } from '../schemas/change.ts'
import { changeId } from '../schemas/ids.ts'
import type { Incident, IncidentState, Member, Reason, TimelineEntry } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import { flaps } from './home.ts'
import { reasonOf, type Why } from './match/why.ts'
import type { AlertRow, IncidentRow, UntoldMember } from './state.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Who caused a change. */
export interface Cause {
  readonly actor: string
  readonly command_id: string | null
  readonly reason: Reason
}

/** The actor of what nobody asked for. */
export const SYSTEM = 'tocsin'

/** As the row has it: the reason without words yet. */
function untold(row: AlertRow): UntoldMember {
  const { alert } = row
  return {
    fingerprint: alert.fingerprint,
    entity: alert.entity,
    labels: alert.labels,
    severity: alert.severity,
    firing: row.firing && !row.dismissed,
    silenced_by: [...row.silenced_by],
    ...(flaps(row) && { flapping: true as const }),
    starts_at_ms: alert.starts_at_ms,
    ended_at_ms: row.ended_at_ms,
    joined_at_ms: row.joined_at_ms,
    reason: row.reason,
  }
}

function told(member: UntoldMember): Member {
  return { ...member, reason: reasonOf(member.reason) }
}

export function memberOf(row: AlertRow): Member {
  return told(untold(row))
}

/** One incident while one decision works on it: a copy of its row, and the changes that come of it. */
export class IncidentDraft {
  readonly row: Mutable<IncidentRow>
  readonly incident: Mutable<Incident>
  readonly changes: Change[] = []
  readonly now_ms: number

  constructor(row: IncidentRow, now_ms: number) {
    this.incident = { ...row.incident }
    this.row = { ...row, incident: this.incident }
    this.now_ms = now_ms
  }

  /** A new member, or one that fires again. Returns whether it raised the severity. */
  join(alert: AlertRow, known: boolean): boolean {
    const { incident, row } = this
    const member = untold(alert)
    if (!known) incident.members_total++
    incident.members_firing++
    if (member.silenced_by.length === 0) row.members_heard++
    incident.first_event_at_ms = Math.min(incident.first_event_at_ms, member.starts_at_ms)
    row.last_joined_at_ms = this.now_ms
    row.joined = [...row.joined, member]
    this.list(member)
    return this.raise(member)
  }

  /** A member that fires is told with other labels. Returns whether it raised the severity. */
  retell(alert: AlertRow, was_heard: boolean): boolean {
    this.hear(alert, was_heard)
    return this.raise(alert.alert)
  }

  private raise({ severity }: Pick<Member, 'severity'>): boolean {
    const { incident } = this
    if (compareSeverity(severity, incident.severity) >= 0) return false
    incident.severity = severity
    return true
  }

  /** A member stopped firing (or was dismissed). */
  end(alert: AlertRow, was_heard: boolean): void {
    const member = untold(alert)
    this.incident.members_firing--
    if (was_heard) this.row.members_heard--
    this.row.ended = [...this.row.ended, member]
    this.list(member)
  }

  /** A firing member came under its first silence or out of its last. */
  hear(alert: AlertRow, was_heard: boolean): void {
    const heard = alert.silenced_by.length === 0
    if (heard !== was_heard) this.row.members_heard += heard ? 1 : -1
    this.list(untold(alert))
  }

  /** A member is listed as it is now. */
  show(alert: AlertRow): void {
    this.list(untold(alert))
  }

  private list(member: UntoldMember): void {
    const { incident } = this
    const at = incident.members.findIndex((listed) => listed.fingerprint === member.fingerprint)
    if (at >= 0) incident.members = incident.members.with(at, told(member))
    else if (incident.members.length < LIMITS.members_listed_per_incident)
      incident.members = [...incident.members, told(member)]
  }

  setState(state: IncidentState, retain_ms: number | null): void {
    this.incident.state = state
    this.row.retire_at_ms = retain_ms === null ? null : this.now_ms + retain_ms
  }

  note(kind: string, actor: string, text: string): void {
    const entry: TimelineEntry = {
      at_ms: this.now_ms,
      kind,
      actor,
      text,
      revision: this.incident.revision + 1,
    }
    this.incident.timeline = [...this.incident.timeline, entry].slice(-LIMITS.timeline_entries_per_incident)
  }

  /** Tells the change now, with all memberships not told yet; several changes when they are too many for one. */
  tell(kind: ChangeKind, cause: Cause): void {
    const { row, incident } = this
    incident.suppressed = incident.members_firing > 0 && row.members_heard === 0
    let next_kind = kind
    do {
      const joined = row.joined.slice(0, LIMITS.memberships_per_change)
      const ended = row.ended.slice(0, LIMITS.memberships_per_change)
      row.joined = row.joined.slice(joined.length)
      row.ended = row.ended.slice(ended.length)
      incident.revision++
      incident.updated_at_ms = this.now_ms
      this.changes.push({
        id: changeId(incident.id, incident.revision),
        incident_id: incident.id,
        revision: incident.revision,
        kind: next_kind,
        at_ms: this.now_ms,
        actor: cause.actor,
        command_id: cause.command_id,
        reason: cause.reason,
        memberships: { joined: joined.map(told), ended: ended.map(told) },
        incident: { ...incident },
      })
      next_kind = row.joined.length > 0 ? 'grown' : 'updated'
    } while (row.joined.length > 0 || row.ended.length > 0)
    row.tell_at_ms = null
    row.told_at_ms = this.now_ms
  }

  /** Tells growth now if the last telling is long enough ago or much has gathered, else later. */
  tellSoon(reason: Reason | Why, interval_ms: number): void {
    const { row } = this
    if (this.turnsQuiet() !== null) return this.tellMuting(reasonOf(reason))
    const due_ms = row.told_at_ms + interval_ms
    const much = row.joined.length + row.ended.length >= LIMITS.memberships_per_change
    if (much || due_ms <= this.now_ms)
      return this.tell(row.joined.length > 0 ? 'grown' : 'updated', systemCause(reasonOf(reason)))
    row.tell_at_ms ??= due_ms
  }

  /** Why the members that are about to be told as ended are told, while others go on. */
  endingReason(rules_version: string): Reason {
    const { incident, row } = this
    const text = `${row.ended.length} stopped firing, ${incident.members_firing} still fire.`
    return { code: 'alerts-resolved', rule: incident.rule, rules_version, text }
  }

  /** Tells that members were muted or unmuted. */
  tellMuting(reason: Reason): void {
    const turn = this.turnsQuiet()
    if (turn !== null) this.note(turn, SYSTEM, reason.text)
    this.tell(turn ?? 'updated', systemCause(reason))
  }

  /** Whether the last member that was heard fell silent, or the first was heard again. */
  private turnsQuiet(): 'suppressed' | 'unsuppressed' | null {
    const suppressed = this.incident.members_firing > 0 && this.row.members_heard === 0
    if (suppressed === this.incident.suppressed) return null
    return suppressed ? 'suppressed' : 'unsuppressed'
  }
}

function systemCause(reason: Reason): Cause {
  return { actor: SYSTEM, command_id: null, reason }
}

/** An incident that is about to be opened: revision 0, no member yet. */
export function newIncident(fields: {
  readonly id: string
  readonly alert: AlertRow['alert']
  readonly group: Incident['group']
  readonly group_key: string
  readonly rule: string
  readonly rules_version: string
  readonly opened_place: IncidentRow['opened_place']
  readonly now_ms: number
  readonly pace: NonNullable<IncidentRow['pace']> | null
}): IncidentRow {
  const { alert, now_ms } = fields
  const incident: Incident = {
    id: fields.id,
    scope: alert.scope,
    state: 'open',
    severity: alert.severity,
    title: titleOf(alert),
    group: fields.group,
    rule: fields.rule,
    rules_version: fields.rules_version,
    revision: 0,
    suppressed: false,
    first_event_at_ms: alert.starts_at_ms,
    opened_at_ms: now_ms,
    acknowledged_at_ms: null,
    mitigated_at_ms: null,
    resolved_at_ms: null,
    reviewed_at_ms: null,
    updated_at_ms: now_ms,
    assignee: null,
    merged_into: null,
    reopened: 0,
    members_total: 0,
    members_firing: 0,
    causes: [],
    members: [],
    tickets: [],
    timeline: [],
  }
  return {
    incident,
    group_key: fields.group_key,
    opened_place: fields.opened_place,
    members_heard: 0,
    last_joined_at_ms: now_ms,
    joined: [],
    ended: [],
    tell_at_ms: null,
    told_at_ms: now_ms,
    retire_at_ms: null,
    pace: fields.pace,
  }
}

export function titleOf(alert: AlertRow['alert']): string {
  const name = alert.labels['alertname'] ?? 'Alert'
  return alert.entity === '' || alert.entity === name ? name : `${name} on ${alert.entity}`
}
