import { dueAt, emptyOutcome, foldRecord, type Outcome } from '../../correlate/fold.ts'
import { type AlertRow, emptyState, type State } from '../../correlate/state.ts'
import type { Incident } from '../../schemas/incident.ts'
import type { LogRecord } from '../../schemas/record.ts'
import type { Rules } from '../../schemas/rules.ts'
import type { TopologyPart } from '../../schemas/topology.ts'
import type { Repeated } from './history.ts'
import type { Recorded } from './lines.ts'
import { reasonOf } from '../../correlate/match/why.ts'

/** Where one alert of the recording went. */
export interface Assignment {
  incident_id: string | null
  readonly at_ms: number
  reason: string
  /** The alert waits for others of its group: where it goes is not known yet. */
  waits: boolean
}

/** The real fold over a recording, in the recording's time, as one partition. */
export class Replay {
  readonly state: State = emptyState(0)
  private readonly last_told = new Map<string, Incident>()
  private readonly waiting = new Map<string, Assignment[]>()
  private position = 0
  private now_ms = 0
  /** Alerts that changed their incident after their first. */
  moved = 0
  changes = 0

  constructor(rules: Rules, topology: readonly TopologyPart[]) {
    this.fold({ kind: 'rules', rules })
    for (const part of topology) this.fold({ kind: 'topology', topology: part })
  }

  /** Recordings need not be in order: time never goes back, as in a log. */
  take({ at_ms, alert }: Recorded): Assignment {
    this.now_ms = Math.max(this.now_ms, at_ms)
    const before = this.state.alerts.get(alert.fingerprint)
    const unassigned = this.fold({
      kind: 'alerts',
      received_at_ms: this.now_ms,
      origin: null,
      places: [],
      alerts: [alert],
    })
    const row = this.state.alerts.get(alert.fingerprint)
    if (before?.firing && before.incident_id !== '' && row && row.incident_id !== before.incident_id)
      this.moved++
    const assignment = { at_ms: this.now_ms, ...whereTo(row, unassigned) }
    if (assignment.waits)
      this.waiting.set(alert.fingerprint, [...(this.waiting.get(alert.fingerprint) ?? []), assignment])
    return assignment
  }

  /** An alert that the recording told before is told once more, in the same words; one that it did not tell is left alone. */
  repeat({ at_ms, fingerprint }: Repeated): void {
    this.now_ms = Math.max(this.now_ms, at_ms)
    const row = this.state.alerts.get(fingerprint)
    if (!row) return
    const { alert } = row
    // The history does not keep the end that each of them told: it is taken to have moved on.
    const ends_at_ms =
      alert.ends_at_ms === null
        ? null
        : Math.max(alert.ends_at_ms, this.now_ms + this.state.rules.resolve_timeout_ms)
    this.fold({
      kind: 'alerts',
      received_at_ms: this.now_ms,
      origin: null,
      places: [],
      alerts: [{ ...alert, ends_at_ms, repeats: 1 }],
    })
  }

  /** Lets time pass as the owner of a partition would who keeps the clock. */
  passUntil(at_ms: number): void {
    for (let due_ms = dueAt(this.state); due_ms !== null && due_ms <= at_ms; due_ms = dueAt(this.state)) {
      this.now_ms = Math.max(this.now_ms, due_ms)
      this.fold({ kind: 'tick' })
    }
    this.now_ms = Math.max(this.now_ms, at_ms)
  }

  /** Lets time pass until nothing is held back any more, and gives the newest summary of each incident, by opening. */
  finish(): readonly Incident[] {
    this.now_ms += this.state.rules.growth_interval_ms
    this.fold({ kind: 'tick' })
    for (const fingerprint of this.waiting.keys()) this.settle(fingerprint)
    return [...this.last_told.values()]
  }

  private fold(record: LogRecord): string | null {
    const outcome = emptyOutcome()
    foldRecord(this.state, { position: this.position++, time_ms: this.now_ms, record }, outcome)
    this.changes += outcome.changes.length
    for (const { incident } of outcome.changes) this.last_told.set(incident.id, incident)
    if (this.waiting.size > 0) this.settleWaiting(outcome)
    return outcome.unassigned[0]?.code ?? null
  }

  private settleWaiting({ rows }: Outcome): void {
    for (const row of rows.values())
      if (row.kind === 'alert' && !row.value?.waiting && this.waiting.has(row.key)) this.settle(row.key)
  }

  private settle(fingerprint: string): void {
    const where = whereTo(this.state.alerts.get(fingerprint), 'too-few')
    for (const assignment of this.waiting.get(fingerprint) ?? [])
      Object.assign(assignment, where, { waits: false })
    this.waiting.delete(fingerprint)
  }
}

/** `unassigned` is why the alert is in no incident. */
function whereTo(
  row: AlertRow | undefined,
  unassigned: string | null,
): Pick<Assignment, 'incident_id' | 'reason' | 'waits'> {
  if (row?.waiting) return { incident_id: null, reason: 'waiting-for-more', waits: true }
  if (!row || row.incident_id === '')
    return { incident_id: null, reason: unassigned ?? (row ? 'too-few' : ''), waits: false }
  return { incident_id: row.incident_id, reason: reasonOf(row.reason).text, waits: false }
}
