import type { ClickHouseClient } from '@clickhouse/client'
import { Retryable } from '../runtime/errors.ts'
import { EMPTY_STEP, type PartitionFold, type Step, type StoreCopy } from '../runtime/fold.ts'
import type { Clock, LogEntry, Position, Topic } from '../runtime/ports.ts'
import { CodecError } from '../schemas/codec.ts'
import { AlertsRecorder } from './alerts_recorder.ts'
import { Batch, type Remembered } from './batch.ts'
import { beginRecording, recordingBegan } from './beginnings.ts'
import { unavailable } from './connection.ts'
import { DeadLettersRecorder } from './dead_letters_recorder.ts'
import { IncidentsRecorder } from './incidents_recorder.ts'
import { insertAll, type InsertParts, type RecordObserver } from './inserts.ts'
import type { Recorder } from './recorders.ts'

export const RECORDED_TOPICS = ['alerts', 'incidents', 'deadletters'] as const satisfies readonly Topic[]
export type RecordedTopic = (typeof RECORDED_TOPICS)[number]

export interface RecordParts {
  readonly topic: RecordedTopic
  readonly partition: number
  /** Resolves when ClickHouse answers and has the tables (`History.ready`). */
  readonly client: Promise<ClickHouseClient>
  readonly clock: Clock
  readonly observer: RecordObserver
  /** Rows wait at most this long (history.flush_interval_ms), or until there are `flush_rows`. */
  readonly flush_interval_ms: number
  readonly flush_rows?: number
  /** How long after a failover of the store an insert may come that nobody remembers. */
  readonly settle_ms?: number
}

const FLUSH_ROWS = 20_000
const FLUSH_BYTES = 8_388_608
/** How long a question to ClickHouse may take before the worker claims the shard anew. */
const QUESTION_TIMEOUT_MS = 15_000
/**
 * When a store may have lost the newest plan, its rows may still be on their way: a request ends within 60 s (connection.ts), and an
 * owner that stood still for 10 s looks before it inserts (inserts.ts).
 */
const SETTLE_MS = 75_000
const PLAN_KEY = 'plan'
/** The copy of the store by which the stored position is right, and one that was found since, by which it need not be (`Unsettled`). */
const INCARNATION_KEY = 'incarnation'
const UNSETTLED_KEY = 'unsettled'

/** The entries that one set of inserts stands for: from here to before there. */
interface Plan {
  readonly from: Position
  readonly to: Position
}

/** Another copy of the store, which may have lost plans whose inserts are under way. */
interface Unsettled {
  readonly incarnation: string
  /** When an owner first claimed on it: later none of those plans can have been committed. */
  readonly since_ms: number
}

/**
 * The record fold: log entries → rows of ClickHouse, each exactly once.
 *
 * A batch is first committed as a plan, with the position still at its start; then its rows are inserted under tokens
 * that name the plan; the next plan's commit moves the position on. Whoever finds a plan at a restart reads the same
 * entries, builds the same rows, and inserts them under the same tokens. What is remembered between entries
 * (recorders.ts) is stored as it was at the position, so it is one batch behind.
 *
 * A store that is another copy than before (`Claim.incarnation`) may have lost plans whose rows are there. Then ClickHouse tells how
 * far the partition was recorded, before anything is planned. Before the very first plan it was told that there may be one
 * (beginnings.ts), so a new installation is known as such, and waits for nothing.
 */
export class RecordFold implements PartitionFold {
  private readonly parts: RecordParts
  private readonly inserts: InsertParts
  private readonly recorder: Recorder
  private readonly closing = new AbortController()
  private batch = new Batch(0)
  /** When the batch got its first entry. */
  private batch_began_ms = 0
  /** A plan that an owner before us committed, until its entries were read again. */
  private replay: Plan | null = null
  /** The plan that is stored and done: the next commit moves on from it. */
  private done: Batch | null = null
  private done_ms = 0
  private incarnation: string | null = null
  private unsettled: Unsettled | null = null
  /** Can an owner before us have planned what the store does not tell? */
  private doubted = false
  private incarnation_is_stored = true
  /** An insert was given up because the partition is lost: nothing may be committed any more. */
  private ended = false

  constructor(parts: RecordParts) {
    this.parts = parts
    this.inserts = { ...parts, shard: `record/${parts.topic}/${parts.partition}` }
    this.recorder = recorderOf(parts.topic)
  }

  restore(key: string, value: Buffer): void {
    if (key === PLAN_KEY) this.replay = JSON.parse(value.toString()) as Plan
    else if (key === INCARNATION_KEY) this.incarnation = value.toString()
    else if (key === UNSETTLED_KEY) this.unsettled = JSON.parse(value.toString()) as Unsettled
    else this.recorder.restore(key, value)
  }

  async restored(position: Position | null, copy: StoreCopy | null): Promise<Position> {
    this.recorder.restored()
    const from = position ?? (await this.rebuild(0, 0, this.closing.signal))
    this.batch = new Batch(from)
    const known = this.unsettled
    this.unsettled = null
    if (copy === null || copy.incarnation === this.incarnation) return from
    const { incarnation } = copy
    this.unsettled =
      known?.incarnation === incarnation ? known : { incarnation, since_ms: this.parts.clock.now() }
    // What is logged later cannot have been planned by anybody.
    this.doubted = this.replay !== null || from < (await copy.logEnd())
    return from
  }

  fold(entries: readonly LogEntry[]): Step | null {
    if (this.ended) return null
    if (this.unsettled !== null) {
      const { unsettled } = this
      // An owner after us need not wait from the beginning.
      const put = new Map([[UNSETTLED_KEY, Buffer.from(JSON.stringify(unsettled))]])
      const after = (signal: AbortSignal) => this.settle(unsettled, entries, signal)
      return { ...EMPTY_STEP, put, position: this.batch.from, after }
    }
    const plan = this.replay
    if (plan === null) {
      this.take(entries)
      const full = this.batch.rows >= (this.parts.flush_rows ?? FLUSH_ROWS) || this.batch.bytes >= FLUSH_BYTES
      return full ? this.planned() : null
    }
    this.take(entries.filter(({ position }) => position < plan.to))
    if ((entries.at(-1)?.position ?? -1) < plan.to - 1) return null
    const batch = this.completed()
    this.replay = null
    this.take(entries.filter(({ position }) => position >= plan.to))
    return { ...EMPTY_STEP, position: plan.from, after: (signal) => this.insert(batch, true, signal) }
  }

  dueAt(): number | null {
    if (this.ended || this.replay !== null || this.doubted) return null
    if (this.batch.to > this.batch.from) return this.batch_began_ms + this.parts.flush_interval_ms
    return this.done === null ? null : this.done_ms + this.parts.flush_interval_ms
  }

  onDue(): Step | null {
    if (this.ended || this.replay !== null || this.doubted) return null
    return this.planned()
  }

  async close(): Promise<void> {
    this.ended = true
    this.closing.abort()
  }

  /** The commit that moves on from the plan before and, when there are rows, announces the next one. */
  private planned(): Step {
    const batch = this.completed()
    const put = new Map<string, Buffer>()
    const gone = new Set<string>()
    const remembered = [...(this.done?.remembered ?? []), ...(batch.rows === 0 ? batch.remembered : [])]
    for (const [key, value] of remembered) {
      put.delete(key)
      gone.delete(key)
      if (value === null) gone.add(key)
      else put.set(key, value)
    }
    this.done = null
    if (!this.incarnation_is_stored) {
      put.set(INCARNATION_KEY, Buffer.from(this.incarnation ?? ''))
      gone.add(UNSETTLED_KEY)
    }
    this.incarnation_is_stored = true
    if (batch.rows === 0) return { ...EMPTY_STEP, put, delete: gone.add(PLAN_KEY), position: batch.to }
    const plan: Plan = { from: batch.from, to: batch.to }
    put.set(PLAN_KEY, Buffer.from(JSON.stringify(plan)))
    return {
      ...EMPTY_STEP,
      put,
      delete: gone,
      position: batch.from,
      after: (signal) => this.insert(batch, false, signal),
    }
  }

  private async insert(batch: Batch, again: boolean, signal: AbortSignal): Promise<void> {
    this.ended = !(await insertAll(this.inserts, batch, again, signal))
    this.done = batch
    this.done_ms = this.parts.clock.now()
  }

  private take(entries: readonly LogEntry[]): void {
    if (entries.length > 0 && this.batch.to === this.batch.from) this.batch_began_ms = this.parts.clock.now()
    for (const entry of entries) {
      // Recorded by an owner whose plan the store forgot.
      if (entry.position < this.batch.from) continue
      this.batch.to = entry.position + 1
      try {
        this.recorder.add(this.parts.partition, entry, this.batch)
      } catch (error) {
        if (!(error instanceof CodecError)) throw error
        this.parts.observer.undecodable(this.inserts.shard, entry.position, error)
      }
    }
  }

  /** The batch that was filled; another one begins. */
  private completed(): Batch {
    const batch = this.batch
    this.recorder.forget(batch)
    this.batch = new Batch(batch.to)
    return batch
  }

  /** Waits for what may be on its way, and goes on behind what is recorded. `entries` are the first to be taken. */
  private async settle(
    { incarnation, since_ms }: Unsettled,
    entries: readonly LogEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, settle_ms = SETTLE_MS } = this.parts
    const began = await this.ask(signal, (client, given_up) => recordingBegan(client, this.parts, given_up))
    let recorded_to = this.batch.from
    if (this.doubted && (began || this.replay !== null)) {
      const left_ms = Math.min(settle_ms, since_ms + settle_ms - clock.now())
      await clock.sleep(Math.max(0, left_ms), signal)
      this.ended = signal.aborted
      if (this.ended) return
      recorded_to = await this.rebuild(recorded_to, entries[0]?.time_ms ?? 0, signal)
      this.replay = null
    }
    // Told before the first plan is committed: who finds no beginning knows that no insert is under way.
    if (!began) await this.ask(signal, (client, given_up) => beginRecording(client, this.parts, given_up))
    this.unsettled = null
    this.doubted = false
    this.incarnation = incarnation
    this.incarnation_is_stored = false
    this.batch = new Batch(recorded_to)
    // Even if there is nothing to insert, the position moves on, and what was asked for is stored.
    this.done ??= new Batch(this.batch.from)
    this.done_ms = clock.now()
    this.take(entries)
  }

  /** The stored state is new or lost: ClickHouse tells how far this partition was recorded. `from` and `since_ms` as in `Inquiry`. */
  private async rebuild(from: Position, since_ms: number, ended: AbortSignal): Promise<Position> {
    const { partition } = this.parts
    const remembered: Remembered = new Map()
    const to = await this.ask(ended, (client, signal) =>
      this.recorder.rebuild({ client, partition, from, since_ms, signal }, remembered),
    )
    // To be stored although there is nothing to insert.
    if (to > 0 || remembered.size > 0) this.done = new Batch(to, remembered)
    return to
  }

  /** Throws Retryable where ClickHouse is not ready or does not answer. */
  private async ask<T>(
    ended: AbortSignal,
    question: (client: ClickHouseClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { client, clock } = this.parts
    const given_up = new AbortController()
    const expired = clock.sleep(QUESTION_TIMEOUT_MS, ended).then((): never => {
      given_up.abort()
      throw new Retryable('history-unavailable', 'ClickHouse is not ready yet')
    })
    const ready = await Promise.race([client, expired])
    return question(ready, given_up.signal).catch((error: unknown) => {
      throw unavailable(error)
    })
  }
}

function recorderOf(topic: RecordedTopic): Recorder {
  switch (topic) {
    case 'alerts':
      return new AlertsRecorder()
    case 'incidents':
      return new IncidentsRecorder()
    case 'deadletters':
      return new DeadLettersRecorder()
  }
}
