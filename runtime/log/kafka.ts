/** The log of the distributed mode, and users' topics as a source: Apache Kafka 3 and later through kafkajs. */
import { Retryable } from '../errors.ts'
import type {
  Append,
  Log,
  LogEntry,
  Ownership,
  PartitionReader,
  Position,
  Subscription,
  Topic,
  TopicPublisher,
  TopicSource,
} from '../ports.ts'
import type { KafkaAccess } from './kafka/connection.ts'
import { Fetcher } from './kafka/fetcher.ts'
import { Membership } from './kafka/membership.ts'
import { toLogEntry } from './kafka/messages.ts'
import { PatternSource, type TopicPattern } from './kafka/pattern.ts'
import { Inquiries } from './kafka/positions.ts'
import { Appender } from './kafka/producer.ts'
import { KafkaPublisher } from './kafka/publisher.ts'
import { KafkaReader } from './kafka/reader.ts'
import { KafkaSource } from './kafka/source.ts'
import { ensureTopics, type TopicSettings, type TopicsFacts } from './kafka/topics.ts'

export type { KafkaAccess } from './kafka/connection.ts'
export { ensureTopics } from './kafka/topics.ts'

export interface KafkaLogSettings extends KafkaAccess, TopicSettings {
  /** A member that is not heard of for this long loses its partitions; the broker has bounds for it (6 s to 30 min by default). */
  readonly session_timeout_ms?: number
}

const SESSION_TIMEOUT_MS = 10_000
const OPEN_RETRY_MS = 2_000
const TAIL_ENTRIES_MAX = 500
const TAIL_POLL_MS = 60_000
const TAIL_RETRY_MS = 1_000

/**
 * Makes and checks the topics, and opens the log. Tries until the brokers answer, with a log line each time, unless the
 * signal ends it. Throws Misconfigured.
 */
export async function openKafkaLog(settings: KafkaLogSettings, signal?: AbortSignal): Promise<Log> {
  for (;;) {
    try {
      return new KafkaLog(settings, await ensureTopics(settings, settings))
    } catch (error) {
      if (!(error instanceof Retryable) || signal?.aborted === true) throw error
      settings.logger.warn(
        { code: error.code, brokers: settings.brokers, retry_in_ms: OPEN_RETRY_MS },
        error.message,
      )
      await settings.clock.sleep(OPEN_RETRY_MS, signal)
    }
  }
}

/** Users' topics: those that are named, and those that match a pattern. Connects when it is used. */
export function kafkaSource(
  access: KafkaAccess & { readonly session_timeout_ms?: number },
  pattern: TopicPattern | null = null,
): TopicSource {
  const { session_timeout_ms = SESSION_TIMEOUT_MS } = access
  return pattern === null
    ? new KafkaSource(access, session_timeout_ms)
    : new PatternSource(access, session_timeout_ms, pattern)
}

export function kafkaPublisher(access: KafkaAccess, timeout_ms: number): TopicPublisher {
  return new KafkaPublisher(access, timeout_ms)
}

class KafkaLog implements Log {
  private readonly settings: KafkaLogSettings
  private readonly topics: TopicsFacts
  private readonly appender: Appender
  private readonly inquiries: Inquiries
  private readonly open = new Set<Subscription>()
  private is_closed = false

  constructor(settings: KafkaLogSettings, topics: TopicsFacts) {
    this.settings = settings
    this.topics = topics
    this.appender = new Appender(settings, topics)
    this.inquiries = new Inquiries(settings)
  }

  partitions(topic: Topic): number {
    return this.topics[topic].partitions
  }

  append(entries: readonly Append[]): Promise<readonly Position[]> {
    return this.appender.append(entries)
  }

  async bounds(topic: Topic): Promise<readonly { readonly first: Position; readonly next: Position }[]> {
    this.refuseWhenClosed()
    const { name, partitions } = this.topics[topic]
    return this.inquiries.bounds(
      name,
      Array.from({ length: partitions }, (_, partition) => partition),
    )
  }

  async subscribe(topic: Topic, group: string, ownership: Ownership): Promise<Subscription> {
    this.refuseWhenClosed()
    const { clock, session_timeout_ms = SESSION_TIMEOUT_MS } = this.settings
    const fetcher = new Fetcher(this.settings)
    const readers = new Map<number, KafkaReader<LogEntry>>()
    const { name: topic_name } = this.topics[topic]
    // kafkajs' leader of a group shares out only the topics that it subscribed to itself: one group for each topic.
    const group_id = `${group}.${topic_name}`
    const membership = new Membership(this.settings, [topic_name], group_id, session_timeout_ms, {
      gained(name, partition) {
        const reader: KafkaReader<LogEntry> & PartitionReader = new KafkaReader(
          name,
          partition,
          toLogEntry,
          clock,
          {
            wanted: () => fetcher.schedule(),
            progressed: (position) => membership.progressed(name, partition, position),
          },
        )
        readers.set(partition, reader)
        fetcher.add(reader)
        ownership.gained(reader)
      },
      lost(_name, partition) {
        const reader = readers.get(partition)
        readers.delete(partition)
        reader?.end()
        if (reader !== undefined) fetcher.remove(reader)
        return ownership.lost(partition)
      },
    })
    return this.keep(async () => {
      await membership.close()
      fetcher.end()
    })
  }

  async tail(
    topic: Topic,
    from: readonly Position[],
    onEntries: (partition: number, entries: readonly LogEntry[]) => Promise<void> | void,
  ): Promise<Subscription> {
    const bounds = await this.bounds(topic)
    const fetcher = new Fetcher(this.settings)
    const readers = bounds.map(({ first, next }, partition) => {
      const reader = new KafkaReader(this.topics[topic].name, partition, toLogEntry, this.settings.clock, {
        wanted: () => fetcher.schedule(),
        progressed: () => undefined,
      })
      fetcher.add(reader)
      const start = Math.min(Math.max(from[partition] ?? first, first), next)
      void this.follow(topic, reader, start, (entries) => onEntries(partition, entries))
      return reader
    })
    return this.keep(async () => {
      for (const reader of readers) reader.end()
      fetcher.end()
    })
  }

  async ping(): Promise<void> {
    this.refuseWhenClosed()
    await this.inquiries.ping()
  }

  async close(): Promise<void> {
    this.is_closed = true
    await Promise.all([...[...this.open].map((subscription) => subscription.close()), this.appender.close()])
    this.inquiries.close()
  }

  private async follow(
    topic: Topic,
    reader: KafkaReader<LogEntry>,
    start: Position,
    onEntries: (entries: readonly LogEntry[]) => Promise<void> | void,
  ): Promise<void> {
    await reader.seek(start)
    while (!reader.ended) {
      const entries = await reader.poll(TAIL_ENTRIES_MAX, TAIL_POLL_MS).catch(async (error: unknown) => {
        if (!(error instanceof Retryable)) throw error
        this.settings.logger.warn({ code: error.code }, `following ${topic}: ${error.message}`)
        await this.toFirstKept(topic, reader, error)
        return []
      })
      if (entries.length > 0) await onEntries(entries)
    }
  }

  /** A live view goes on with what is there. */
  private async toFirstKept(topic: Topic, reader: KafkaReader<LogEntry>, fault: Retryable): Promise<void> {
    if (reader.ended) return
    if (fault.code === 'position-trimmed' || fault.code === 'position-ahead') {
      const bounds = await this.bounds(topic).catch((error: unknown) => {
        if (error instanceof Retryable) return []
        throw error
      })
      const found = bounds[reader.partition]
      if (found !== undefined) return reader.seek(found.first)
    }
    await this.settings.clock.sleep(TAIL_RETRY_MS)
  }

  private refuseWhenClosed(): void {
    if (this.is_closed) throw new Error('the log was closed')
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
}
