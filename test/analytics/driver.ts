import type { ClickHouseClient } from '@clickhouse/client'
import { RecordFold, type RecordedTopic, type RecordParts } from '../../analytics/writer.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Fenced } from '../../runtime/errors.ts'
import type { Step, StoreCopy } from '../../runtime/fold.ts'
import type { Clock, LogEntry, Position } from '../../runtime/ports.ts'

/** Where an owner stops for good. */
export type Crash = 'before-commit' | 'after-commit' | 'after-insert'

/** The stored state of one shard, with the store's fencing. */
export class Shard {
  position: Position | null = null
  rows = new Map<string, Buffer>()
  private owner: object | null = null

  claim(owner: object): void {
    this.owner = owner
  }

  commit(owner: object, step: Step, position: Position): void {
    if (this.owner !== owner) throw new Fenced('record')
    for (const [key, value] of step.put) this.rows.set(key, value)
    for (const key of step.delete) this.rows.delete(key)
    this.position = position
  }

  /** What a copy has that lags behind from now on. */
  copy(): Shard {
    const copy = new Shard()
    copy.position = this.position
    copy.rows = new Map(this.rows)
    return copy
  }

  /** The store forgot everything. */
  lose(): void {
    this.position = null
    this.rows.clear()
  }
}

export class Crashed extends Error {}

export interface Run {
  readonly topic: RecordedTopic
  readonly partition?: number
  readonly client: ClickHouseClient | Promise<ClickHouseClient>
  readonly flush_rows?: number
  /** Entries given to the fold at once. */
  readonly entries_max?: number
  readonly observer?: Partial<RecordParts['observer']>
  readonly signal?: AbortSignal
  /** The copy of the store that takes the claims; left out: one that loses nothing. */
  readonly copy?: StoreCopy
  readonly settle_ms?: number
  readonly clock?: Clock
}

/** A test that expects no trouble fails by it. */
function unexpected(_shard: string, ...told: unknown[]): never {
  throw new Error(`unexpected trouble: ${told.join(' ')}`)
}

/** One owner of a shard, as the worker loop drives it, that can be stopped between any two steps. */
export class Owner {
  readonly fold: RecordFold
  next: Position = 0
  private readonly shard: Shard
  private readonly run: Run

  constructor(shard: Shard, run: Run) {
    this.shard = shard
    this.run = run
    this.fold = new RecordFold({
      topic: run.topic,
      partition: run.partition ?? 0,
      client: Promise.resolve(run.client),
      clock: run.clock ?? systemClock,
      observer: { inserted() {}, retrying: unexpected, undecodable: unexpected, ...run.observer },
      flush_interval_ms: 60_000,
      flush_rows: run.flush_rows ?? 10,
      settle_ms: run.settle_ms ?? 0,
    })
  }

  async claim(): Promise<this> {
    this.shard.claim(this)
    for (const [key, value] of this.shard.rows) this.fold.restore(key, value)
    this.next = await this.fold.restored(this.shard.position, this.run.copy ?? null)
    return this
  }

  /** Reads the log to its end and flushes; stops at the `nth` step that has work outside when a crash is asked for. */
  async read(log: readonly LogEntry[], crash?: Crash, nth = 1): Promise<void> {
    const size = this.run.entries_max ?? 4
    for (let steps = 0; ; ) {
      const entries = log.filter(({ position }) => position >= this.next).slice(0, size)
      if (entries.length === 0) break
      const step = this.fold.fold(entries)
      this.next = (entries.at(-1) as LogEntry).position + 1
      if (step?.after) steps++
      if (step) await this.carryOut(step, steps === nth ? crash : undefined)
    }
    while (this.fold.dueAt() !== null) await this.carryOut(this.fold.onDue() as Step, crash)
  }

  async carryOut(step: Step, crash?: Crash): Promise<void> {
    if (crash === 'before-commit') throw new Crashed(crash)
    this.shard.commit(this, step, step.position ?? this.next)
    if (crash === 'after-commit') throw new Crashed(crash)
    await step.after?.(this.run.signal ?? new AbortController().signal)
    if (crash === 'after-insert') throw new Crashed(crash)
  }
}
