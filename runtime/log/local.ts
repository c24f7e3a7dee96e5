/** Subscribers and tails of a log that lives in this process. */
import { Retryable } from '../errors.ts'
import type { LogEntry, Ownership, Position, Subscription, Topic } from '../ports.ts'
import { Arrivals, type EntrySource, LocalReader } from './reader.ts'

const TAIL_ENTRIES_MAX = 500
const TAIL_RETRY_MS = 1_000

class Member {
  readonly readers = new Map<number, LocalReader>()
  private readonly ownership: Ownership
  private readonly stopping = new Set<Promise<void>>()

  constructor(ownership: Ownership) {
    this.ownership = ownership
  }

  gain(reader: LocalReader): void {
    this.readers.set(reader.partition, reader)
    this.ownership.gained(reader)
  }

  lose(partition: number): void {
    this.readers.get(partition)?.end()
    this.readers.delete(partition)
    const stopping = this.ownership.lost(partition).finally(() => this.stopping.delete(stopping))
    this.stopping.add(stopping)
  }

  async stop(): Promise<void> {
    for (const partition of [...this.readers.keys()]) this.lose(partition)
    await Promise.all(this.stopping)
  }
}

/** Shares out as evenly as whole partitions go and moves as few as possible. */
function share(
  members: readonly Member[],
  partitions: number,
  make: (partition: number) => LocalReader,
): void {
  const largest_first = [...members].sort((a, b) => b.readers.size - a.readers.size)
  const quotas = new Map(
    largest_first.map((member, i) => [
      member,
      Math.floor((partitions + members.length - 1 - i) / members.length),
    ]),
  )
  for (const [member, quota] of quotas) {
    for (const partition of [...member.readers.keys()].slice(quota)) member.lose(partition)
  }
  const owned = new Set(members.flatMap((member) => [...member.readers.keys()]))
  const free = Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => !owned.has(partition),
  )
  for (const [member, quota] of quotas) {
    for (const partition of free.splice(0, quota - member.readers.size)) member.gain(make(partition))
  }
}

export class LocalReaders {
  readonly arrivals = new Arrivals()
  private readonly source: EntrySource
  private readonly groups = new Map<string, Member[]>()
  private readonly open = new Set<Subscription>()

  constructor(source: EntrySource) {
    this.source = source
  }

  subscribe(topic: Topic, partitions: number, group: string, ownership: Ownership): Subscription {
    const key = `${topic}/${group}`
    const members = this.groups.get(key) ?? []
    const member = new Member(ownership)
    const shareOut = () =>
      share(members, partitions, (partition) => new LocalReader(topic, partition, this.source, this.arrivals))
    members.push(member)
    this.groups.set(key, members)
    shareOut()
    return this.keep(async () => {
      members.splice(members.indexOf(member), 1)
      const stopped = member.stop()
      if (members.length > 0) shareOut()
      else this.groups.delete(key)
      await stopped
    })
  }

  tail(
    topic: Topic,
    partitions: number,
    from: readonly Position[],
    onEntries: (partition: number, entries: readonly LogEntry[]) => Promise<void> | void,
  ): Subscription {
    const closing = new AbortController()
    for (let partition = 0; partition < partitions; partition += 1) {
      void this.follow(topic, partition, from[partition] ?? 0, closing.signal, (entries) =>
        onEntries(partition, entries),
      )
    }
    return this.keep(() => {
      closing.abort()
      return Promise.resolve()
    })
  }

  /** Ends every subscription and tail, and waits for the owners. */
  async close(): Promise<void> {
    await Promise.all([...this.open].map((subscription) => subscription.close()))
  }

  private keep(end: () => Promise<void>): Subscription {
    let ending: Promise<void> | null = null
    const subscription: Subscription = {
      close: () => {
        this.open.delete(subscription)
        ending ??= end()
        return ending
      },
    }
    this.open.add(subscription)
    return subscription
  }

  private async follow(
    topic: Topic,
    partition: number,
    from: Position,
    closing: AbortSignal,
    onEntries: (entries: readonly LogEntry[]) => Promise<void> | void,
  ): Promise<void> {
    let position = from
    while (!closing.aborted) {
      const entries = await this.page(topic, partition, position, closing)
      if (closing.aborted) return
      if (entries.length > 0) await onEntries(entries)
      const { first, next } = this.source.bounds(topic, partition)
      position = Math.max(first, (entries.at(-1)?.position ?? position - 1) + 1)
      // A view that is far behind leaves the process time for others.
      if (position < next) await this.source.clock.sleep(0, closing)
      else await this.arrival(topic, partition, closing)
    }
  }

  /** A page for a tail; none after a fault of the disk, which is tried again. */
  private async page(
    topic: Topic,
    partition: number,
    from: Position,
    closing: AbortSignal,
  ): Promise<readonly LogEntry[]> {
    try {
      const { first } = this.source.bounds(topic, partition)
      return this.source.read(topic, partition, Math.max(from, first), TAIL_ENTRIES_MAX)
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
      await this.source.clock.sleep(TAIL_RETRY_MS, closing)
      return []
    }
  }

  private arrival(topic: Topic, partition: number, closing: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (closing.aborted) return resolve()
      const done = () => {
        forget()
        closing.removeEventListener('abort', done)
        resolve()
      }
      const forget = this.arrivals.once(topic, partition, done)
      closing.addEventListener('abort', done)
    })
  }
}
