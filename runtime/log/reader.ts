import { Retryable } from '../errors.ts'
import type { Clock, LogEntry, PartitionReader, Position, Topic } from '../ports.ts'

/** Where the readers of one process find entries. Everything that it shows is durable. */
export interface EntrySource {
  readonly clock: Clock
  bounds(topic: Topic, partition: number): { readonly first: Position; readonly next: Position }
  /** Entries at or after a position that is not below `first`. */
  read(topic: Topic, partition: number, from: Position, entries_max: number): readonly LogEntry[]
}

/** Tells the waiting readers of a partition that entries came. */
export class Arrivals {
  private readonly waiting = new Map<string, Set<() => void>>()

  /** Calls back once, at the next arrival, unless the returned function is called before. */
  once(topic: Topic, partition: number, arrived: () => void): () => void {
    const key = `${topic}/${partition}`
    const waiting = this.waiting.get(key) ?? new Set()
    this.waiting.set(key, waiting.add(arrived))
    return () => waiting.delete(arrived)
  }

  announce(topic: Topic, partition: number): void {
    const waiting = this.waiting.get(`${topic}/${partition}`)
    if (waiting === undefined) return
    const called = [...waiting]
    waiting.clear()
    for (const arrived of called) arrived()
  }
}

/** Reads one partition of a log that lives in this process, until it is ended. */
export class LocalReader implements PartitionReader {
  readonly partition: number
  private readonly topic: Topic
  private readonly source: EntrySource
  private readonly arrivals: Arrivals
  private position: Position = 0
  private ended = false
  private woken = false
  private waiting: AbortController | null = null

  constructor(topic: Topic, partition: number, source: EntrySource, arrivals: Arrivals) {
    this.topic = topic
    this.partition = partition
    this.source = source
    this.arrivals = arrivals
  }

  async seek(position: Position): Promise<void> {
    if (!Number.isInteger(position) || position < 0) throw new RangeError(`there is no position ${position}`)
    this.position = position
    if (!this.ended) this.checkPosition()
  }

  async poll(entries_max: number, wait_ms: number): Promise<readonly LogEntry[]> {
    let entries = this.take(entries_max)
    if (entries.length === 0 && wait_ms > 0 && !this.woken && !this.ended) {
      await this.arrival(wait_ms)
      entries = this.take(entries_max)
    }
    this.woken = false
    return entries
  }

  wake(): void {
    this.woken = true
    this.waiting?.abort()
  }

  /** Within one process nobody asks how far a reader is. */
  progressed(): void {}

  /** Ownership is over: polls return nothing from now on, also the one that waits. */
  end(): void {
    this.ended = true
    this.waiting?.abort()
  }

  private take(entries_max: number): readonly LogEntry[] {
    if (this.ended) return []
    this.checkPosition()
    const entries = this.source.read(this.topic, this.partition, this.position, entries_max)
    this.position = (entries.at(-1)?.position ?? this.position - 1) + 1
    return entries
  }

  private async arrival(wait_ms: number): Promise<void> {
    const waiting = new AbortController()
    const forget = this.arrivals.once(this.topic, this.partition, () => waiting.abort())
    this.waiting = waiting
    await this.source.clock.sleep(wait_ms, waiting.signal)
    this.waiting = null
    forget()
  }

  private checkPosition(): void {
    const { first, next } = this.source.bounds(this.topic, this.partition)
    const where = `position ${this.position} of ${this.topic} ${this.partition}`
    if (this.position < first)
      throw new Retryable('position-trimmed', `${where} was trimmed away, the first kept is ${first}`)
    // Waiting there would skip what is appended until the log gets so far.
    if (this.position > next)
      throw new Retryable(
        'position-ahead',
        `${where} is beyond the end ${next}: is this log older than the state?`,
      )
  }
}
