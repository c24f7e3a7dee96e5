import type { Change } from '../schemas/change.ts'
import { comparePlaces, unseen } from '../schemas/places.ts'
import type { AlertsRecord, LogRecord, Origin, Place } from '../schemas/record.ts'
import { Repeats } from '../schemas/repeats.ts'
import { apply, storedKey } from './apply.ts'
import { withCauses } from './causes.ts'
import { decide } from './decide.ts'
import type { Event, Unassigned } from './decision.ts'
import type { Row, State } from './state.ts'
import type { Timer } from './timers.ts'

/** A record with the place and time that the log gave it. */
export interface Logged {
  readonly position: number
  readonly time_ms: number
  readonly record: LogRecord
}

/** What folding one or more records came to. Of several writes to one row the last one stands. */
export interface Outcome {
  readonly rows: Map<string, Row>
  readonly changes: Change[]
  readonly unassigned: Unassigned[]
  /** Alerts skipped because their place in their source was seen before. */
  skipped: number
}

export function emptyOutcome(): Outcome {
  return { rows: new Map(), changes: [], unassigned: [], skipped: 0 }
}

/**
 * Folds one record into the state: first everything that fell due by its time, each at its own due time, then the record.
 * So it makes no difference to the result whether a tick came in between (but see OUTAGE_MS in dedup.ts).
 */
export function foldRecord(state: State, logged: Logged, outcome: Outcome): void {
  const time_ms = Math.max(state.time_ms, logged.time_ms)
  settleDue(state, time_ms, outcome)
  install(state, [{ kind: 'time', key: 'time', value: time_ms }], outcome)
  const { record } = logged
  switch (record.kind) {
    case 'alerts':
      return foldAlerts(state, logged.position, record, outcome)
    case 'command':
      return step(state, { kind: 'command', command: record.command, place: [logged.position, 0] }, outcome)
    case 'topology':
      return step(state, { kind: 'topology', topology: record.topology }, outcome)
    case 'rules':
      return step(state, { kind: 'rules', rules: record.rules }, outcome)
    case 'tick':
  }
}

const NO_REPEATS = new Repeats(Buffer.alloc(0), [])

/** Repeats are numbered before alerts, whatever their order. */
function foldAlerts(state: State, position: number, record: AlertsRecord, outcome: Outcome): void {
  const { alerts, places, repeats = NO_REPEATS, repeats_before = [] } = record
  const key = originKey(record.origin)
  const highest = key === null ? undefined : state.origins.get(key)
  let repeat = unseen(repeats.places, highest)
  const first = unseen(places, highest)
  outcome.skipped += repeat + first
  if (repeat === repeats.count && first === alerts.length) return
  for (let i = first; i < alerts.length; i++) {
    for (const before = repeats_before[i] ?? 0; repeat < before; repeat++)
      foldRepeat(state, position, repeats, repeat, outcome)
    const place: Place = [position, repeats.count + i]
    step(state, { kind: 'alert', alert: alerts[i] as AlertsRecord['alerts'][number], place }, outcome)
  }
  for (; repeat < repeats.count; repeat++) foldRepeat(state, position, repeats, repeat, outcome)
  if (key === null) return
  const last = [repeats.places.at(-1), places.at(-1)].filter((place) => place !== undefined)
  install(state, [{ kind: 'origin', key, value: last.sort(comparePlaces).at(-1) as Place }], outcome)
}

function foldRepeat(state: State, position: number, repeats: Repeats, index: number, outcome: Outcome): void {
  if (state.derived.seen.covers(repeats, index, state.time_ms, state.rules.resolve_timeout_ms)) return
  const ends_at_ms = repeats.endsAt(index)
  const repeat = {
    fingerprint: repeats.fingerprint(index),
    starts_at_ms: repeats.startsAt(index),
    ends_at_ms: Number.isNaN(ends_at_ms) ? null : ends_at_ms,
  }
  step(state, { kind: 'repeat', repeat, place: [position, index] }, outcome)
}

function originKey(origin: Origin | null): string | null {
  return origin && `${origin.source}#${origin.partition}`
}

/** One event with all that follows from it at once. */
function step(state: State, event: Event, outcome: Outcome): void {
  take(state, event, outcome)
  const { dependencies } = state.derived
  if (!dependencies.inUse) return
  for (let turned = dependencies.takeTurned(); turned !== null; turned = dependencies.takeTurned())
    take(state, { kind: 'dependency-turned', turned }, outcome)
}

function take(state: State, event: Event, outcome: Outcome): void {
  const decided = decide(state, event)
  apply(state, decided.rows)
  const decision = withCauses(state, decided)
  if (decision !== decided) apply(state, decision.rows)
  for (const row of decision.rows) outcome.rows.set(storedKey(row), row)
  for (const change of decision.changes) outcome.changes.push(change)
  if (decision.unassigned) outcome.unassigned.push(decision.unassigned)
  if (decision.next) take(state, decision.next, outcome)
}

function install(state: State, rows: readonly Row[], outcome: Outcome): void {
  apply(state, rows)
  for (const row of rows) outcome.rows.set(storedKey(row), row)
}

function settleDue(state: State, until_ms: number, outcome: Outcome): void {
  const { timers } = state.derived
  for (let timer = timers.peek(); timer && timer.due_ms <= until_ms; timer = timers.peek()) {
    timers.take(timer)
    if (timer.due_ms > state.time_ms)
      install(state, [{ kind: 'time', key: 'time', value: timer.due_ms }], outcome)
    step(state, dueEvent(timer, until_ms), outcome)
  }
}

function dueEvent(timer: Timer, now_ms: number): Event {
  switch (timer.kind) {
    case 'alert':
      return { kind: 'alert-due', fingerprint: timer.key, late_ms: now_ms - timer.due_ms }
    case 'incident':
      return { kind: 'incident-due', incident_id: timer.key }
    case 'silence':
      return { kind: 'silence-due', silence_id: timer.key }
    case 'storm':
      return { kind: 'storm-due', scope: timer.key }
    case 'maintenance':
      return { kind: 'maintenance-due', name: timer.key }
    case 'shelf':
      return { kind: 'shelf-due' }
    case 'command':
      return { kind: 'command-due', command_id: timer.key }
    case 'waiting':
      return { kind: 'waiting-due', fingerprint: timer.key }
    case 'sighting':
      return { kind: 'sighting-due', key: timer.key }
    case 'heartbeat':
      return { kind: 'heartbeat-due', fingerprint: timer.key, late_ms: now_ms - timer.due_ms }
  }
}

/** When something falls due next; null when nothing will. */
export function dueAt(state: State): number | null {
  return state.derived.timers.peek()?.due_ms ?? null
}
