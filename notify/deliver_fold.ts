import type { PartitionFold, Step, StoreCopy } from '../runtime/fold.ts'
import type { Append, Clock, LogEntry, Position } from '../runtime/ports.ts'
import { compareSeverity } from '../schemas/alert.ts'
import type { Change } from '../schemas/change.ts'
import { CodecError, decodeChange, encodeRecord } from '../schemas/codec.ts'
import { deadLetterOf } from '../schemas/deadletter.ts'
import { contentVersion, partitionOf } from '../schemas/ids.ts'
import {
  type Action,
  began,
  type DeliveryRow,
  type DeliveryState,
  deliveryKey,
  doubted,
  next,
  type Result,
  retiresAt,
  settled,
  want,
} from './delivery.ts'
import { Flights, type Landing, type Launch } from './flights.ts'
import { decodeRow, encodeRow } from './rows.ts'
import type { Sink } from './sinks/sink.ts'
import { linkedTicket, summarise } from './summary.ts'

export interface DeliverParts {
  readonly partition: number
  readonly sinks: readonly Sink[]
  readonly clock: Clock
  /** Attempts at once, for each sink and partition. */
  readonly attempts_max: number
  readonly alerts_partitions: number
  readonly deadletters_partitions: number
  /** An attempt ended; `row` is what is stored now. */
  readonly attempted: (action: Action, result: Result, row: DeliveryRow) => void
  /** There are `by` (1 or -1) more deliveries of this sink in this state. */
  readonly counted: (sink: string, state: DeliveryState, by: number) => void
}

interface Lane {
  readonly sink: Sink
  in_flight: number
  /** The sink asked for silence until then. */
  paused_until_ms: number
}

/** The store as this fold found it: what was in the log by then may have been begun by an owner whose commits the store lost. */
interface Footing {
  readonly incarnation: string
  readonly since_ms: number
  /** Where the log ended then. */
  readonly log_end: Position
}
const FOOTING_KEY = 'footing'
/** The log's clock and ours. */
const CLOCKS_DIFFER_MS = 5_000

interface OpenStep {
  readonly publish: Append[]
  readonly put: Map<string, Buffer>
  readonly delete: Set<string>
  readonly launches: Launch[]
}

/** The fold of the topic `incidents` that keeps every sink's copy of every incident up to date. Shards `deliver/incidents/<p>`. */
export class DeliverFold implements PartitionFold {
  wake?: () => void
  private readonly parts: DeliverParts
  private readonly lanes: ReadonlyMap<string, Lane>
  private readonly rows = new Map<string, DeliveryRow>()
  /** Rows with an attempt of this fold, until its result was taken. */
  private readonly busy = new Set<string>()
  /** When to look at a row again; busy rows and rows at rest have no entry. */
  private readonly due = new Map<string, number>()
  private readonly flights: Flights
  /** Of `dueAt`; undefined: to be found anew. */
  private earliest_ms: number | null | undefined
  private footing: Footing | null = null
  /** What `restored` made of the rows, to be stored with the first step. */
  private readonly unstored = new Map<string, Buffer>()

  constructor(parts: DeliverParts) {
    this.parts = parts
    this.lanes = new Map(
      parts.sinks.map((sink) => [sink.policy.sink, { sink, in_flight: 0, paused_until_ms: 0 }]),
    )
    this.flights = new Flights(parts.clock, () => this.wake?.())
  }

  restore(key: string, value: Buffer): void {
    if (key === FOOTING_KEY) this.footing = JSON.parse(value.toString()) as Footing
    else this.keep(key, decodeRow(value))
  }

  async restored(position: Position | null, copy: StoreCopy | null): Promise<Position> {
    const now_ms = this.parts.clock.now()
    if (copy !== null && copy.incarnation !== this.footing?.incarnation) {
      const { incarnation } = copy
      this.footing = { incarnation, since_ms: now_ms, log_end: await copy.logEnd() }
      this.doubtRows(this.footing)
    }
    for (const [key, row] of this.rows) this.plan(key, row, now_ms)
    return position ?? 0
  }

  fold(entries: readonly LogEntry[]): Step {
    const step = this.openStep()
    const now_ms = this.parts.clock.now()
    for (const entry of entries) this.takeEntry(entry, step, now_ms)
    this.startDue(step, now_ms)
    return this.closed(step)
  }

  dueAt(): number | null {
    if (this.flights.waiting || this.unstored.size > 0) return 0
    if (this.earliest_ms === undefined) this.earliest_ms = this.earliest()
    return this.earliest_ms
  }

  onDue(now_ms: number): Step {
    const step = this.openStep()
    for (const landing of this.flights.take()) this.land(landing, step, now_ms)
    this.startDue(step, now_ms)
    return this.closed(step)
  }

  async finish(): Promise<Step> {
    await this.flights.finish()
    const step = this.openStep()
    const now_ms = this.parts.clock.now()
    for (const landing of this.flights.take()) this.land(landing, step, now_ms)
    return this.closed(step)
  }

  async close(): Promise<void> {
    await this.flights.close()
    for (const row of this.rows.values()) this.parts.counted(row.sink, row.state, -1)
  }

  private takeEntry(entry: LogEntry, step: OpenStep, now_ms: number): void {
    try {
      this.takeChange(decodeChange(entry.value), entry.position, step, now_ms)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      step.publish.push(this.deadLetter(entry, error))
    }
  }

  private takeChange(change: Change, position: Position, step: OpenStep, now_ms: number): void {
    const summary = summarise(change)
    for (const [name, lane] of this.lanes) {
      const key = deliveryKey(change.incident_id, name)
      const before = this.rows.get(key) ?? null
      const wanted = want(before, summary, linkedTicket(change, name), lane.sink.policy)
      if (wanted === null || wanted === before) continue
      const { footing } = this
      const doubtful = before === null && footing !== null && position < footing.log_end
      const after = doubtful ? doubted(wanted, lane.sink.policy, footing.since_ms) : wanted
      this.write(key, after, step)
      if (!this.busy.has(key)) this.plan(key, after, now_ms)
    }
  }

  private doubtRows(footing: Footing): void {
    for (const [key, row] of this.rows) {
      const policy = this.lanes.get(row.sink)?.sink.policy
      const after = policy === undefined ? row : doubted(row, policy, footing.since_ms)
      if (after === row) continue
      this.keep(key, after)
      this.unstored.set(key, encodeRow(after))
    }
    this.unstored.set(FOOTING_KEY, Buffer.from(JSON.stringify(footing)))
  }

  private land({ key, action, result }: Landing, step: OpenStep, now_ms: number): void {
    const before = this.rows.get(key)
    this.busy.delete(key)
    if (before === undefined) return
    const row = settled(before, result, now_ms)
    const lane = this.lanes.get(row.sink)
    if (lane !== undefined) {
      lane.in_flight--
      const asked = result.kind === 'retry' && (result.status === 429 || result.retry_after_ms !== null)
      if (asked) lane.paused_until_ms = Math.max(lane.paused_until_ms, row.next_try_at_ms ?? 0)
    }
    this.write(key, row, step)
    this.plan(key, row, now_ms)
    if (row.external_id !== null && row.external_id !== before.external_id)
      step.publish.push(this.linkTicket(row, row.external_id))
    this.parts.attempted(action, result, row)
  }

  /** Begins what is due, the most severe first, while slots are free; forgets what has been at rest for long. */
  private startDue(step: OpenStep, now_ms: number): void {
    const ready: {
      readonly key: string
      readonly row: DeliveryRow
      readonly lane: Lane
      readonly action: Action
      readonly due_ms: number
    }[] = []
    for (const [key, due_ms] of this.due) {
      if (due_ms > now_ms) continue
      const row = this.rows.get(key)
      if (row === undefined) continue
      const lane = this.lanes.get(row.sink) ?? null
      const todo = lane === null ? null : next(row, lane.sink.policy, now_ms)
      if (lane === null || todo === null || todo.action === 'none') this.retire(key, row, step, now_ms)
      else if (todo.action === 'wait') this.setDue(key, todo.until_ms)
      else if (this.free(lane) && lane.paused_until_ms <= now_ms)
        ready.push({ key, row, lane, action: todo.action, due_ms })
    }
    ready.sort((a, b) => compareSeverity(a.row.wanted.severity, b.row.wanted.severity) || a.due_ms - b.due_ms)
    for (const { key, row, lane, action } of ready)
      if (this.free(lane)) this.begin(key, row, lane, action, step, now_ms)
  }

  private begin(
    key: string,
    row: DeliveryRow,
    lane: Lane,
    action: Action,
    step: OpenStep,
    now_ms: number,
  ): void {
    const stored = began(row, action, lane.sink.policy, now_ms)
    if (stored.intent === null) return
    this.write(key, stored, step)
    this.setDue(key, null)
    this.busy.add(key)
    lane.in_flight++
    const { footing } = this
    const doubtful = footing !== null && row.wanted.at_ms < footing.since_ms + CLOCKS_DIFFER_MS
    step.launches.push({ key, sink: lane.sink, row: stored, intent: stored.intent, doubtful })
  }

  private retire(key: string, row: DeliveryRow, step: OpenStep, now_ms: number): void {
    const at_ms = retiresAt(row, this.lanes.get(row.sink)?.sink.policy ?? null)
    if (at_ms === null || at_ms > now_ms) return this.setDue(key, at_ms)
    this.setDue(key, null)
    this.rows.delete(key)
    this.parts.counted(row.sink, row.state, -1)
    step.put.delete(key)
    step.delete.add(key)
  }

  private plan(key: string, row: DeliveryRow, now_ms: number): void {
    const policy = this.lanes.get(row.sink)?.sink.policy ?? null
    const todo = policy === null ? null : next(row, policy, now_ms)
    if (todo === null || todo.action === 'none') this.setDue(key, retiresAt(row, policy))
    else this.setDue(key, todo.action === 'wait' ? todo.until_ms : now_ms)
  }

  private earliest(): number | null {
    let earliest_ms: number | null = null
    for (const [key, due_ms] of this.due) {
      const lane = this.lanes.get(this.rows.get(key)?.sink ?? '')
      // A landing wakes the fold, so that rows without a slot need no time.
      if (lane !== undefined && !this.free(lane)) continue
      const at_ms = Math.max(due_ms, lane?.paused_until_ms ?? 0)
      if (earliest_ms === null || at_ms < earliest_ms) earliest_ms = at_ms
    }
    return earliest_ms
  }

  private free(lane: Lane): boolean {
    return lane.in_flight < this.parts.attempts_max
  }

  private setDue(key: string, due_ms: number | null): void {
    if (due_ms === null) this.due.delete(key)
    else this.due.set(key, due_ms)
    this.earliest_ms = undefined
  }

  private write(key: string, row: DeliveryRow, step: OpenStep): void {
    this.keep(key, row)
    step.delete.delete(key)
    step.put.set(key, encodeRow(row))
  }

  private keep(key: string, row: DeliveryRow): void {
    const before = this.rows.get(key)
    if (before !== undefined) this.parts.counted(before.sink, before.state, -1)
    this.parts.counted(row.sink, row.state, 1)
    this.rows.set(key, row)
  }

  private openStep(): OpenStep {
    const put = new Map(this.unstored)
    this.unstored.clear()
    return { publish: [], put, delete: new Set(), launches: [] }
  }

  private closed({ publish, put, delete: gone, launches }: OpenStep): Step {
    const step: Step = { publish, put, delete: gone }
    if (launches.length === 0) return step
    // Starts the attempts and does not wait for them: they take as long as the sinks do.
    return { ...step, after: async () => launches.forEach((launch) => this.flights.start(launch)) }
  }

  private linkTicket(row: DeliveryRow, external_id: string): Append {
    const { incident_id, sink } = row
    const id = `link_${contentVersion([incident_id, sink, external_id])}`
    const body = {
      kind: 'link-ticket' as const,
      incident_id,
      ticket: { sink, external_id, url: row.url ?? '' },
    }
    const value = encodeRecord({ kind: 'command', command: { id, actor: `sink:${sink}`, body } })
    return { topic: 'alerts', partition: partitionOf(row.wanted.scope, this.parts.alerts_partitions), value }
  }

  private deadLetter(entry: LogEntry, error: CodecError): Append {
    const origin = `incidents/${this.parts.partition}@${entry.position}`
    const letter = deadLetterOf({
      at_ms: entry.time_ms,
      source: 'tocsin.incidents',
      origin,
      code: error.code,
      reason: error.message,
      payload: entry.value,
    })
    return {
      topic: 'deadletters',
      partition: partitionOf(letter.id, this.parts.deadletters_partitions),
      value: Buffer.from(JSON.stringify(letter)),
    }
  }
}
