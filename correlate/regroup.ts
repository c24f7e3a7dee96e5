import type { Change } from '../schemas/change.ts'
import type { CommandBody } from '../schemas/command.ts'
import type { Reason } from '../schemas/incident.ts'
import type { Place } from '../schemas/record.ts'
import { type Cause, IncidentDraft, memberOf, newIncident } from './draft.ts'
import { firingMembers } from './home.ts'
import { groupKey } from './match/labels.ts'
import { linked } from './match/links.ts'
import { alertKind } from './match/mentions.ts'
import { openedId } from './match/seat.ts'
import type { AlertRow, IncidentRow, Row, State } from './state.ts'

export type Regrouping = Extract<CommandBody, { kind: 'move' | 'split' }>

/** What became of other incidents and of alerts. */
export interface Others {
  readonly rows: readonly Row[]
  readonly changes: readonly Change[]
}

/** The child hands its firing alerts to the parent and points to it; later alerts of its group go there too. */
export function merge(state: State, child: IncidentDraft, into: string, cause: Cause): Others {
  const parent = new IncidentDraft(state.incidents.get(into) as IncidentRow, state.time_ms)
  const reason: Reason = {
    ...cause.reason,
    code: 'merged',
    text: `Came with ${child.incident.id}, which ${cause.actor} merged into this incident.`,
  }
  const rows: Row[] = []
  for (const row of firingMembers(state, child.incident.id)) {
    const value: AlertRow = { ...row, incident_id: into, reason, joined_at_ms: state.time_ms }
    parent.join(value, false)
    child.row.ended = [...child.row.ended, memberOf({ ...row, firing: false, ended_at_ms: null })]
    rows.push({ kind: 'alert', key: row.alert.fingerprint, value })
  }
  child.incident.members_firing = 0
  child.row.members_heard = 0
  child.incident.members = child.incident.members.map((member) => ({ ...member, firing: false }))
  child.incident.merged_into = into
  child.setState('merged', state.rules.retain_resolved_ms)
  child.note('merged', cause.actor, cause.reason.text)
  child.tell('merged', cause)
  parent.note('merged', cause.actor, reason.text)
  parent.tell('grown', { actor: cause.actor, command_id: null, reason })
  rows.push({ kind: 'incident', key: into, value: parent.row })
  return { rows, changes: parent.changes }
}

/** What is learned from a merge that an operator wanted. */
export function learnMerge(state: State, child: IncidentRow, into: string, actor: string): readonly Row[] {
  const kinds = [kindsIn(state, child.incident.id), kindsIn(state, into)] as const
  return linked(state, child.incident.scope, actor, [{ kinds, together: true }])
}

/** Moves firing alerts of an incident to another one, or to one of their own. Returns why not as text. */
export function regroup(
  state: State,
  source: IncidentDraft,
  body: Regrouping,
  cause: Cause,
  place: Place,
): Others | string {
  const firing = firingMembers(state, source.incident.id)
  const wanted = new Set(body.fingerprints)
  const moving = firing.filter(({ alert }) => wanted.has(alert.fingerprint))
  const [first] = moving
  if (first === undefined) return 'none of these alerts fires in the incident'
  const staying = firing.filter(({ alert }) => !wanted.has(alert.fingerprint))
  if (body.kind === 'split' && staying.length === 0)
    return 'all alerts that fire would leave: there is nothing to split off'
  const target = targetOf(state, source, body, first, place)
  const { id } = target.incident
  const reason: Reason = {
    ...cause.reason,
    code: 'moved',
    text: `Moved from ${source.incident.id} by ${cause.actor}.`,
  }
  const rows: Row[] = []
  for (const row of moving) {
    source.end({ ...row, firing: false, ended_at_ms: state.time_ms }, row.silenced_by.length === 0)
    const value: AlertRow = { ...row, incident_id: id, reason, joined_at_ms: state.time_ms }
    target.join(value, false)
    rows.push({ kind: 'alert', key: row.alert.fingerprint, value })
  }
  source.note('moved', cause.actor, cause.reason.text)
  source.tell('updated', cause)
  target.note(body.kind === 'split' ? 'opened' : 'moved', cause.actor, reason.text)
  target.tell(body.kind === 'split' ? 'opened' : 'grown', { actor: cause.actor, command_id: null, reason })
  rows.push({ kind: 'incident', key: id, value: target.row })
  const moved = new Set(moving.map(({ alert }) => alertKind(alert)))
  const stayed = new Set(staying.map(({ alert }) => alertKind(alert)))
  const { scope } = source.incident
  const apart = { kinds: [moved, stayed], together: false } as const
  const together = { kinds: [moved, kindsIn(state, id)], together: true } as const
  const said = body.kind === 'move' ? [apart, together] : [apart]
  return { rows: [...rows, ...linked(state, scope, cause.actor, said)], changes: target.changes }
}

function kindsIn(state: State, incident_id: string): ReadonlySet<string> {
  return new Set(firingMembers(state, incident_id).map(({ alert }) => alertKind(alert)))
}

function targetOf(
  state: State,
  source: IncidentDraft,
  body: Regrouping,
  first: AlertRow,
  place: Place,
): IncidentDraft {
  if (body.kind === 'move')
    return new IncidentDraft(state.incidents.get(body.into) as IncidentRow, state.time_ms)
  const { alert } = first
  const { pace } = source.row
  const blank = newIncident({
    id: openedId(state, first, place),
    alert,
    group: {},
    group_key: groupKey(alert.scope, '', { fingerprint: alert.fingerprint }),
    rule: '',
    rules_version: state.rules.version,
    opened_place: place,
    now_ms: state.time_ms,
    pace: pace ? { ...pace, beside: null, bridged: [], anew_at_ms: [] } : null,
  })
  return new IncidentDraft(blank, state.time_ms)
}
