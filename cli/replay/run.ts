import { emptyOutcome, foldRecord } from '../../correlate/fold.ts'
import { emptyState, type State } from '../../correlate/state.ts'
import type { Incident } from '../../schemas/incident.ts'
import type { LogRecord } from '../../schemas/record.ts'
import type { Rules } from '../../schemas/rules.ts'
import type { TopologyPart } from '../../schemas/topology.ts'
import type { Recorded } from './lines.ts'

/** Where one alert of the recording went. */
export interface Assignment {
  readonly incident_id: string | null
  readonly at_ms: number
  readonly reason: string
}

/** The real fold over a recording, in the recording's time, as one partition. */
export class Replay {
  private readonly state: State = emptyState(0)
  private readonly last_told = new Map<string, Incident>()
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
    if (before?.firing && row && row.incident_id !== before.incident_id) this.moved++
    return {
      incident_id: row?.incident_id || null,
      at_ms: this.now_ms,
      reason: unassigned ?? row?.reason.text ?? '',
    }
  }

  /** Lets time pass until nothing is held back any more, and gives the newest summary of each incident, by opening. */
  finish(): readonly Incident[] {
    this.now_ms += this.state.rules.growth_interval_ms
    this.fold({ kind: 'tick' })
    return [...this.last_told.values()]
  }

  private fold(record: LogRecord): string | null {
    const outcome = emptyOutcome()
    foldRecord(this.state, { position: this.position++, time_ms: this.now_ms, record }, outcome)
    this.changes += outcome.changes.length
    for (const { incident } of outcome.changes) this.last_told.set(incident.id, incident)
    return outcome.unassigned[0]?.code ?? null
  }
}
