import { Retryable } from '../../runtime/errors.ts'
import type { MemoryLog } from '../../runtime/log/memory.ts'
import type {
  Append,
  Log,
  LogEntry,
  Ownership,
  PartitionReader,
  Position,
  Subscription,
  Topic,
} from '../../runtime/ports.ts'
import { encodeRecord } from '../../schemas/codec.ts'
import { Group, type Member } from './group.ts'
import type { Host, World } from './world.ts'

const TICK = encodeRecord({ kind: 'tick' })
const ALL = 1_000_000

/** Told of every entry once it is in the log, in the order of its partition. */
export type Audit = (topic: Topic, partition: number, entry: LogEntry) => void

/** The log that all processes share: a MemoryLog whose clock is the broker's own, reached through an unreliable network. */
export class Broker {
  /** The broker's clock against the true time. */
  offset_ms = 0
  readonly memory: MemoryLog
  readonly groups = new Map<string, Group>()
  /** Where lag tools would say that a group stands: `group/partition` → position. */
  readonly progress = new Map<string, Position>()
  readonly partitions: number
  readonly world: World
  private readonly audit: Audit
  private readonly audited = new Map<Topic, readonly PartitionReader[]>()
  private opened = 0
  private readonly waiting = new Set<SimulatedReader>()

  constructor(world: World, partitions: number, audit: Audit, make: typeof MemoryLog) {
    this.world = world
    this.partitions = partitions
    this.audit = audit
    this.memory = new make(
      { now: () => world.now_ms + this.offset_ms, sleep: async () => {}, token: () => '' },
      partitions,
    )
  }

  open(): void {
    for (const topic of ['alerts', 'incidents', 'deadletters'] as const)
      this.audited.set(topic, this.readers(topic))
  }

  /** A new reader of every partition. */
  readers(topic: Topic): readonly PartitionReader[] {
    const readers: PartitionReader[] = []
    const ownership = { gained: (reader: PartitionReader) => void readers.push(reader), lost: async () => {} }
    void this.memory.subscribe(topic, `reader ${++this.opened}`, ownership)
    return readers
  }

  async next(topic: Topic): Promise<readonly Position[]> {
    return (await this.memory.bounds(topic)).map(({ next }) => next)
  }

  async take(entries: readonly Append[]): Promise<readonly Position[]> {
    const positions = await this.memory.append(entries)
    for (const topic of new Set(entries.map((entry) => entry.topic))) {
      for (const reader of this.audited.get(topic) ?? []) {
        for (const entry of await reader.poll(ALL, 0)) this.audit(topic, reader.partition, entry)
      }
    }
    for (const reader of this.waiting)
      if (entries.some(({ topic, partition }) => reader.reads(topic, partition))) reader.arrived()
    return positions
  }

  wait(reader: SimulatedReader, waits: boolean): void {
    if (waits) this.waiting.add(reader)
    else this.waiting.delete(reader)
  }

  group(name: string): Group {
    const found = this.groups.get(name) ?? new Group(this.world, name, this.partitions)
    this.groups.set(name, found)
    return found
  }

  client(host: Host): Log {
    return new BrokerClient(this, host)
  }
}

class BrokerClient implements Log {
  private readonly broker: Broker
  private readonly host: Host
  private readonly readers: SimulatedReader[] = []

  constructor(broker: Broker, host: Host) {
    this.broker = broker
    this.host = host
  }

  partitions(): number {
    return this.broker.partitions
  }

  append(entries: readonly Append[]): Promise<readonly Position[]> {
    const { world } = this.broker
    for (const { topic, partition, value } of entries) {
      if (!value.equals(TICK)) continue
      // A loop that is to stop may still tick beside the one that follows it.
      const found = this.readers
        .filter((reader) => reader.reads(topic, partition) && reader.ticks)
        .map((reader) => reader.found)
      if (!found.includes(0))
        world.violate(
          '9: a tick only after an empty poll',
          `${this.host.name} ticks ${topic}/${partition} after polls that found ${found.join(', ')}`,
        )
    }
    const what = `append ${entries.map(({ topic, partition }) => `${topic}/${partition}`).join(' ')}`
    return world.request(this.host, 'log', what, async () => {
      const partitions = new Set(entries.map(({ topic, partition }) => `${topic}/${partition}`))
      // A request goes to several brokers; one of them may be away.
      const missed =
        partitions.size > 1 && world.random.chance(world.rates.refused)
          ? world.random.pick([...partitions])
          : null
      if (missed === null) return this.broker.take(entries)
      await this.broker.take(entries.filter(({ topic, partition }) => `${topic}/${partition}` !== missed))
      throw new Retryable('partly-refused', `${missed} was away`)
    })
  }

  async bounds(topic: Topic): Promise<readonly { readonly first: Position; readonly next: Position }[]> {
    return this.broker.world.request(this.host, 'log', `bounds ${topic}`, () =>
      this.broker.memory.bounds(topic),
    )
  }

  async subscribe(topic: Topic, group: string, ownership: Ownership): Promise<Subscription> {
    const member: Member = {
      host: this.host,
      gained: (partition) => {
        const reader = new SimulatedReader(
          this.broker,
          this.host,
          topic,
          group,
          this.broker.readers(topic)[partition] as PartitionReader,
        )
        this.readers.push(reader)
        ownership.gained(reader)
      },
      lost: (partition) => {
        this.readers.findLast((reader) => reader.reads(topic, partition) && reader.group === group)?.end()
        void ownership.lost(partition)
      },
    }
    this.broker.group(group).join(member)
    return { close: async () => this.broker.group(group).leave(member) }
  }

  tail(): Promise<Subscription> {
    return Promise.reject(new Error('live views are not simulated'))
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Reads through the network: fetches take time, find fewer entries than there are, and fail. */
class SimulatedReader implements PartitionReader {
  readonly partition: number
  /** How many entries the last poll gave; null: there was none since the last seek. */
  found: number | null = null
  private readonly topic: Topic
  private readonly broker: Broker
  private readonly host: Host
  readonly group: string
  private readonly inner: PartitionReader
  private ended = false
  private woken = false
  private interrupt: (() => void) | null = null

  constructor(broker: Broker, host: Host, topic: Topic, group: string, inner: PartitionReader) {
    this.broker = broker
    this.host = host
    this.topic = topic
    this.group = group
    this.inner = inner
    this.partition = inner.partition
  }

  async seek(position: Position): Promise<void> {
    if (this.ended)
      this.broker.world.violate(
        '2: who lost a partition leaves it alone',
        `${this.host.name} seeks ${this.topic}/${this.partition} after it lost it`,
      )
    this.found = null
    await this.inner.seek(position)
  }

  async poll(entries_max: number, wait_ms: number): Promise<readonly LogEntry[]> {
    // Half of the time the next entries are here already.
    if (this.broker.world.random.chance(0.5)) await this.pass(this.broker.world.latency())
    let entries = await this.fetch(entries_max)
    if (entries.length === 0 && wait_ms > 0 && !this.woken && !this.ended) {
      this.broker.wait(this, true)
      await this.pass(wait_ms, true)
      this.broker.wait(this, false)
      entries = await this.fetch(entries_max)
    }
    this.woken = false
    this.found = entries.length
    return entries
  }

  reads(topic: Topic, partition: number): boolean {
    return this.topic === topic && this.partition === partition
  }

  /** Is it of those who keep the clock? */
  get ticks(): boolean {
    return this.group.startsWith('tocsin-correlate-')
  }

  wake(): void {
    this.woken = true
    this.interrupt?.()
  }

  arrived(): void {
    this.interrupt?.()
  }

  progressed(position: Position): void {
    if (this.host.alive) this.broker.progress.set(`${this.group}/${this.partition}`, position)
  }

  end(): void {
    this.ended = true
    this.interrupt?.()
  }

  private async fetch(entries_max: number): Promise<readonly LogEntry[]> {
    const { world } = this.broker
    if (this.ended) return []
    if (world.down.has('log') || world.random.chance(world.rates.refused / 4))
      throw new Retryable('fetch-failed', 'the broker did not answer')
    return this.inner.poll(world.random.chance(0.3) ? world.random.between(1, entries_max) : entries_max, 0)
  }

  private pass(ms: number, interruptible = false): Promise<void> {
    return new Promise((resolve) => {
      const pending = this.broker.world.scheduler.after(ms, () => this.host.awaits() && resolve())
      if (!interruptible) return
      this.interrupt = () => {
        this.interrupt = null
        pending.cancelled = true
        resolve()
      }
    })
  }
}
