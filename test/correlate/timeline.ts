import { restored, restoreRow } from '../../correlate/apply.ts'
import { dueAt, emptyOutcome, foldRecord } from '../../correlate/fold.ts'
import { reasonOf } from '../../correlate/match/why.ts'
import { emptyState, type State } from '../../correlate/state.ts'
import type { Alert } from '../../schemas/alert.ts'
import type { Change } from '../../schemas/change.ts'
import type { CommandBody, Silence } from '../../schemas/command.ts'
import { alertFingerprint } from '../../schemas/ids.ts'
import type { Reason } from '../../schemas/incident.ts'
import type { LogRecord } from '../../schemas/record.ts'
import { DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'

/** Noon of a day, so that times in failures are readable. */
export const NOON_MS = Date.UTC(2026, 0, 1, 12)

export const MINUTE_MS = 60_000

/** An alert with defaults: fires, no end, one label `alertname`. */
export function anAlert(labels: Record<string, string>, over: Partial<Alert> = {}): Alert {
  const all = { alertname: 'Down', ...labels }
  const scope = over.scope ?? 'default'
  return {
    fingerprint: alertFingerprint(scope, all),
    labels: all,
    annotations: {},
    generator_url: '',
    severity: 'medium',
    entity: all['host' as keyof typeof all] ?? '',
    scope,
    source: 'test',
    starts_at_ms: NOON_MS,
    ends_at_ms: null,
    repeats: 1,
    ...over,
  }
}

/** Runs the fold as a person would tell it: at this time that happened. Rows are kept as a store would keep them. */
export class Timeline {
  state: State = emptyState(0)
  readonly rows = new Map<string, string>()
  readonly changes: Change[] = []
  readonly unassigned: string[] = []
  skipped = 0
  private position = 0
  private restarts = 0

  constructor(rules: Partial<Rules> = {}) {
    this.record(0, { kind: 'rules', rules: { ...DEFAULT_RULES, version: 'test', ...rules } })
  }

  /** Appends a record at noon plus `at_ms` and gives the changes that came of it. */
  record(at_ms: number, record: LogRecord): readonly Change[] {
    const outcome = emptyOutcome()
    foldRecord(this.state, { position: this.position++, time_ms: NOON_MS + at_ms, record }, outcome)
    for (const [key, row] of outcome.rows) {
      if (row.value === null) this.rows.delete(key)
      else this.rows.set(key, JSON.stringify(row.value))
    }
    this.changes.push(...outcome.changes)
    this.unassigned.push(...outcome.unassigned.map(({ code }) => code))
    this.skipped += outcome.skipped
    return outcome.changes
  }

  alerts(at_ms: number, ...alerts: Alert[]): readonly Change[] {
    return this.record(at_ms, {
      kind: 'alerts',
      received_at_ms: NOON_MS + at_ms,
      origin: null,
      places: [],
      alerts,
    })
  }

  tick(at_ms: number): readonly Change[] {
    return this.record(at_ms, { kind: 'tick' })
  }

  /** Ticks whenever something falls due until then, as the owner of the partition would. */
  ticksUntil(at_ms: number): readonly Change[] {
    const told: Change[] = []
    for (
      let due_ms = dueAt(this.state);
      due_ms !== null && due_ms <= NOON_MS + at_ms;
      due_ms = dueAt(this.state)
    )
      told.push(...this.tick(due_ms - NOON_MS))
    return told
  }

  command(at_ms: number, body: CommandBody, id = `command-${this.position}`): readonly Change[] {
    return this.record(at_ms, { kind: 'command', command: { id, actor: 'ada', body } })
  }

  silence(at_ms: number, over: Partial<Silence>): readonly Change[] {
    const silence: Silence = {
      id: 'quiet',
      matchers: [{ name: 'alertname', op: '=', value: 'Down' }],
      starts_at_ms: NOON_MS + at_ms,
      ends_at_ms: NOON_MS + at_ms + 10 * MINUTE_MS,
      created_by: 'ada',
      comment: 'works',
      updated_at_ms: NOON_MS + at_ms,
      ...over,
    }
    return this.command(at_ms, { kind: 'silence', silence })
  }

  /** What a new owner of the partition does: forgets everything and reads the stored rows, in an order of its own. */
  restart(): void {
    this.state = emptyState(0)
    const order = this.restarts++ % 2 === 0 ? 1 : -1
    const stored = [...this.rows].sort(([a], [b]) => (a < b ? -order : order))
    for (const [key, text] of stored) restoreRow(this.state, key, text)
    restored(this.state)
  }

  /** Why an alert is where it is, as operators read it. */
  reasonOf({ fingerprint }: Pick<Alert, 'fingerprint'>): Reason | undefined {
    const row = this.state.alerts.get(fingerprint)
    return row && reasonOf(row.reason)
  }

  incidents() {
    return [...this.state.incidents.values()].map(({ incident }) => incident)
  }
}

export function kinds(changes: readonly Change[]): string[] {
  return changes.map(({ kind }) => kind)
}
