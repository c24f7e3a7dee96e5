import type {
  Log,
  LogEntry,
  Ownership,
  PartitionReader,
  Position,
  Subscription,
  Topic,
} from '../../runtime/ports.ts'
import { eventually, PATIENCE_MS } from './wait.ts'

/** A subscriber that remembers what it owns and what it was told. */
export class Owner implements Ownership {
  readonly readers = new Map<number, PartitionReader>()
  /** Every partition that was lost, in the order of the calls. */
  readonly losses: number[] = []

  gained(reader: PartitionReader): void {
    this.readers.set(reader.partition, reader)
  }

  lost(partition: number): Promise<void> {
    this.readers.delete(partition)
    this.losses.push(partition)
    return Promise.resolve()
  }

  owned(): number[] {
    return [...this.readers.keys()].sort((a, b) => a - b)
  }

  reader(partition: number): PartitionReader {
    const reader = this.readers.get(partition)
    if (reader === undefined)
      throw new Error(`partition ${partition} is not owned; owned: ${this.owned().join(', ')}`)
    return reader
  }
}

export interface Subscribed {
  readonly owner: Owner
  readonly subscription: Subscription
}

export async function subscribe(log: Log, topic: Topic, group: string): Promise<Subscribed> {
  const owner = new Owner()
  return { owner, subscription: await log.subscribe(topic, group, owner) }
}

/** Subscribes as the only member of a group and waits until every partition is there. */
export async function subscribeAlone(log: Log, topic: Topic, group: string): Promise<Subscribed> {
  const subscribed = await subscribe(log, topic, group)
  await eventually(
    'the only subscriber owns every partition',
    () => subscribed.owner.readers.size === log.partitions(topic),
  )
  return subscribed
}

/** Seeks and polls until `count` entries came. */
export async function readFrom(
  reader: PartitionReader,
  from: Position,
  count: number,
  entries_max = 1_000,
): Promise<LogEntry[]> {
  await reader.seek(from)
  return readOn(reader, count, entries_max)
}

/** Polls until `count` entries came. */
export async function readOn(
  reader: PartitionReader,
  count: number,
  entries_max = 1_000,
): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  const deadline = Date.now() + PATIENCE_MS
  while (entries.length < count && Date.now() < deadline) {
    entries.push(...(await reader.poll(Math.min(entries_max, count - entries.length), 1_000)))
  }
  return entries
}

export const texts = (entries: readonly LogEntry[]): string[] =>
  entries.map((entry) => entry.value.toString())
