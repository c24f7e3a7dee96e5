import type { Severity } from '../schemas/alert.ts'
import { compareSeverity } from '../schemas/alert.ts'
import type { ChangeKind } from '../schemas/change.ts'
import type { Ticket } from '../schemas/command.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Incident, IncidentState, TimelineEntry } from '../schemas/incident.ts'

/**
 * What is known about one incident's copy in one sink, and what to do next about it. Pure: time is an argument,
 * and what an attempt will tell is noted in the row before the attempt begins.
 */

export const DELIVERY_STATES = [
  'pending',
  'in-flight',
  'delivered',
  'retrying',
  'failed-for-good',
  'disabled',
] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

export const ACTIONS = ['create', 'update', 'close', 'reopen', 'look-up'] as const
export type Action = (typeof ACTIONS)[number]

/** What a sink is told of an incident: a bounded extract of its newest change. */
export interface Summary
  extends Pick<
    Incident,
    | 'scope'
    | 'state'
    | 'severity'
    | 'title'
    | 'group'
    | 'rule'
    | 'revision'
    | 'suppressed'
    | 'first_event_at_ms'
    | 'opened_at_ms'
    | 'acknowledged_at_ms'
    | 'resolved_at_ms'
    | 'assignee'
    | 'merged_into'
    | 'reopened'
    | 'members_total'
    | 'members_firing'
  > {
  readonly incident_id: string
  readonly change_id: string
  readonly kind: ChangeKind
  readonly at_ms: number
  readonly actor: string
  /** Why its alerts belong together. */
  readonly reason: string
  /** The first members by arrival. */
  readonly members: readonly {
    readonly entity: string
    readonly severity: Severity
    readonly firing: boolean
    readonly starts_at_ms: number
  }[]
  /** Entries of the diary that the sink has not been told, oldest first. */
  readonly news: readonly TimelineEntry[]
}

/** What the sink's copy says. */
export interface Told extends Pick<Summary, 'state' | 'severity' | 'assignee' | 'members_total'> {
  readonly revision: number
  readonly closed: boolean
  readonly at_ms: number
}

/** Stored before an attempt begins. Until `deadline_ms` the sink may still carry it out. */
export interface Intent {
  readonly kind: Action
  readonly attempt: number
  readonly started_at_ms: number
  readonly deadline_ms: number
  readonly tells: Told
}

export interface DeliveryRow {
  readonly incident_id: string
  readonly sink: string
  readonly state: DeliveryState
  /** The newest revision seen. */
  readonly wanted: Summary
  /** The newest revision that is worth telling, and the newest that is not held back. */
  readonly tell_revision: number
  readonly urgent_revision: number
  readonly told: Told | null
  readonly external_id: string | null
  readonly url: string | null
  /** Begun since the last success. */
  readonly attempts: number
  readonly intent: Intent | null
  /** What a creation told whose outcome is not known: nothing is created before a look-up said that it is absent. */
  readonly unsure: Told | null
  /** What an idempotent sink may have been told as the beginning: it is repeated as it was, so that it is dropped as a repetition. */
  readonly creation: Summary | null
  readonly next_try_at_ms: number | null
  readonly error: { readonly code: string; readonly status: number | null; readonly at_ms: number } | null
  readonly created_at_ms: number
  readonly updated_at_ms: number
}

export interface SinkPolicy {
  readonly sink: string
  readonly min_severity: Severity
  /** Growth is told at most this often. */
  readonly update_interval_ms: number
  /** An attempt is given up after this long (a creation is one request, and the wait when its outcome is unknown is long enough) … */
  readonly create_timeout_ms: number
  readonly attempt_timeout_ms: number
  /** … and cannot have an effect any more after that much longer. */
  readonly settle_ms: number
  /** The receiver drops what it has had by its id: sending again is harmless, and there is nothing to look up. */
  readonly idempotent: boolean
  readonly silent: readonly ChangeKind[]
}

export type Next =
  | { readonly action: Action; readonly reason: string }
  | {
      readonly action: 'wait'
      readonly until_ms: number
      readonly reason: 'attempt-may-be-running' | 'backoff' | 'held-back'
    }
  | {
      readonly action: 'none'
      readonly reason: 'told' | 'suppressed' | 'merged-before-told' | 'failed-for-good' | 'disabled'
    }

/**
 * How an attempt ended. `ok` answers a look-up that found the ticket as well. `not_done` says that the sink certainly did
 * nothing (it was not reached, or it refused before acting).
 */
export type Result =
  | { readonly kind: 'ok'; readonly external_id: string | null; readonly url: string | null }
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'retry'
      readonly code: string
      readonly status: number | null
      readonly retry_after_ms: number | null
      readonly not_done: boolean
    }
  | { readonly kind: 'refused'; readonly code: string; readonly status: number | null }
  | { readonly kind: 'gone'; readonly code: string; readonly status: number | null }

export const BACKOFF = { first_ms: 1_000, max_ms: 300_000, retry_after_max_ms: 3_600_000 } as const

/** How long the row of a closed incident is kept after its last step, so that a reopened incident finds its ticket. */
export const RETAIN_CLOSED_MS = 7 * 86_400_000

const HELD_BACK: ReadonlySet<ChangeKind> = new Set([
  'grown',
  'suppressed',
  'unsuppressed',
  'severity-changed',
])
const CLOSED: ReadonlySet<IncidentState> = new Set(['resolved', 'reviewed', 'merged'])

export function deliveryKey(incident_id: string, sink: string): string {
  return `d/${incident_id}/${sink}`
}

function newRow(wanted: Summary, sink: string, ticket: Ticket | null): DeliveryRow {
  return {
    incident_id: wanted.incident_id,
    sink,
    state: 'pending',
    wanted,
    tell_revision: wanted.revision,
    urgent_revision: wanted.revision,
    told: null,
    external_id: ticket?.external_id ?? null,
    url: ticket?.url ?? null,
    attempts: 0,
    intent: null,
    unsure: null,
    creation: null,
    next_try_at_ms: null,
    error: null,
    created_at_ms: wanted.at_ms,
    updated_at_ms: wanted.at_ms,
  }
}

function isUrgent(row: DeliveryRow, wanted: Summary): boolean {
  if (!HELD_BACK.has(wanted.kind)) return true
  return compareSeverity(wanted.severity, (row.told ?? row.wanted).severity) < 0
}

/**
 * The row after a change of its incident; null while the sink is not to know of it. A ticket that somebody linked to the
 * incident for this sink is taken over instead of creating another one.
 */
export function want(
  row: DeliveryRow | null,
  wanted: Summary,
  linked: Ticket | null,
  policy: SinkPolicy,
): DeliveryRow | null {
  if (row !== null && wanted.revision <= row.wanted.revision) return row
  if (row === null) {
    const unheard =
      wanted.suppressed ||
      CLOSED.has(wanted.state) ||
      compareSeverity(wanted.severity, policy.min_severity) > 0
    // With a ticket the incident is known to the sink, so that even its closing is told.
    return unheard && linked === null ? null : newRow(wanted, policy.sink, linked)
  }
  const silent = policy.silent.includes(wanted.kind)
  const urgent = !silent && isUrgent(row, wanted)
  const adopt =
    linked !== null &&
    row.external_id === null &&
    row.told === null &&
    row.intent === null &&
    row.unsure === null
  // What was refused for good is tried once more when something important happens: the world may have been mended.
  const revived = row.state === 'failed-for-good' && urgent
  return withState({
    ...row,
    ...(adopt ? { external_id: linked.external_id, url: linked.url } : {}),
    state: revived ? 'pending' : row.state,
    wanted,
    tell_revision: silent ? row.tell_revision : wanted.revision,
    urgent_revision: urgent ? wanted.revision : row.urgent_revision,
    updated_at_ms: Math.max(row.updated_at_ms, wanted.at_ms),
  })
}

/** What the sink's copy lacks, leaving aside attempts and their times. */
function lacking(row: DeliveryRow, policy: Pick<SinkPolicy, 'update_interval_ms'>, now_ms: number): Next {
  const { told, wanted } = row
  const closed = CLOSED.has(wanted.state)
  if (told === null && row.unsure !== null) return { action: 'look-up', reason: 'creation-in-doubt' }
  if (wanted.suppressed && !closed) return { action: 'none', reason: 'suppressed' }
  if (told === null && row.external_id !== null)
    return { action: closed ? 'close' : 'update', reason: 'ticket-linked-by-hand' }
  if (told === null && row.creation === null && wanted.merged_into !== null)
    return { action: 'none', reason: 'merged-before-told' }
  if (told === null) return { action: 'create', reason: 'not-told-yet' }
  if (closed !== told.closed || told.revision === UNKNOWN_REVISION)
    return { action: closed ? 'close' : 'reopen', reason: `state-${wanted.state}` }
  if (row.tell_revision <= told.revision) return { action: 'none', reason: 'told' }
  const due_ms = row.urgent_revision > told.revision ? now_ms : told.at_ms + policy.update_interval_ms
  if (due_ms > now_ms) return { action: 'wait', until_ms: due_ms, reason: 'held-back' }
  return { action: 'update', reason: 'newer-revision' }
}

/** What to do about a row that has no attempt of this process in flight. */
export function next(row: DeliveryRow, policy: SinkPolicy, now_ms: number): Next {
  if (row.state === 'failed-for-good' || row.state === 'disabled')
    return { action: 'none', reason: row.state }
  const { intent } = row
  // An intent that nobody settled: its owner died or was replaced, and its request may be under way.
  if (intent !== null && intent.kind !== 'look-up' && !policy.idempotent && now_ms < intent.deadline_ms) {
    return { action: 'wait', until_ms: intent.deadline_ms, reason: 'attempt-may-be-running' }
  }
  const todo = lacking(row, policy, now_ms)
  if (todo.action === 'none' || row.next_try_at_ms === null || row.next_try_at_ms <= now_ms) return todo
  if (todo.action === 'wait' && todo.until_ms > row.next_try_at_ms) return todo
  return { action: 'wait', until_ms: row.next_try_at_ms, reason: 'backoff' }
}

/** The revision that a copy tells of which only is known that it may be there. */
const UNKNOWN_REVISION = 0

/**
 * The row when the store may have lost that a creation was begun before `since_ms`: nothing is created before a look-up, once
 * what may have been under way then cannot have an effect any more. What a ticket that is found says is not known.
 */
export function doubted(row: DeliveryRow, policy: SinkPolicy, since_ms: number): DeliveryRow {
  if (policy.idempotent || row.told !== null || row.external_id !== null) return row
  const { state, severity, assignee, members_total } = row.unsure ?? row.wanted
  // Even of a creation that is stored: a later one may have been forgotten, and what became of its ticket.
  const revision = UNKNOWN_REVISION
  const unsure = { state, severity, assignee, members_total, revision, closed: false, at_ms: since_ms }
  const settled_at_ms = since_ms + policy.create_timeout_ms + policy.settle_ms
  return { ...row, unsure, next_try_at_ms: Math.max(row.next_try_at_ms ?? 0, settled_at_ms) }
}

/** The row to store before the attempt begins. */
export function began(row: DeliveryRow, action: Action, policy: SinkPolicy, now_ms: number): DeliveryRow {
  const creation = action === 'create' && policy.idempotent ? (row.creation ?? row.wanted) : null
  const { state, severity, assignee, members_total, revision } = creation ?? row.wanted
  // A new ticket is open, whatever the incident is by now; an event says what is.
  const closed = (action !== 'create' || policy.idempotent) && CLOSED.has(state)
  const tells: Told = { state, severity, assignee, members_total, revision, closed, at_ms: now_ms }
  const timeout_ms = action === 'create' ? policy.create_timeout_ms : policy.attempt_timeout_ms
  const deadline_ms = now_ms + timeout_ms + policy.settle_ms
  return {
    ...row,
    state: 'in-flight',
    attempts: row.attempts + 1,
    intent: { kind: action, attempt: row.attempts + 1, started_at_ms: now_ms, deadline_ms, tells },
    unsure: action === 'create' && !policy.idempotent ? tells : row.unsure,
    creation,
    next_try_at_ms: null,
    updated_at_ms: now_ms,
  }
}

/** Exponential, between half and all of the step: spread by a hash, so that the same row waits the same time in every run. */
function backoffMs(row: DeliveryRow): number {
  const step_ms = Math.min(BACKOFF.max_ms, BACKOFF.first_ms * 2 ** Math.min(row.attempts - 1, 20))
  const share = partitionOf(`${row.incident_id}/${row.sink}/${row.attempts}`, 1_024) / 1_024
  return Math.round(step_ms * (0.5 + share / 2))
}

function succeeded(
  row: DeliveryRow,
  intent: Intent,
  result: Extract<Result, { kind: 'ok' }>,
  now_ms: number,
): DeliveryRow {
  const tells = intent.kind === 'look-up' ? (row.unsure ?? intent.tells) : intent.tells
  return {
    ...row,
    state: 'delivered',
    told: { ...tells, at_ms: now_ms },
    external_id: result.external_id ?? row.external_id,
    url: result.url ?? row.url,
    attempts: 0,
    unsure: null,
    creation: null,
    error: null,
  }
}

function failed(
  row: DeliveryRow,
  intent: Intent,
  result: Exclude<Result, { kind: 'ok' | 'absent' }>,
  now_ms: number,
): DeliveryRow {
  const error = { code: result.code, status: result.status, at_ms: now_ms }
  // Whoever refuses a creation has not created.
  const unsure = intent.kind === 'create' ? null : row.unsure
  if (result.kind === 'gone') return { ...row, state: 'disabled', error, unsure, creation: null }
  if (result.kind === 'refused') return { ...row, state: 'failed-for-good', error, unsure, creation: null }
  const asked_ms = Math.min(result.retry_after_ms ?? 0, BACKOFF.retry_after_max_ms)
  const again_at_ms = now_ms + Math.max(backoffMs(row), asked_ms)
  if (result.not_done) {
    const creation = row.attempts === 1 ? null : row.creation
    return { ...row, state: 'retrying', error, unsure, creation, next_try_at_ms: again_at_ms }
  }
  const running = intent.kind === 'create' && row.unsure !== null
  return {
    ...row,
    state: 'retrying',
    error,
    next_try_at_ms: running ? Math.max(again_at_ms, intent.deadline_ms) : again_at_ms,
  }
}

/** The row after its attempt ended. A row without an intent stays as it is. */
export function settled(row: DeliveryRow, result: Result, now_ms: number): DeliveryRow {
  const { intent } = row
  if (intent === null) return row
  const rest = { ...row, intent: null, next_try_at_ms: null, updated_at_ms: now_ms }
  if (result.kind === 'ok') return withState(succeeded(rest, intent, result, now_ms))
  // A look-up that finds nothing is no failure, but the creation before it was.
  if (result.kind === 'absent') return { ...rest, state: 'retrying', unsure: null }
  return failed(rest, intent, result, now_ms)
}

/** Tells apart what is told and what waits; failures and attempts keep their state. */
function withState(row: DeliveryRow): DeliveryRow {
  if (row.state !== 'pending' && row.state !== 'delivered') return row
  const { action, reason } = lacking(row, { update_interval_ms: 0 }, Number.MAX_SAFE_INTEGER)
  const rests = action === 'none' && (row.told !== null || reason !== 'suppressed')
  return { ...row, state: rests ? 'delivered' : 'pending' }
}

/**
 * When a row may be forgotten: its incident is closed, and nothing is left to do or its sink is no longer configured
 * (`policy` null). Null: not foreseen.
 */
export function retiresAt(row: DeliveryRow, policy: SinkPolicy | null): number | null {
  if (!CLOSED.has(row.wanted.state)) return null
  const rests = policy === null || next(row, policy, Number.MAX_SAFE_INTEGER).action === 'none'
  return rests ? row.updated_at_ms + RETAIN_CLOSED_MS : null
}
