import type { Command, CommandBody } from '../schemas/command.ts'
import type { IncidentState, Reason } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { Place } from '../schemas/record.ts'
import type { Rules } from '../schemas/rules.ts'
import { noteChange } from './change_events.ts'
import { endedRow, firingMembers, isUnresolved } from './home.ts'
import { type Decision, type Done, NOTHING } from './decision.ts'
import { type Cause, IncidentDraft, SYSTEM } from './draft.ts'
import { learnMerge, merge, type Others, regroup } from './regroup.ts'
import type { AlertRow, CommandOutcome, IncidentRow, Row, State } from './state.ts'
import { changeMaintenance } from './maintenance.ts'
import { shelve, shelvingFault, unshelve, unshelvingFault } from './shelves.ts'
import { changeSilences } from './silences.ts'
import { reasonOf } from './match/why.ts'

type OnIncident = Extract<CommandBody, { incident_id: string }>

/** The states from which a command is possible. */
const FROM: Readonly<
  Record<
    Exclude<OnIncident['kind'], 'comment' | 'assign' | 'link-ticket' | 'unshelve'>,
    readonly IncidentState[]
  >
> = {
  acknowledge: ['open'],
  mitigate: ['open', 'acknowledged'],
  resolve: ['open', 'acknowledged', 'mitigated'],
  review: ['resolved'],
  reopen: ['resolved', 'reviewed'],
  merge: ['open', 'acknowledged', 'mitigated'],
  move: ['open', 'acknowledged', 'mitigated'],
  split: ['open', 'acknowledged', 'mitigated'],
  shelve: ['open', 'acknowledged', 'mitigated'],
}

/** Resolves the incident when no member fires, else tells the ending. Never resolves while a member fires. */
export function resolveIfQuiet(draft: IncidentDraft, rules: Rules, code: 'timeout' | null): void {
  const { incident } = draft
  if (incident.members_firing > 0 || !isUnresolved(draft.row))
    return draft.tellSoon(draft.endingReason(rules.version), rules.growth_interval_ms)
  const why: Pick<Reason, 'code' | 'text'> =
    code === 'timeout'
      ? { code, text: `The last alert was not repeated for ${rules.resolve_timeout_ms / 1000} s.` }
      : { code: 'alerts-resolved', text: 'All alerts have resolved.' }
  const reason: Reason = { ...why, rule: incident.rule, rules_version: rules.version }
  incident.resolved_at_ms = draft.now_ms
  draft.setState('resolved', rules.retain_resolved_ms)
  draft.note('resolved', SYSTEM, reason.text)
  draft.tell('resolved', { actor: SYSTEM, command_id: null, reason })
}

/** An alert that had stopped fires again: it comes back, and a closed incident opens again. `known`: it is counted there already. */
export function fireAgain(state: State, home: IncidentRow, row: AlertRow, known: boolean): Decision {
  const { rules } = state
  const draft = new IncidentDraft(home, state.time_ms)
  const raised = draft.join(row, known)
  const cause: Cause = { actor: SYSTEM, command_id: null, reason: reasonOf(row.reason) }
  if (!isUnresolved(home)) reopen(draft, cause)
  else if (raised) draft.tell('severity-changed', cause)
  else draft.tellSoon(row.reason, rules.growth_interval_ms)
  return {
    rows: [
      { kind: 'alert', key: row.alert.fingerprint, value: row },
      { kind: 'incident', key: draft.incident.id, value: draft.row },
    ],
    changes: draft.changes,
  }
}

function reopen(draft: IncidentDraft, cause: Cause): void {
  const { incident } = draft
  incident.reopened++
  incident.resolved_at_ms = null
  incident.mitigated_at_ms = null
  incident.reviewed_at_ms = null
  draft.setState('open', null)
  draft.note('reopened', cause.actor, cause.reason.text)
  draft.tell('reopened', cause)
}

/** One command of an operator or a ticket: carried out or refused, with one change either way when it names a known incident. */
export function carryOut(state: State, command: Command, place: Place): Decision {
  if (state.commands.has(command.id)) return NOTHING
  const done = perform(state, command, place)
  const outcome: CommandOutcome = { at_ms: state.time_ms, refused: done.refused }
  return {
    rows: [...done.rows, ...evicted(state), { kind: 'command', key: command.id, value: outcome }],
    changes: done.changes,
  }
}

function perform(state: State, command: Command, place: Place): Done {
  const { actor, body } = command
  switch (body.kind) {
    case 'silence':
    case 'expire-silence':
      return changeSilences(state, actor, body)
    case 'maintenance':
    case 'end-maintenance':
      return changeMaintenance(state, actor, body)
    case 'change-event':
      return noteChange(state, body)
    default:
      return onIncident(state, command, body, place)
  }
}

/** The oldest remembered command makes room when there are too many. */
function evicted(state: State): Row[] {
  if (state.commands.size < LIMITS.commands_remembered_per_partition) return []
  let oldest: readonly [key: string, at_ms: number] | null = null
  for (const [key, { at_ms }] of state.commands) {
    if (!oldest || at_ms < oldest[1] || (at_ms === oldest[1] && key < oldest[0])) oldest = [key, at_ms]
  }
  return oldest ? [{ kind: 'command', key: oldest[0], value: null }] : []
}

function onIncident(state: State, command: Command, body: OnIncident, place: Place): Done {
  const home = state.incidents.get(body.incident_id)
  if (!home) return { rows: [], changes: [], refused: `no incident ${body.incident_id} is known here` }
  const refused = refusal(state, home, body)
  if (refused !== null) return refuse(state, home, command, refused)
  const draft = new IncidentDraft(home, state.time_ms)
  const reason: Reason = {
    code: 'operator',
    rule: '',
    rules_version: state.rules.version,
    text: sentence(body, state.time_ms),
  }
  const cause: Cause = { actor: command.actor, command_id: command.id, reason }
  const others = carriedOut(state, draft, body, cause, place)
  if (typeof others === 'string') return refuse(state, home, command, others)
  return {
    rows: [{ kind: 'incident', key: home.incident.id, value: draft.row }, ...others.rows],
    changes: [...draft.changes, ...others.changes],
    refused: null,
  }
}

function refuse(state: State, home: IncidentRow, { id, actor, body }: Command, refused: string): Done {
  const draft = new IncidentDraft(home, state.time_ms)
  const rules_version = state.rules.version
  draft.note('command-refused', actor, `${body.kind}: ${refused}`)
  draft.tell('command-refused', {
    actor,
    command_id: id,
    reason: { code: 'refused', rule: '', rules_version, text: refused },
  })
  return {
    rows: [{ kind: 'incident', key: home.incident.id, value: draft.row }],
    changes: draft.changes,
    refused,
  }
}

/** Returns why not as text. */
function carriedOut(
  state: State,
  draft: IncidentDraft,
  body: OnIncident,
  cause: Cause,
  place: Place,
): Others | string {
  if (body.kind === 'merge') {
    const learned = learnMerge(state, draft.row, body.into, cause.actor)
    const merged = merge(state, draft, body.into, cause)
    return { ...merged, rows: [...merged.rows, ...learned] }
  }
  if (body.kind !== 'move' && body.kind !== 'split') return takeStep(state, draft, body, cause)
  const others = regroup(state, draft, body, cause, place)
  if (typeof others !== 'string' && draft.incident.members_firing === 0)
    resolveIfQuiet(draft, state.rules, null)
  return others
}

/** Why a command is not possible, as far as the incidents alone tell; null when it is. */
export function refusal(state: State, home: IncidentRow, body: OnIncident): string | null {
  const { incident } = home
  if (body.kind === 'comment' || body.kind === 'assign') return null
  if (body.kind === 'unshelve') return unshelvingFault(state, body)
  if (body.kind === 'link-ticket') {
    return incident.tickets.length < LIMITS.tickets_per_incident
      ? null
      : `the incident has ${LIMITS.tickets_per_incident} tickets already`
  }
  if (!FROM[body.kind].includes(incident.state))
    return `${body.kind} is not possible while the incident is ${incident.state}; it is from ${FROM[body.kind].join(', ')}`
  if (body.kind === 'shelve') return shelvingFault(state, body)
  if (body.kind !== 'merge' && body.kind !== 'move') return null
  const parent = state.incidents.get(body.into)
  if (!parent || parent.incident.scope !== incident.scope)
    return `no incident ${body.into} is known in scope ${incident.scope}`
  if (body.into === incident.id)
    return body.kind === 'merge' ? 'an incident cannot be merged into itself' : 'the alerts are there already'
  if (!isUnresolved(parent)) return `the incident ${body.into} is ${parent.incident.state}`
  return null
}

/** What was done, in words; who did it stands beside it. */
function sentence(body: OnIncident, now_ms: number): string {
  switch (body.kind) {
    case 'assign':
      return body.assignee === null ? 'Assigned to nobody.' : `Assigned to ${body.assignee}.`
    case 'merge':
      return `Merged into ${body.into}.`
    case 'move':
      return `${countOf(body.fingerprints)} moved to ${body.into}.`
    case 'split':
      return `${countOf(body.fingerprints)} moved to an incident of their own.`
    case 'shelve':
      return withComment(`Shelved for ${(body.until_ms - now_ms) / 1_000} s`, body.comment)
    case 'unshelve':
      return 'Unshelved.'
    case 'link-ticket':
      return `Ticket ${body.ticket.external_id} of ${body.ticket.sink}.`
    case 'comment':
      return body.comment
    case 'acknowledge':
      return 'Acknowledged.'
    case 'mitigate':
      return withComment('Mitigated', body.comment)
    case 'resolve':
      return withComment('Resolved by hand', body.comment)
    case 'review':
      return withComment('Reviewed', body.comment)
    case 'reopen':
      return withComment('Reopened by hand', body.comment)
  }
}

function countOf(fingerprints: readonly string[]): string {
  return fingerprints.length === 1 ? 'An alert' : `${fingerprints.length} alerts`
}

function withComment(done: string, comment: string | undefined): string {
  return comment === undefined ? `${done}.` : `${done}: ${comment}`
}

const NO_OTHERS: Others = { rows: [], changes: [] }

function takeStep(
  state: State,
  draft: IncidentDraft,
  body: Exclude<OnIncident, { kind: 'merge' | 'move' | 'split' }>,
  cause: Cause,
): Others {
  const { incident } = draft
  const now_ms = state.time_ms
  const told = {
    acknowledge: 'acknowledged',
    mitigate: 'mitigated',
    resolve: 'resolved',
    review: 'reviewed',
    reopen: 'reopened',
    assign: 'assigned',
    comment: 'commented',
    'link-ticket': 'ticket-linked',
    shelve: 'shelved',
    unshelve: 'unshelved',
  } as const
  if (body.kind === 'reopen') {
    reopen(draft, cause)
    return NO_OTHERS
  }
  let rows: Row[] = []
  if (body.kind === 'acknowledge') {
    incident.acknowledged_at_ms ??= now_ms
    incident.assignee ??= cause.actor
    draft.setState('acknowledged', null)
  } else if (body.kind === 'mitigate') {
    incident.acknowledged_at_ms ??= now_ms
    incident.mitigated_at_ms = now_ms
    draft.setState('mitigated', null)
  } else if (body.kind === 'resolve') {
    rows = dismissMembers(state, draft)
    incident.resolved_at_ms = now_ms
    draft.setState('resolved', state.rules.retain_resolved_ms)
  } else if (body.kind === 'shelve') {
    rows = shelve(state, draft, body, cause.actor)
  } else if (body.kind === 'unshelve') {
    rows = unshelve(state, draft, body)
  } else if (body.kind === 'review') {
    incident.reviewed_at_ms = now_ms
    draft.setState('reviewed', state.rules.retain_resolved_ms)
  } else if (body.kind === 'assign') {
    incident.assignee = body.assignee
  } else if (body.kind === 'link-ticket') {
    incident.tickets = [...incident.tickets.filter((ticket) => ticket.sink !== body.ticket.sink), body.ticket]
  }
  draft.note(told[body.kind], cause.actor, cause.reason.text)
  draft.tell(told[body.kind], cause)
  return { rows, changes: [] }
}

/** An operator says that it is over while alerts still fire: these count for nothing until they fire anew. */
function dismissMembers(state: State, draft: IncidentDraft): Row[] {
  return firingMembers(state, draft.incident.id).map((row) => {
    // What flapped begins its history anew; what rests has really ended.
    const { history, ...rest } = row
    const rested_ms = history?.rests_since_ms ?? null
    const value: AlertRow =
      rested_ms === null
        ? { ...rest, dismissed: true, updated_at_ms: state.time_ms }
        : endedRow(state, rest, rested_ms, null)
    draft.end(value, row.silenced_by.length === 0)
    return { kind: 'alert', key: row.alert.fingerprint, value }
  })
}
