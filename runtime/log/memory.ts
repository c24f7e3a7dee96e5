/** The log in memory, for tests and simulation: time comes from the clock, everything else happens at once. */
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
import { checkPartition, ownAppend, type Partitions, samePartitions } from './append.ts'
import { Entries } from './entries.ts'
import { LocalReaders } from './local.ts'

const POLL_MAX_BYTES = 16 * 1024 * 1024

interface Partition {
  readonly entries: Entries
  first: Position
  next: Position
  last_time_ms: number
}

export class MemoryLog implements Log {
  private readonly clock: Clock
  private readonly counts: Partitions
  private readonly topics: Readonly<Record<Topic, readonly Partition[]>>
  private readonly readers: LocalReaders
  private closed = false

  /** The same number of partitions in every topic, at most 128. */
  constructor(clock: Clock, partitions: number) {
    this.clock = clock
    this.counts = samePartitions(partitions)
    const empty = () =>
      Array.from({ length: partitions }, () => ({
        entries: new Entries(),
        first: 0,
        next: 0,
        last_time_ms: 0,
      }))
    this.topics = Object.fromEntries(TOPICS.map((topic) => [topic, empty()])) as Record<Topic, Partition[]>
    this.readers = new LocalReaders({
      clock,
      bounds: (topic, partition) => this.partition(topic, partition),
      read: (topic, partition, from, entries_max) =>
        this.partition(topic, partition).entries.from(from, entries_max, POLL_MAX_BYTES),
    })
  }

  partitions(topic: Topic): number {
    return this.counts[topic]
  }

  async append(appends: readonly Append[]): Promise<readonly Position[]> {
    this.checkOpen()
    for (const { topic, partition } of appends) checkPartition(this.counts, topic, partition)
    const now_ms = this.clock.now()
    const positions = appends.map((append) => this.take(append, now_ms))
    for (const { topic, partition } of appends) this.readers.arrivals.announce(topic, partition)
    return positions
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

  /** Forgets the entries before a position. */
  async trim(topic: Topic, partition: number, before: Position): Promise<void> {
    checkPartition(this.counts, topic, partition)
    const kept = this.partition(topic, partition)
    kept.first = Math.max(kept.first, Math.min(before, kept.next))
    kept.entries.dropBefore(kept.first)
  }

  async ping(): Promise<void> {
    this.checkOpen()
  }

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

  private take(append: Append, now_ms: number): Position {
    const { topic, partition, value, headers } = ownAppend(append)
    const into = this.partition(topic, partition)
    const position = into.next
    into.next += 1
    into.last_time_ms = Math.max(into.last_time_ms, now_ms)
    into.entries.push({ position, time_ms: into.last_time_ms, value, headers })
    return position
  }
}
