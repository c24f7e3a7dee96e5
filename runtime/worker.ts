import { Fenced, Retryable } from './errors.ts'
import type { PartitionFold, Step, StoreCopy } from './fold.ts'
import type {
  Append,
  Claim,
  Clock,
  Commit,
  Log,
  LogEntry,
  Ownership,
  PartitionReader,
  Position,
  Shard,
  Store,
  Subscription,
  Topic,
} from './ports.ts'
import type { Tracing } from './tracing.ts'

/** Entries given to a fold at once. An entry may hold a thousand alerts, so this bounds how long the loop is held. */
const ENTRIES_MAX = 32
const IDLE_WAIT_MS = 1_000
/** How often an owner that commits nothing makes sure that it is the owner still, where a store may go back. */
const CONFIRM_INTERVAL_MS = 10_000
const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 10_000

/** What the worker tells about itself; metrics and logs hang on it. */
export interface WorkerObserver {
  owned(shard: Shard, owned: boolean): void
  /** Everything before this position is in the stored state. */
  committed(shard: Shard, position: Position): void
  batch(
    shard: Shard,
    batch: { entries: number; fold_ms: number; publish_ms: number; commit_ms: number; record_age_ms: number },
  ): void
  /** The world outside failed; the worker goes on trying. */
  retrying(shard: Shard, error: Retryable, attempt: number): void
  fenced(shard: Shard): void
  /** A mistake in the program: the process must end. */
  fatal(shard: Shard, error: unknown): void
}

export interface WorkerParts {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  readonly observer: WorkerObserver
  readonly tracing: Tracing
  readonly topic: Topic
  /**
   * Name of the fold: its shards are `<name>/<topic>/<partition>`, its group `tocsin-<name>-<topic>`. A group of its own for
   * each topic: Kafka shares out only the topics of one member, so members that ask for different topics starve each other.
   */
  readonly name: string
  readonly make: (partition: number) => PartitionFold
}

/**
 * Runs one fold over the partitions of one topic that this process owns:
 * claim → load → seek → loop { poll, fold, publish, commit }.
 */
export class Worker implements Ownership {
  private readonly parts: WorkerParts
  private readonly loops = new Map<number, PartitionLoop>()
  private subscription: Subscription | null = null
  private stopping = false

  constructor(parts: WorkerParts) {
    this.parts = parts
  }

  async start(): Promise<void> {
    this.subscription = await this.parts.log.subscribe(
      this.parts.topic,
      `tocsin-${this.parts.name}-${this.parts.topic}`,
      this,
    )
  }

  gained(reader: PartitionReader): void {
    // On the way out of the group; nobody would stop it.
    if (this.stopping) return
    const loop = new PartitionLoop(this.parts, reader)
    const before = this.loops.get(reader.partition)
    this.loops.set(reader.partition, loop)
    void Promise.resolve(before?.stop()).then(() => loop.run())
  }

  async lost(partition: number): Promise<void> {
    const loop = this.loops.get(partition)
    this.loops.delete(partition)
    await loop?.stop()
  }

  /** Ends after the batch in hand; what was not committed is done again by the next owner. */
  async stop(): Promise<void> {
    this.stopping = true
    await Promise.all([...this.loops.values()].map((loop) => loop.stop(true)))
    this.loops.clear()
    await this.subscription?.close()
  }
}

class PartitionLoop {
  private readonly parts: WorkerParts
  private readonly reader: PartitionReader
  private readonly shard: Shard
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private in_good_order = false

  constructor(parts: WorkerParts, reader: PartitionReader) {
    this.parts = parts
    this.reader = reader
    this.shard = `${parts.name}/${parts.topic}/${reader.partition}`
  }

  run(): Promise<void> {
    this.running = this.sessions()
    return this.running
  }

  /** `in_good_order`: nobody else has the partition yet. */
  async stop(in_good_order = false): Promise<void> {
    this.in_good_order = in_good_order
    this.stopping.abort()
    this.reader.wake()
    await this.running
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted
  }

  /** One session a claim. A fence or an unreachable store ends a session and begins another; a bug ends everything. */
  private async sessions(): Promise<void> {
    const { observer } = this.parts
    observer.owned(this.shard, true)
    for (let attempt = 1; !this.stopped; attempt++) {
      try {
        await this.session(() => (attempt = 0))
      } catch (error) {
        if (error instanceof Fenced) observer.fenced(this.shard)
        else if (error instanceof Retryable) observer.retrying(this.shard, error, attempt)
        else {
          observer.fatal(this.shard, error)
          break
        }
        await this.backOff(attempt)
      }
    }
    observer.owned(this.shard, false)
  }

  private async session(working: () => void): Promise<void> {
    const { store, clock } = this.parts
    const token = clock.token()
    const claim = await store.claim(this.shard, token)
    const fold = this.parts.make(this.reader.partition)
    fold.wake = () => this.reader.wake()
    try {
      for await (const page of store.rows(this.shard)) {
        // A long load may outlive the ownership; the reader may be somebody else's by now.
        if (this.stopped) return
        for (const [key, value] of page) fold.restore(key, value)
      }
      const from = await fold.restored(claim.position, this.copyOf(claim))
      if (this.stopped) return
      await this.reader.seek(from)
      // Whoever claimed while the rows were read may have committed between two of them. Changes are published before they
      // are committed, so a mixture must be refused before it is folded: this commit is, unless the claim still holds.
      const owner: Owner = {
        token,
        version: claim.version,
        stored: claim.position,
        position: from,
        confirm_at_ms: Infinity,
      }
      owner.version = await store.commit(this.shard, confirmation(owner))
      if (claim.incarnation !== null) owner.confirm_at_ms = clock.now() + CONFIRM_INTERVAL_MS
      while (!this.stopped) {
        await this.turn(fold, owner)
        working()
      }
      if (this.in_good_order && fold.finish)
        await this.carryOut(await fold.finish(), owner, owner.position, null)
    } finally {
      await fold.close()
    }
  }

  private copyOf({ incarnation }: Claim): StoreCopy | null {
    if (incarnation === null) return null
    const logEnd = async () => {
      const bounds = await this.parts.log.bounds(this.parts.topic)
      return bounds[this.reader.partition]?.next ?? 0
    }
    return { incarnation, logEnd }
  }

  /** One turn of the loop: what was logged, then what is due. */
  private async turn(fold: PartitionFold, owner: Owner): Promise<void> {
    const due_ms = fold.dueAt()
    const wait_ms =
      due_ms === null ? IDLE_WAIT_MS : Math.min(IDLE_WAIT_MS, Math.max(0, due_ms - this.parts.clock.now()))
    const entries = await this.reader.poll(ENTRIES_MAX, wait_ms)
    if (this.stopped) return
    if (entries.length > 0) {
      const began_ms = this.parts.clock.now()
      const span = this.parts.tracing.batch(this.parts.name, entries.length, entries)
      const step = fold.fold(entries)
      const next = (entries.at(-1) as LogEntry).position + 1
      await this.carryOut(step, owner, next, {
        entries,
        fold_ms: this.parts.clock.now() - began_ms,
        headers: span.headers,
      })
      span.end()
    }
    const now_ms = this.parts.clock.now()
    const due_now_ms = fold.dueAt()
    if (due_now_ms !== null && due_now_ms <= now_ms)
      await this.carryOut(fold.onDue(now_ms, entries.length === 0), owner, owner.position, null)
    else if (now_ms >= owner.confirm_at_ms) await this.commit(confirmation(owner), owner)
  }

  private async carryOut(
    step: Step | null,
    owner: Owner,
    next: Position,
    batch: FoldedBatch | null,
  ): Promise<void> {
    if (!step) {
      owner.position = next
      return
    }
    const { log, clock, observer } = this.parts
    const began_ms = clock.now()
    const publish = batch ? withHeaders(step.publish, batch.headers) : step.publish
    if (publish.length > 0) await this.insist(() => log.append(publish))
    const published_ms = clock.now()
    const position = step.position ?? next
    if (step.put.size > 0 || step.delete.size > 0 || batch) {
      const { token, version } = owner
      await this.commit({ token, version, position, put: step.put, delete: step.delete }, owner)
      this.reader.progressed(position)
      observer.committed(this.shard, position)
    }
    owner.position = next
    if (batch) {
      const age_ms = clock.now() - (batch.entries[0] as LogEntry).time_ms
      observer.batch(this.shard, {
        entries: batch.entries.length,
        fold_ms: batch.fold_ms,
        publish_ms: published_ms - began_ms,
        commit_ms: clock.now() - published_ms,
        record_age_ms: age_ms,
      })
    }
    if (step.after) await step.after(this.stopping.signal)
  }

  private async commit(commit: Commit, owner: Owner): Promise<void> {
    const { store, clock } = this.parts
    owner.version = await this.insist(() => store.commit(this.shard, commit))
    owner.stored = commit.position
    if (owner.confirm_at_ms < Infinity) owner.confirm_at_ms = clock.now() + CONFIRM_INTERVAL_MS
  }

  /** Repeats until it succeeds, is fenced, or the partition is lost (then the session ends without having committed). */
  private async insist<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act()
      } catch (error) {
        if (!(error instanceof Retryable) || this.stopped) throw error
        this.parts.observer.retrying(this.shard, error, attempt)
        await this.backOff(attempt)
      }
    }
  }

  private async backOff(attempt: number): Promise<void> {
    const ms = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt, 10))
    await this.parts.clock.sleep(ms, this.stopping.signal)
  }
}

interface Owner {
  readonly token: string
  version: number
  /** Of the last commit. */
  stored: Position | null
  /** How far the fold is. */
  position: Position
  /** When to commit nothing, if nothing else was committed by then; Infinity: this store never goes back. */
  confirm_at_ms: number
}

/** A commit that changes nothing: it is refused when somebody else claimed, or the store went back. */
function confirmation({ token, version, stored }: Owner): Commit {
  return { token, version, position: stored, put: new Map(), delete: new Set() }
}

interface FoldedBatch {
  readonly entries: readonly LogEntry[]
  readonly fold_ms: number
  readonly headers: Readonly<Record<string, string>>
}

function withHeaders(publish: readonly Append[], headers: FoldedBatch['headers']): readonly Append[] {
  return Object.keys(headers).length === 0
    ? publish
    : publish.map((append) => ({ ...append, headers: { ...append.headers, ...headers } }))
}
