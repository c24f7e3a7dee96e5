import type { Alert, Labels } from '../schemas/alert.ts'
import { HEARTBEAT_LABEL, type Heartbeat, lostSummary } from '../schemas/heartbeat.ts'
import { alertFingerprint } from '../schemas/ids.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { Place } from '../schemas/record.ts'
import { type Decision, NOTHING, type Repeat } from './decision.ts'
import type { HeartbeatRow } from './declared_heartbeats.ts'
import { arrive } from './dedup.ts'
import type { State } from './state.ts'

/**
 * Signs of life. One that is heard is expected again; when it is overdue it is looked at in short steps, so that a time in which nobody
 * kept the clock shows, and nothing is held to be lost that could not be heard.
 *
 * The alert about a lost one is decided here like any other, and not appended to the log first: an owner that was replaced might append it
 * late, when the heartbeat was long heard again.
 */

/** While one is overdue it is looked at this often. */
const STEP_MS = 10_000
/** A look that comes later than this means that the system was down: the whole term begins anew. */
const LATE_MS = 10_000

const termOf = ({ every_ms, grace_ms }: Heartbeat): number => every_ms + grace_ms

function declaredFor(state: State, alert: Alert): Heartbeat | undefined {
  return state.derived.heartbeats.find(({ isOne }) => isOne(alert))?.heartbeat
}

/** What an alert means that is a sign of life; null when it is none. */
export function heard(state: State, alert: Alert, place: Place): Decision | null {
  if (state.derived.heartbeats.length === 0) return null
  const declared = declaredFor(state, alert)
  if (declared === undefined) return null
  const { fingerprint, ends_at_ms } = alert
  const known = state.heartbeats.get(fingerprint)
  // It says that it is over: the silence that follows is what counts.
  if (ends_at_ms !== null && ends_at_ms <= state.time_ms)
    return { ...NOTHING, unassigned: { fingerprint, code: 'heartbeat' } }
  if (!known && state.heartbeats.size >= LIMITS.heartbeats_per_partition)
    return { ...NOTHING, unassigned: { fingerprint, code: 'heartbeats-bound' } }
  const value: HeartbeatRow = {
    name: declared.name,
    alert: { ...alert, annotations: {}, repeats: 1 },
    place,
    heard_at_ms: state.time_ms,
    counts_from_ms: state.time_ms,
    due_at_ms: state.time_ms + declared.every_ms,
  }
  const found = known ? over(state, known) : NOTHING
  return {
    ...found,
    rows: [...found.rows, { kind: 'heartbeat', key: fingerprint, value }],
    unassigned: { fingerprint, code: 'heartbeat' },
  }
}

/** A repeat names its alert by the fingerprint alone. */
export function heardAgain(state: State, { fingerprint, ...times }: Repeat, place: Place): Decision | null {
  if (state.derived.heartbeats.length === 0) return null
  const known = state.heartbeats.get(fingerprint)?.alert ?? state.alerts.get(fingerprint)?.alert
  return known ? heard(state, { ...known, ...times }, place) : null
}

/** Its timer came up: it is overdue, and may be lost. */
export function heartbeatDue(state: State, key: string, late_ms: number): Decision {
  const row = state.heartbeats.get(key)
  const declared = row && declaredFor(state, row.alert)
  if (!row || !declared) return NOTHING
  const set = (changed: Partial<HeartbeatRow>): Decision => ({
    rows: [{ kind: 'heartbeat', key, value: { ...row, ...changed } }],
    changes: [],
  })
  if (late_ms > LATE_MS) {
    const counts_from_ms = state.time_ms + late_ms
    return set({ counts_from_ms, due_at_ms: counts_from_ms + declared.every_ms })
  }
  const lost_at_ms = row.counts_from_ms + termOf(declared)
  if (state.time_ms < lost_at_ms) return set({ due_at_ms: Math.min(state.time_ms + STEP_MS, lost_at_ms) })
  const raised = arrive(state, lostAlert(row, declared), row.place)
  return { ...raised, rows: [...raised.rows, ...set({ due_at_ms: null }).rows] }
}

/** The alert that says it is lost. It has no end but that it is heard again. */
function lostAlert({ alert, heard_at_ms }: HeartbeatRow, declared: Heartbeat): Alert {
  const { name, severity, labels } = declared
  return {
    ...alert,
    fingerprint: lostFingerprint(alert),
    labels: bounded(
      { ...labels, alertname: 'HeartbeatLost', [HEARTBEAT_LABEL]: name, severity },
      alert.labels,
    ),
    annotations: {
      summary: lostSummary(declared, heard_at_ms),
      source: alert.source,
    },
    severity,
    entity: alert.entity === '' ? name : alert.entity,
    starts_at_ms: heard_at_ms,
    ends_at_ms: LIMITS.time_ms_max,
  }
}

/** Labels of its own, and as many of those that it was heard with as there is room for. */
function bounded(own: Labels, heard_with: Labels): Labels {
  const others = Object.entries(heard_with).filter(([label]) => !Object.hasOwn(own, label))
  return Object.fromEntries([...Object.entries(own), ...others].slice(0, LIMITS.labels_per_alert))
}

function lostFingerprint({ scope, fingerprint }: Alert): string {
  return alertFingerprint(scope, { alertname: 'HeartbeatLost', of: fingerprint })
}

/** What was lost is heard again, or expected no more: the alert about it ends now. */
function over(state: State, { alert, place, due_at_ms }: HeartbeatRow): Decision {
  const row = due_at_ms === null ? state.alerts.get(lostFingerprint(alert)) : undefined
  if (!row) return NOTHING
  return arrive(state, { ...row.alert, ends_at_ms: state.time_ms }, place)
}

/** The rules declare others than before: what is declared no more is forgotten, one after the other, and the rest is looked at anew. */
export function heartbeatsChanged(state: State): Decision {
  // In an order of their own, because maps differ after a restart.
  const rows = [...state.heartbeats].sort(([a], [b]) => (a < b ? -1 : 1))
  const gone = rows.find(([, row]) => declaredFor(state, row.alert)?.name !== row.name)
  if (gone) {
    const [key, row] = gone
    const ended = over(state, row)
    return {
      ...ended,
      rows: [...ended.rows, { kind: 'heartbeat', key, value: null }],
      next: { kind: 'heartbeats-changed' },
    }
  }
  const kept = rows.flatMap(([key, row]) => {
    const declared = declaredFor(state, row.alert)
    if (row.due_at_ms === null || !declared) return []
    const due_at_ms = Math.max(state.time_ms, row.counts_from_ms + declared.every_ms)
    return [{ kind: 'heartbeat' as const, key, value: { ...row, due_at_ms } }]
  })
  return { rows: kept, changes: [] }
}
