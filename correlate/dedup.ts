import type { Alert, Labels } from '../schemas/alert.ts'
import type { Reason } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { Place } from '../schemas/record.ts'
import type { Rules } from '../schemas/rules.ts'
import { type Decision, NOTHING, type Repeat } from './decision.ts'
import { IncidentDraft, SYSTEM } from './draft.ts'
import { flappingEnds, rests, turnedNow } from './flapping.ts'
import { endedRow, flaps, forgetAt, homeOf, isUnresolved } from './home.ts'
import { fireAgain, resolveIfQuiet } from './lifecycle.ts'
import { beginAnew, isAnew } from './match/anew.ts'
import { sightings } from './match/by_pair.ts'
import { isChronic } from './match/learned.ts'
import { placeAlert } from './match/place.ts'
import type { AlertRow, Held, History, Row, State } from './state.ts'
import { silencedBy } from './suppress.ts'
import { reasonOf } from './match/why.ts'

/** Ends in the future are rounded up to this, so that a repeat writes at most once in this time. */
const END_BUCKET_MS = 15_000
/** A timer that comes up this late means that nobody kept the clock: the system was down, not the alert over. */
const OUTAGE_MS = 30_000

function roundedUp(ms: number): number {
  return Math.ceil(ms / END_BUCKET_MS) * END_BUCKET_MS
}

/** When the alert stops unless it is repeated. */
function expiry(alert: Alert, now_ms: number, rules: Rules): { expires_at_ms: number; by_timeout: boolean } {
  if (alert.ends_at_ms === null) return { expires_at_ms: now_ms + rules.resolve_timeout_ms, by_timeout: true }
  return { expires_at_ms: alert.ends_at_ms, by_timeout: false }
}

function isResolved(alert: Alert, now_ms: number): boolean {
  return alert.ends_at_ms !== null && alert.ends_at_ms <= now_ms
}

/** A repeat stands for the newest statement of its alert, with other times. */
export function repeated(state: State, { fingerprint, ...times }: Repeat, place: Place): Decision {
  const row = state.alerts.get(fingerprint)
  if (row) return arrive(state, { ...row.alert, ...times, repeats: 1 }, place, true)
  const full = state.derived.firing >= LIMITS.active_alerts_per_partition
  return {
    ...NOTHING,
    unassigned: { fingerprint, code: full ? 'active-alerts-bound' : 'repeat-unknown' },
  }
}

/**
 * One alert of a record: a first sight, a repeat, the end of one that fires, or one that fires again. `same_statement`: it was told
 * in the same words before, so whatever start they name, it did not begin anew.
 */
export function arrive(state: State, alert: Alert, place: Place, same_statement = false): Decision {
  const { rules } = state
  const row = state.alerts.get(alert.fingerprint)
  const resolved = isResolved(alert, state.time_ms)
  if (!row) {
    if (resolved)
      return { ...NOTHING, unassigned: { fingerprint: alert.fingerprint, code: 'resolved-unknown' } }
    if (state.derived.firing >= LIMITS.active_alerts_per_partition) {
      return { ...NOTHING, unassigned: { fingerprint: alert.fingerprint, code: 'active-alerts-bound' } }
    }
    return settle(state, freshRow(state, alert, rules), '', place)
  }
  if (!row.firing) return resolved ? NOTHING : again(state, row, alert, rules, place)
  if (rests(row)) return resolved ? NOTHING : resume(state, row, alert)
  if (resolved)
    return end(state, { ...row, alert: asEnded(row.alert, alert) }, alert.ends_at_ms as number, null)
  if (row.dismissed && alert.starts_at_ms > row.updated_at_ms) return again(state, row, alert, rules, place)
  const may_be_anew = !same_statement && !row.dismissed && !alert.start_assumed
  if (may_be_anew && isAnew(state, row, alert.starts_at_ms))
    return beginAnew(state, repeatedRow(state, row, alert, rules), place)
  return repeat(state, row, alert, rules)
}

function freshRow(state: State, alert: Alert, rules: Rules): AlertRow {
  return {
    alert,
    incident_id: '',
    firing: true,
    dismissed: false,
    ...expiry(alert, state.time_ms, rules),
    ended_at_ms: null,
    silenced_by: silencedBy(state, alert),
    joined_at_ms: state.time_ms,
    updated_at_ms: state.time_ms,
    forget_at_ms: null,
    reason: { code: 'new-group', rule: '', rules_version: rules.version, text: '' },
  }
}

/** The earlier start and the newer content, as Alertmanager merges two statements of one alert. */
function merged(old: Alert, alert: Alert): Alert {
  return { ...alert, starts_at_ms: Math.min(old.starts_at_ms, alert.starts_at_ms), repeats: 1 }
}

/** An end may tell no more than which alert it ends; what the alert was stays. */
function asEnded(old: Alert, alert: Alert): Alert {
  const { labels, severity, entity } = old
  const annotations = Object.keys(alert.annotations).length === 0 ? old.annotations : alert.annotations
  return { ...merged(old, alert), labels, severity, entity, annotations }
}

/** Links to the sender do not count: two replicas of one sender differ in them and in nothing else. */
function sameContent(a: Alert, b: Alert): boolean {
  return a.severity === b.severity && a.entity === b.entity && sameMap(a.annotations, b.annotations)
}

function sameMap(a: Labels, b: Labels): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/**
 * A repeat changes nothing but the time when the alert would expire, in steps of a bucket, and content that differs.
 * An end that a sender gave is not brought forward; one that was only a timeout is (as Alertmanager merges them).
 */
function repeat(state: State, row: AlertRow, alert: Alert, rules: Rules): Decision {
  const { lasts, starts_new } = compare(state, row, alert, rules)
  if (lasts === 'as long' && !starts_new && sameContent(row.alert, alert)) return NOTHING
  const value = repeatedRow(state, row, alert, rules)
  if (value.held && heldUntil(state, value) <= state.time_ms) return release(state, value)
  if (!sameMap(row.alert.labels, alert.labels)) return retold(state, row, value)
  return { rows: [{ kind: 'alert', key: alert.fingerprint, value }], changes: [] }
}

/** Its identity is only some of its labels, and others have changed: its severity, and what silences it, may have as well. */
function retold(state: State, old: AlertRow, alert: AlertRow): Decision {
  const value: AlertRow = { ...alert, silenced_by: silencedBy(state, alert.alert) }
  const rows: Row[] = [{ kind: 'alert', key: value.alert.fingerprint, value }]
  const home = homeOf(state, old.incident_id)
  if (!home || old.dismissed) return { rows, changes: [] }
  const draft = new IncidentDraft(home, state.time_ms)
  if (draft.retell(value, old.silenced_by.length === 0))
    draft.tell('severity-changed', { actor: SYSTEM, command_id: null, reason: reasonOf(old.reason) })
  else draft.tellSoon(old.reason, state.rules.growth_interval_ms)
  rows.push({ kind: 'incident', key: home.incident.id, value: draft.row })
  return { rows, changes: draft.changes }
}

function compare(state: State, row: AlertRow, alert: Alert, rules: Rules) {
  const next = expiry(alert, state.time_ms, rules)
  const sooner = next.expires_at_ms < row.expires_at_ms && row.by_timeout && !next.by_timeout
  const lasts = next.expires_at_ms > row.expires_at_ms ? 'longer' : sooner ? 'shorter' : 'as long'
  const last_start_ms = lastStart(row, alert)
  // Every start that is told is remembered, so that a statement told twice never counts as another occurrence.
  const starts_new = alert.starts_at_ms < row.alert.starts_at_ms || last_start_ms > lastStart(row, row.alert)
  return { next, lasts, last_start_ms, starts_new } as const
}

function lastStart({ last_start_ms, alert: known }: AlertRow, alert: Alert): number {
  const before_ms = last_start_ms ?? known.starts_at_ms
  return alert.start_assumed ? before_ms : Math.max(before_ms, alert.starts_at_ms)
}

/** The row with what a further statement says of the alert. */
function repeatedRow(state: State, row: AlertRow, alert: Alert, rules: Rules): AlertRow {
  const { next, lasts, last_start_ms } = compare(state, row, alert, rules)
  const told = { ...row, alert: merged(row.alert, alert), last_start_ms }
  if (lasts === 'as long') return told
  const expires_at_ms = lasts === 'longer' ? roundedUp(next.expires_at_ms) : next.expires_at_ms
  return { ...told, expires_at_ms, by_timeout: next.by_timeout }
}

/** It flaps and fires once more, which its incident does not hear of. */
function resume(state: State, row: AlertRow, alert: Alert): Decision {
  const { rules, time_ms } = state
  const value: AlertRow = {
    ...row,
    alert: merged(row.alert, alert),
    last_start_ms: lastStart(row, alert),
    ...expiry(alert, time_ms, rules),
    history: turnedNow(row.history, time_ms, rules),
  }
  return { rows: [{ kind: 'alert', key: alert.fingerprint, value }], changes: [] }
}

/** Says that the alert flaps, if it did not before. */
function withFlapping(before: AlertRow, after: AlertRow, decision: Decision): Decision {
  if (flaps(before) || !flaps(after)) return decision
  return { ...decision, next: { kind: 'flapping-began', fingerprint: after.alert.fingerprint } }
}

/** It had stopped and fires anew: back into its incident while that is open or closed only just now, else like a first sight. */
function again(state: State, row: AlertRow, alert: Alert, rules: Rules, place: Place): Decision {
  const history = row.firing ? null : turnedNow(row.history, state.time_ms, rules)
  const blank = { ...freshRow(state, alert, rules), last_start_ms: lastStart(row, alert) }
  const fresh: AlertRow = history === null ? blank : { ...blank, history }
  return withFlapping(row, fresh, comeBack(state, row, fresh, place))
}

/** Where an alert that had stopped goes. Nobody told that it ended: whether it still belongs there is a question of evidence. */
function comeBack(state: State, row: AlertRow, fresh: AlertRow, place: Place): Decision {
  const home = homeOf(state, row.incident_id)
  if (!home?.pace || !row.timed_out) return settle(state, fresh, row.incident_id, place)
  if (!isUnresolved(home)) return settle(state, fresh, '', place)
  const was_in = row.was_in ?? []
  return beginAnew(state, { ...fresh, incident_id: home.incident.id, was_in, firing: false }, place)
}

/** Back home, into another incident or a new one; but for a home that is open it may have to wait. */
function settle(state: State, fresh: AlertRow, incident_id: string, place: Place): Decision {
  const home = homeOf(state, incident_id)
  const until_ms = heldUntil(state, fresh)
  if (until_ms <= state.time_ms || (home && isUnresolved(home)))
    return enter(state, fresh, incident_id, place)
  const value: AlertRow = { ...fresh, held: { until_ms, place, incident_id } }
  return { rows: [{ kind: 'alert', key: fresh.alert.fingerprint, value }], changes: [] }
}

/** An alert that flaps has been transient often enough to be told. */
function heldUntil({ rules }: State, row: AlertRow): number {
  const { severity } = row.alert
  return row.joined_at_ms + (severity === 'critical' || flaps(row) ? 0 : rules.hold_ms[severity])
}

/** It has waited long enough. */
function release(state: State, { held, ...row }: AlertRow): Decision {
  const { place, incident_id } = held as Held
  return enter(state, { ...row, joined_at_ms: state.time_ms }, incident_id, place)
}

function enter(state: State, fresh: AlertRow, incident_id: string, place: Place): Decision {
  const { rules } = state
  const home = homeOf(state, incident_id)
  const reopens =
    withinReopening(state, home?.incident.resolved_at_ms ?? null, rules) && !isChronic(state, fresh.alert)
  if (home && (isUnresolved(home) || reopens)) {
    const reason: Reason = {
      code: 'fired-again',
      rule: home.incident.rule,
      rules_version: rules.version,
      text: 'The alert fired again and belonged here before.',
    }
    const back = { ...fresh, incident_id: home.incident.id, reason }
    const again_here = fireAgain(state, home, back, incident_id === home.incident.id)
    return { ...again_here, rows: [...again_here.rows, ...sightings(state, fresh.alert)] }
  }
  return placeAlert(state, fresh, place)
}

function withinReopening(state: State, resolved_at_ms: number | null, rules: Rules): boolean {
  return resolved_at_ms !== null && state.time_ms - resolved_at_ms <= rules.reopen_within_ms
}

/** The alert's timer came up: it expired, or it ended long ago and may be forgotten. */
export function alertEnds(state: State, fingerprint: string, late_ms: number): Decision {
  const row = state.alerts.get(fingerprint)
  const { rules } = state
  if (!row) return NOTHING
  if (!row.firing) return forget(state, row)
  if (row.held && row.expires_at_ms > state.time_ms) return release(state, row)
  if ((row.history?.settles_at_ms ?? Infinity) <= state.time_ms) return flappingEnds(state, row)
  if (late_ms > OUTAGE_MS) {
    const value: AlertRow = {
      ...row,
      expires_at_ms: roundedUp(state.time_ms + late_ms + rules.resolve_timeout_ms),
    }
    return { rows: [{ kind: 'alert', key: fingerprint, value }], changes: [] }
  }
  return end(state, row, row.expires_at_ms, row.by_timeout ? 'timeout' : null)
}

/** Kept as long as its incident could take it back. */
function forget(state: State, row: AlertRow): Decision {
  const home = homeOf(state, row.incident_id)
  const key = row.alert.fingerprint
  const counts = row.waiting || (home && isUnresolved(home))
  if (!counts) return { rows: [{ kind: 'alert', key, value: null }], changes: [] }
  const value: AlertRow = {
    ...row,
    forget_at_ms: forgetAt(state),
  }
  return { rows: [{ kind: 'alert', key, value }], changes: [] }
}

function end(state: State, row: AlertRow, ended_at_ms: number, code: 'timeout' | null): Decision {
  const { rules } = state
  const history = row.dismissed ? null : turnedNow(row.history, state.time_ms, rules)
  const home = row.dismissed ? undefined : homeOf(state, row.incident_id)
  if (home && history && history.settles_at_ms !== null)
    return rest(state, row, { ...history, rests_since_ms: ended_at_ms })
  // Only a member of an incident flaps, because there it is told.
  const steady = history && { ...history, settles_at_ms: null }
  const ended = endedRow(state, row, ended_at_ms, steady)
  const value: AlertRow = code === 'timeout' ? { ...ended, timed_out: true } : ended
  if (row.held) return transient(value, row.held)
  const rows: Row[] = [{ kind: 'alert', key: row.alert.fingerprint, value }]
  if (!home) return { rows, changes: [] }
  const draft = new IncidentDraft(home, state.time_ms)
  draft.end(value, row.silenced_by.length === 0)
  resolveIfQuiet(draft, rules, code)
  rows.push({ kind: 'incident', key: home.incident.id, value: draft.row })
  return { rows, changes: draft.changes }
}

/** It resolved while it was held; a repeat, or the incident that it was in before, must find it. */
function transient(ended: AlertRow, { incident_id }: Held): Decision {
  const { fingerprint } = ended.alert
  return {
    rows: [{ kind: 'alert', key: fingerprint, value: { ...ended, held: null, incident_id } }],
    changes: [],
    unassigned: { fingerprint, code: 'transient' },
  }
}

/** It flaps: its incident does not hear that it resolved until it is steady. */
function rest(state: State, row: AlertRow, history: History): Decision {
  const value: AlertRow = { ...row, history, updated_at_ms: state.time_ms }
  const rows: Row[] = [{ kind: 'alert', key: row.alert.fingerprint, value }]
  return withFlapping(row, value, { rows, changes: [] })
}
