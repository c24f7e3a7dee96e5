/** The embedded log: tables of the SQLite file, with the newest entries in memory for readers that keep up. */
import {
  type Append,
  type Clock,
  type Log,
  type LogEntry,
  type Ownership,
  type Position,
  type Subscription,
  TOPICS,
  type Topic,
} from '../ports.ts'
import type { SqliteEngine } from '../sqlite.ts'
import { checkPartition, ownAppend, type Partitions, samePartitions } from './append.ts'
import { Entries } from './entries.ts'
import { LocalReaders } from './local.ts'
import { makeTables, PartitionTable } from './tables.ts'

const POLL_MAX_BYTES = 16 * 1024 * 1024
const RECENT_MAX_BYTES = 2 * 1024 * 1024
/** What an entry costs beside its value, for the bounds of the engine. */
const ENTRY_BYTES = 100
const TRIM_POSITIONS = 500

export interface SqliteLogOptions {
  readonly clock: Clock
  /** The same number in every topic, at most 128; fixed when the file is made. */
  readonly partitions: number
  /** Values kept in memory, per partition. */
  readonly recent_max_bytes?: number
}

interface Partition {
  readonly table: PartitionTable
  readonly recent: Entries
  first: Position
  /** Readers see what lies before: it is durable. */
  next: Position
  /** The next position to give out. Ahead of `next` while a transaction runs, for good after one that failed. */
  free: Position
  last_time_ms: number
}

type OwnAppend = ReturnType<typeof ownAppend>

export class SqliteLog implements Log {
  private readonly engine: SqliteEngine
  private readonly clock: Clock
  private readonly counts: Partitions
  private readonly recent_max_bytes: number
  private readonly topics: Readonly<Record<Topic, readonly Partition[]>>
  private readonly readers: LocalReaders
  private closed = false

  /** Throws Misconfigured `partitions-fixed` when the file was made with another number of partitions. */
  static async open(engine: SqliteEngine, options: SqliteLogOptions): Promise<SqliteLog> {
    const partitions = samePartitions(options.partitions)
    await makeTables(engine, partitions)
    return engine.guard(() => new SqliteLog(engine, options, partitions))
  }

  private constructor(engine: SqliteEngine, options: SqliteLogOptions, partitions: Partitions) {
    this.engine = engine
    this.clock = options.clock
    this.counts = partitions
    this.recent_max_bytes = options.recent_max_bytes ?? RECENT_MAX_BYTES
    const load = (topic: Topic, partition: number): Partition => {
      const table = new PartitionTable(engine, topic, partition)
      const ends = table.ends()
      return { table, recent: new Entries(), free: ends.next, ...ends }
    }
    this.topics = Object.fromEntries(
      TOPICS.map((topic) => [
        topic,
        Array.from({ length: partitions[topic] }, (_, partition) => load(topic, partition)),
      ]),
    ) as Record<Topic, Partition[]>
    this.readers = new LocalReaders({
      clock: this.clock,
      bounds: (topic, partition) => this.partition(topic, partition),
      read: (topic, partition, from, entries_max) =>
        this.read(this.partition(topic, partition), from, entries_max),
    })
  }

  partitions(topic: Topic): number {
    return this.counts[topic]
  }

  /** A commit to the store of the same engine that is asked for in the same turn shares transaction and fsync. */
  async append(appends: readonly Append[]): Promise<readonly Position[]> {
    this.checkOpen()
    for (const { topic, partition } of appends) checkPartition(this.counts, topic, partition)
    if (appends.length === 0) return []
    const own = appends.map(ownAppend)
    const bytes = own.reduce((sum, { value }) => sum + value.length + ENTRY_BYTES, 0)
    const entries = await this.engine.write(bytes, () => this.insert(own))
    this.publish(own, entries)
    return entries.map((entry) => entry.position)
  }

  async bounds(topic: Topic): Promise<readonly { readonly first: Position; readonly next: Position }[]> {
    this.checkOpen()
    return this.topics[topic].map(({ first, next }) => ({ first, next }))
  }

  async subscribe(topic: Topic, group: string, ownership: Ownership): Promise<Subscription> {
    this.checkOpen()
    return this.readers.subscribe(topic, this.counts[topic], group, ownership)
  }

  async tail(
    topic: Topic,
    from: readonly Position[],
    onEntries: (partition: number, entries: readonly LogEntry[]) => Promise<void> | void,
  ): Promise<Subscription> {
    this.checkOpen()
    return this.readers.tail(topic, this.counts[topic], from, onEntries)
  }

  /** Forgets the entries before a position, in steps that leave the disk time for others; positions are never used again. */
  async trim(topic: Topic, partition: number, before: Position): Promise<void> {
    this.checkOpen()
    checkPartition(this.counts, topic, partition)
    const trimmed = this.partition(topic, partition)
    while (trimmed.first < Math.min(before, trimmed.next)) {
      const first = Math.min(before, trimmed.next, trimmed.first + TRIM_POSITIONS)
      await this.engine.write(0, () => {
        // Before the rows go, so that no reader can take their absence for a gap.
        trimmed.first = Math.max(trimmed.first, first)
        trimmed.recent.dropBefore(trimmed.first)
        trimmed.table.removeBefore(trimmed.first, trimmed.last_time_ms)
      })
    }
  }

  /** The first kept position whose entry is not older than `time_ms`; the next position when all are older. */
  async firstSince(topic: Topic, partition: number, time_ms: number): Promise<Position> {
    this.checkOpen()
    const { table, first, next } = this.partition(topic, partition)
    return this.engine.read(() => table.firstSince(time_ms, first, next))
  }

  async ping(): Promise<void> {
    this.checkOpen()
    await this.engine.read(() => this.partition('alerts', 0).table.ends())
  }

  /** Ends subscriptions and tails; the engine stays open. */
  async close(): Promise<void> {
    await this.readers.close()
    this.closed = true
  }

  private checkOpen(): void {
    if (this.closed) throw new Error('the log was closed')
  }

  private partition(topic: Topic, partition: number): Partition {
    const found = this.topics[topic][partition]
    if (found === undefined) throw new RangeError(`topic ${topic} has no partition ${partition}`)
    return found
  }

  private insert(appends: readonly OwnAppend[]): LogEntry[] {
    const now_ms = this.clock.now()
    return appends.map(({ topic, partition, value, headers }) => {
      const into = this.partition(topic, partition)
      into.last_time_ms = Math.max(into.last_time_ms, now_ms)
      const entry = { position: into.free, time_ms: into.last_time_ms, value, headers }
      into.free += 1
      into.table.insert(entry)
      return entry
    })
  }

  /** Operations become durable in the order of their positions, so this only ever goes forward. */
  private publish(appends: readonly OwnAppend[], entries: readonly LogEntry[]): void {
    for (const [i, entry] of entries.entries()) {
      const { topic, partition } = appends[i] as OwnAppend
      const into = this.partition(topic, partition)
      into.next = entry.position + 1
      into.recent.push(entry)
      into.recent.dropToBytes(this.recent_max_bytes)
    }
    for (const { topic, partition } of appends) this.readers.arrivals.announce(topic, partition)
  }

  private read(partition: Partition, from: Position, entries_max: number): readonly LogEntry[] {
    const { recent, next, table } = partition
    const recent_from = recent.firstPosition ?? next
    if (from < Math.min(recent_from, next)) {
      const older = this.engine.guard(() => table.select(from, recent_from, entries_max))
      if (older.length > 0) return older
    }
    return recent.from(from, entries_max, POLL_MAX_BYTES)
  }
}
