import type { Append, LogEntry, Position } from './ports.ts'

/** What a fold asks the worker to do, in this order: publish, then commit rows and position together, then `after`. */
export interface Step {
  readonly publish: readonly Append[]
  readonly put: ReadonlyMap<string, Buffer>
  readonly delete: ReadonlySet<string>
  /** Where a restart reads on; left out: the position after the last entry given to the fold. */
  readonly position?: Position
  /** Work on the outside world that must not begin before the commit, and must be done before anything else is read. */
  readonly after?: (signal: AbortSignal) => Promise<void>
}

/** The copy of the data that took the claim. */
export interface StoreCopy {
  /** As in `Claim`. When it is another one than that of the state, owners before may have done more than the state says. */
  readonly incarnation: string
  /** The position of the log behind everything that they can have read: where it ends at some moment after the claim. */
  logEnd(): Promise<Position>
}

/**
 * One fold over one partition, as the worker loop sees it. It lives from claim to loss of the partition;
 * its state is rebuilt from its rows at every claim. All calls come one after another.
 */
export interface PartitionFold {
  /** Called for every stored row before anything else. */
  restore(key: string, value: Buffer): void
  /**
   * Called once all rows are there. Returns where to begin when the shard has no position: 0 unless the fold knows better.
   * `copy` is null where the store never loses what it acknowledged.
   */
  restored(position: Position | null, copy: StoreCopy | null): Promise<Position>
  /** Takes entries in order. Null: nothing to commit yet. */
  fold(entries: readonly LogEntry[]): Step | null
  /** When `onDue` wants to be called (milliseconds since the epoch); null: not at all. */
  dueAt(): number | null
  /** Called when due; `idle` says that the last poll found nothing, so that everything logged was seen. */
  onDue(now_ms: number, idle: boolean): Step | null
  /** Called when the fold's own outside work finished: lets it cut short a waiting poll. Set by the worker. */
  wake?: () => void
  /**
   * The process stops, and nobody has the partition before it is done: outside work in flight ends by itself if it does so soon,
   * and what it came to is to be stored, so that the next owner need not find out.
   */
  finish?(): Promise<Step>
  /** The partition is lost or the process stops: outside work in flight ends soon after. */
  close(): Promise<void>
}

export const EMPTY_STEP: Step = { publish: [], put: new Map(), delete: new Set() }
