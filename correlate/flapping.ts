import type { Reason } from '../schemas/incident.ts'
import type { Rules } from '../schemas/rules.ts'
import { type Decision, NOTHING } from './decision.ts'
import { IncidentDraft, SYSTEM, titleOf } from './draft.ts'
import { endedRow, homeOf } from './home.ts'
import { resolveIfQuiet } from './lifecycle.ts'
import type { AlertRow, History, State } from './state.ts'

/** As in Icinga: the last twenty states, of which the oldest weighs 0.80 and the newest 1.18. */
const STATES = 20
const ALL = 2 ** STATES - 1
const OLDEST_WEIGHT = 80
const WEIGHT_STEP = 2

/** The weighted share of states that differ from the one before, in percent. Bit 0 is the newest. */
function changedPercent(bits: number): number {
  let hundredths = 0
  for (let age = 0; age < STATES; age++)
    if ((bits >> age) & 1) hundredths += OLDEST_WEIGHT + WEIGHT_STEP * (STATES - 1 - age)
  return hundredths / STATES
}

/** As if `states` more had been the same. */
function aged(bits: number, states: number): number {
  return states >= STATES ? 0 : (bits << states) & ALL
}

/**
 * The history of an alert that stops or fires again now: each interval since its last turn was a state like the one before, and
 * this is one that differs. Null when no history is kept.
 */
export function turnedNow(
  history: History | null | undefined,
  now_ms: number,
  { flapping }: Rules,
): History | null {
  const { interval_ms, start_percent, end_percent } = flapping
  if (interval_ms === 0) return null
  const steady = history ? Math.floor((now_ms - history.at_ms) / interval_ms) : 0
  const bits = (aged(history?.bits ?? 0, steady + 1) | 1) & ALL
  const threshold = history?.settles_at_ms == null ? start_percent : end_percent
  const unsteady = changedPercent(bits) > threshold
  return {
    bits,
    at_ms: now_ms,
    settles_at_ms: unsteady ? now_ms + steadyStates(bits, end_percent) * interval_ms : null,
    rests_since_ms: null,
  }
}

/** How many states without a change make it steady. */
function steadyStates(bits: number, end_percent: number): number {
  let states = 1
  while (changedPercent(aged(bits, states)) > end_percent) states++
  return states
}

/** Its source says that it has resolved, but it flaps, so that it counts as firing for now. */
export function rests(row: AlertRow): boolean {
  return row.history?.rests_since_ms != null
}

/** An alert began to flap, and is told to do so. */
export function flappingBegins(state: State, fingerprint: string): Decision {
  const row = state.alerts.get(fingerprint)
  const home = row && homeOf(state, row.incident_id)
  if (!row?.history || !home) return NOTHING
  const { bits } = row.history
  const changes = bits.toString(2).replaceAll('0', '').length
  const reason = reasonOf(
    state,
    `${titleOf(row.alert)} flaps: ${changes} of its last ${STATES} states differ from the one before, ${changedPercent(bits)} % by weight. It counts as firing until it is steady.`,
  )
  const draft = new IncidentDraft(home, state.time_ms)
  draft.show(row)
  draft.note('flapping-started', SYSTEM, reason.text)
  draft.tell('flapping-started', { actor: SYSTEM, command_id: null, reason })
  return { rows: [{ kind: 'incident', key: home.incident.id, value: draft.row }], changes: draft.changes }
}

/** An alert that flapped was steady for long enough: it fires as any other, or has resolved at last. */
export function flappingEnds(state: State, row: AlertRow): Decision {
  const history = { ...(row.history as History), settles_at_ms: null, rests_since_ms: null }
  const rested_ms = row.history?.rests_since_ms ?? null
  const value: AlertRow = rested_ms === null ? { ...row, history } : endedRow(state, row, rested_ms, history)
  const home = homeOf(state, row.incident_id)
  const rows = [{ kind: 'alert' as const, key: row.alert.fingerprint, value }]
  if (!home) return { rows, changes: [] }
  const draft = new IncidentDraft(home, state.time_ms)
  const now = rested_ms === null ? 'it fires' : 'it has resolved'
  const reason = reasonOf(state, `${titleOf(row.alert)} is steady again: ${now}.`)
  draft.note('flapping-ended', SYSTEM, reason.text)
  if (rested_ms === null) draft.show(value)
  else draft.end(value, row.silenced_by.length === 0)
  if (draft.incident.members_firing > 0)
    draft.tell('flapping-ended', { actor: SYSTEM, command_id: null, reason })
  else resolveIfQuiet(draft, state.rules, null)
  return {
    rows: [...rows, { kind: 'incident', key: home.incident.id, value: draft.row }],
    changes: draft.changes,
  }
}

function reasonOf(state: State, text: string): Reason {
  return { code: 'flapping', rule: '', rules_version: state.rules.version, text }
}
