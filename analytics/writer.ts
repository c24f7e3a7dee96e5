import type { ClickHouseClient } from '@clickhouse/client'
import { Retryable } from '../runtime/errors.ts'
import { EMPTY_STEP, type PartitionFold, type Step } from '../runtime/fold.ts'
import type { Clock, LogEntry, Position, Topic } from '../runtime/ports.ts'
import { CodecError } from '../schemas/codec.ts'
import { AlertsRecorder } from './alerts_recorder.ts'
import { Batch, type Remembered } from './batch.ts'
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
}

const FLUSH_ROWS = 20_000
const FLUSH_BYTES = 8_388_608
/** How long a shard without stored state waits for ClickHouse before the worker claims it anew. */
const REBUILD_TIMEOUT_MS = 15_000
const PLAN_KEY = 'plan'

/** The entries that one set of inserts stands for: from here to before there. */
interface Plan {
  readonly from: Position
  readonly to: Position
}

/**
 * The record fold: log entries → rows of ClickHouse, each exactly once.
 *
 * A batch is first committed as a plan, with the position still at its start; then its rows are inserted under tokens
 * that name the plan; the next plan's commit moves the position on. Whoever finds a plan at a restart reads the same
 * entries, builds the same rows, and inserts them under the same tokens. What is remembered between entries
 * (recorders.ts) is stored as it was at the position, so it is one batch behind.
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
  /** An insert was given up because the partition is lost: nothing may be committed any more. */
  private ended = false

  constructor(parts: RecordParts) {
    this.parts = parts
    this.inserts = { ...parts, shard: `record/${parts.topic}/${parts.partition}` }
    this.recorder = recorderOf(parts.topic)
  }

  restore(key: string, value: Buffer): void {
    if (key === PLAN_KEY) this.replay = JSON.parse(value.toString()) as Plan
    else this.recorder.restore(key, value)
  }

  async restored(position: Position | null): Promise<Position> {
    this.recorder.restored()
    const from = position ?? (await this.rebuild())
    this.batch = new Batch(from)
    return from
  }

  fold(entries: readonly LogEntry[]): Step | null {
    if (this.ended) return null
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
    if (this.ended || this.replay !== null) return null
    if (this.batch.to > this.batch.from) return this.batch_began_ms + this.parts.flush_interval_ms
    return this.done === null ? null : this.done_ms + this.parts.flush_interval_ms
  }

  onDue(): Step | null {
    if (this.ended || this.replay !== null) return null
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

  /** The stored state is new or lost: ClickHouse tells how far this partition was recorded. */
  private async rebuild(): Promise<Position> {
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(REBUILD_TIMEOUT_MS)])
    const expired = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () =>
        reject(new Retryable('history-unavailable', 'ClickHouse is not ready yet')),
      )
    })
    const client = await Promise.race([this.parts.client, expired])
    const remembered: Remembered = new Map()
    const highest = await this.recorder
      .rebuild(client, this.parts.partition, remembered, signal)
      .catch((error: unknown) => {
        throw unavailable(error)
      })
    const from = highest === null ? 0 : highest + 1
    if (remembered.size > 0) this.done = new Batch(from, remembered)
    return from
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
