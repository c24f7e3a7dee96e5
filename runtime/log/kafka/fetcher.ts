import type Cluster from 'kafkajs/src/cluster/index.js'
import Batch from 'kafkajs/src/consumer/batch.js'
import { Retryable } from '../../errors.ts'
import type { Position } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, rootOf } from './faults.ts'
import { boundsOf } from './positions.ts'
import type { KafkaReader } from './reader.ts'

type Reader = KafkaReader<unknown>

/** The broker answers as soon as it has something; this bounds how long a reader that joins waits for its turn. */
const WAIT_MS = 100
/** While a reader has enough and is not asked for, so that it is not kept waiting once it needs more. */
const BRIEF_WAIT_MS = 10
const PARTITION_BYTES_MAX = 512 * 1024
const REQUEST_BYTES_MAX = 10 * 1024 * 1024
const READ_COMMITTED = 1
const BACKOFF_MS = 100
const BACKOFF_MAX_MS = 2_000

/**
 * Fetches for any number of readers, with one request under way per broker.
 *
 * kafkajs' own consumer is used for membership in groups only: it waits for the slowest partition before it fetches
 * again, jumps when a position was trimmed away, and hands out what it fetched before a seek.
 */
export class Fetcher {
  private readonly access: KafkaAccess
  private readonly connection: Connection
  private readonly cluster: Cluster
  private readonly readers = new Set<Reader>()
  /** Node id of the leader by topic and partition; empty when it has to be asked for. */
  private leaders = new Map<string, number>()
  private is_refreshing = false
  private readonly busy = new Set<number>()
  /** Readers whose data could not be decoded together with others: fetched alone to see whose it was. */
  private readonly suspects = new Set<Reader>()
  private backoff_ms = BACKOFF_MS
  private readonly ending = new AbortController()

  constructor(access: KafkaAccess) {
    this.access = access
    this.connection = new Connection(access, 'brisk')
    this.cluster = this.connection.cluster()
  }

  add(reader: Reader): void {
    this.readers.add(reader)
    this.schedule()
  }

  remove(reader: Reader): void {
    this.readers.delete(reader)
    this.suspects.delete(reader)
  }

  /** Called whenever a reader wants more. */
  schedule(): void {
    if (this.ending.signal.aborted || this.is_refreshing) return
    const hungry = [...this.readers].filter((reader) => reader.wants !== null)
    if (hungry.some((reader) => !this.leaders.has(keyOf(reader)))) {
      this.is_refreshing = true
      void this.refresh()
      return
    }
    for (const [node, readers] of Map.groupBy(hungry, (reader) => this.leaders.get(keyOf(reader)) ?? -1)) {
      if (this.busy.has(node)) continue
      this.busy.add(node)
      void this.fetch(node, readers)
    }
  }

  end(): void {
    this.ending.abort()
    this.connection.end()
  }

  private async refresh(): Promise<void> {
    const topics = [...new Set([...this.readers].map((reader) => reader.topic))]
    try {
      await this.cluster.connect()
      await this.cluster.addMultipleTargetTopics(topics)
      await this.cluster.refreshMetadata()
      const found = topics.flatMap((topic) =>
        this.cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId, leader }) => [`${topic}/${partitionId}`, leader] as const),
      )
      this.leaders = new Map(found.filter(([, leader]) => leader >= 0))
      const missing = [...this.readers].find((reader) => !this.leaders.has(keyOf(reader)))
      if (missing !== undefined) throw new Retryable('kafka-no-leader', `${keyOf(missing)} has no leader`)
    } catch (error) {
      await this.backOff(error)
    }
    this.is_refreshing = false
    this.schedule()
  }

  private async fetch(node: number, hungry: readonly Reader[]): Promise<void> {
    const suspect = hungry.find((reader) => this.suspects.has(reader))
    const asked = new Map(
      (suspect === undefined ? hungry : [suspect]).map((reader) => [reader, reader.wants ?? 0]),
    )
    try {
      const broker = await this.cluster.findBroker({ nodeId: node })
      const { responses } = await broker.fetch(this.request(node, asked))
      for (const { topicName, partitions } of responses) {
        for (const data of partitions) this.hand(asked, topicName, data)
      }
      if (suspect !== undefined) this.suspects.delete(suspect)
      if (this.backoff_ms > BACKOFF_MS) this.access.logger.info({}, 'reading from the log works again')
      this.backoff_ms = BACKOFF_MS
    } catch (error) {
      if (!this.ending.signal.aborted) await this.recover(asked, error)
    }
    this.busy.delete(node)
    this.schedule()
  }

  private request(node: number, asked: ReadonlyMap<Reader, Position>) {
    const is_one_full = [...this.readers].some(
      (reader) => reader.started && !asked.has(reader) && this.leaders.get(keyOf(reader)) === node,
    )
    const by_topic = Map.groupBy(asked, ([reader]) => reader.topic)
    return {
      maxWaitTime: is_one_full ? BRIEF_WAIT_MS : WAIT_MS,
      minBytes: 1,
      maxBytes: REQUEST_BYTES_MAX,
      isolationLevel: READ_COMMITTED,
      topics: [...by_topic].map(([topic, readers]) => ({
        topic,
        partitions: readers.map(([{ partition }, position]) => ({
          partition,
          fetchOffset: String(position),
          maxBytes: PARTITION_BYTES_MAX,
        })),
      })),
    }
  }

  private hand(
    asked: ReadonlyMap<Reader, Position>,
    topic: string,
    data: ConstructorParameters<typeof Batch>[2],
  ): void {
    for (const [reader, position] of asked) {
      if (reader.partition !== data.partition || reader.topic !== topic) continue
      const batch = new Batch(topic, String(position), data)
      // Records may be there and none of them meant for readers: control records, aborted ones, compacted ones.
      if (batch.rawMessages.length > 0)
        reader.receive(position, batch.messages, Number(batch.lastOffset()) + 1)
    }
  }

  private async recover(asked: ReadonlyMap<Reader, Position>, error: unknown): Promise<void> {
    const root = rootOf(error)
    if (root.type === 'OFFSET_OUT_OF_RANGE') {
      await this.explainRange(asked, root.topic, root.partition).catch((fault: unknown) =>
        this.backOff(fault),
      )
    } else if (isOfTheWay(root)) {
      if (typeof root.host === 'string' && typeof root.port === 'number') {
        this.cluster.removeBroker({ host: root.host, port: root.port })
      }
      this.leaders.clear()
      await this.backOff(error)
    } else if (asked.size > 1) {
      for (const reader of asked.keys()) this.suspects.add(reader)
    } else {
      const [[reader, position] = [null, 0]] = asked
      const where = `${reader?.topic} ${reader?.partition} from position ${position}`
      reader?.fail(
        position,
        new Retryable('log-unreadable', `cannot decode ${where}: ${root.message}`, { cause: error }),
      )
    }
  }

  private async explainRange(
    asked: ReadonlyMap<Reader, Position>,
    topic: unknown,
    partition: unknown,
  ): Promise<void> {
    for (const [reader, position] of asked) {
      if (reader.topic !== topic || reader.partition !== partition) continue
      const [{ first, next } = { first: 0, next: 0 }] = await boundsOf(this.cluster, topic, [
        reader.partition,
      ])
      const where = `position ${position} of ${topic} ${reader.partition}`
      if (position < first) {
        reader.fail(
          position,
          new Retryable('position-trimmed', `${where} was trimmed away, the first kept is ${first}`),
        )
      } else if (position > next) {
        const doubt = 'is this log older than the state?'
        reader.fail(position, new Retryable('position-ahead', `${where} is beyond the end ${next}: ${doubt}`))
      }
    }
  }

  private async backOff(error: unknown): Promise<void> {
    if (this.ending.signal.aborted) return
    const { code, message } = asRetryable(error, 'reading from the log')
    const details = { code, retry_in_ms: this.backoff_ms }
    if (this.backoff_ms === BACKOFF_MS) this.access.logger.warn(details, message)
    else this.access.logger.debug(details, message)
    await this.access.clock.sleep(this.backoff_ms, this.ending.signal)
    this.backoff_ms = Math.min(this.backoff_ms * 2, BACKOFF_MAX_MS)
  }
}

function keyOf({ topic, partition }: Reader): string {
  return `${topic}/${partition}`
}

/** Errors of brokers and connections have names of kafkajs; what is left comes from decoding. */
function isOfTheWay({ name, type }: { name: string; type?: unknown }): boolean {
  const of_decoding = [
    'KafkaJSNotImplemented',
    'KafkaJSPartialMessageError',
    'KafkaJSUnsupportedMagicByteInMessageSet',
  ]
  return (
    typeof type === 'string' ||
    name === 'Retryable' ||
    (name.startsWith('KafkaJS') && !of_decoding.includes(name))
  )
}
