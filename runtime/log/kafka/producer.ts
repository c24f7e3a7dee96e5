import type { Producer, RecordMetadata } from 'kafkajs'
import { Reject, Retryable } from '../../errors.ts'
import type { Append, Position } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, protocolType, within } from './faults.ts'
import type { TopicsFacts } from './topics.ts'

const SEND_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 3_000
/** Of one request: bounds memory, and the time that those behind it wait. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024
const REQUEST_ENTRIES_MAX = 2_000
/** Framing of a batch, and of a record and of a header in it, rounded up. */
const BATCH_OVERHEAD_BYTES = 128
const RECORD_OVERHEAD_BYTES = 32
const HEADER_OVERHEAD_BYTES = 12
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** One call of append: settled when all its entries are durable, or with the first failure. */
interface Call {
  readonly positions: Position[]
  left: number
  readonly resolve: (positions: readonly Position[]) => void
  readonly reject: (error: unknown) => void
}

interface Item {
  readonly append: Append
  readonly bytes: number
  readonly index: number
  readonly call: Call
}

/**
 * Appends with an idempotent producer. One request is under way at a time and takes along all entries that wait, so the
 * order of a partition is the order of the calls.
 *
 * After a failure the client is thrown away with its producer id: kafkajs goes back to the sequence number of the failed
 * batch, which the broker may have taken, and would have other entries under that number dropped as a repetition.
 */
export class Appender {
  private readonly access: KafkaAccess
  private readonly topics: TopicsFacts
  private waiting: Item[] = []
  private is_sending = false
  private sending: Promise<void> = Promise.resolve()
  private is_closed = false
  private client: { readonly connection: Connection; readonly producer: Producer } | null = null

  constructor(access: KafkaAccess, topics: TopicsFacts) {
    this.access = access
    this.topics = topics
  }

  async append(entries: readonly Append[]): Promise<readonly Position[]> {
    if (this.is_closed) throw new Error('the log was closed')
    const sized = entries.map((append) => ({ append, bytes: this.check(append) }))
    if (sized.length === 0) return []
    return new Promise((resolve, reject) => {
      const call: Call = { positions: [], left: sized.length, resolve, reject }
      for (const [index, { append, bytes }] of sized.entries())
        this.waiting.push({ append, bytes, index, call })
      if (!this.is_sending) this.sending = this.sendAll()
    })
  }

  /** Waits for what is under way. What is not done by CLOSE_TIMEOUT_MS fails; it may or may not have been taken. */
  async close(): Promise<void> {
    this.is_closed = true
    await within(this.sending, CLOSE_TIMEOUT_MS, this.access.clock, 'finishing').catch((error: unknown) => {
      if (!(error instanceof Retryable)) throw error
    })
    this.failAll(new Retryable('log-closed', 'the log was closed'))
    this.discard()
  }

  /** Size of the record in bytes. Throws RangeError for a partition that does not exist, Reject `too-large`. */
  private check({ topic, partition, value, headers = {} }: Append): number {
    const { partitions, batch_bytes_max } = this.topics[topic]
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      throw new RangeError(`topic ${topic} has partitions 0 to ${partitions - 1}, there is no ${partition}`)
    }
    const header_bytes = Object.entries(headers).map(
      ([key, text]) => Buffer.byteLength(key) + Buffer.byteLength(text) + HEADER_OVERHEAD_BYTES,
    )
    const bytes = header_bytes.reduce((sum, size) => sum + size, value.length + RECORD_OVERHEAD_BYTES)
    if (bytes + BATCH_OVERHEAD_BYTES > batch_bytes_max) throw tooLarge(topic, bytes)
    return bytes
  }

  private async sendAll(): Promise<void> {
    this.is_sending = true
    // Calls of the same turn of the event loop go together.
    await Promise.resolve()
    while (this.waiting.length > 0) {
      const items = this.takeRequest()
      try {
        await this.send(items)
      } catch (error) {
        // What waits would overtake what failed, so it fails as well.
        for (const { call } of items) call.reject(error)
        this.failAll(error)
      }
    }
    this.is_sending = false
  }

  /** From the front as many as fit: the entries of one partition become one batch, which the broker limits. */
  private takeRequest(): readonly Item[] {
    const batches = new Map<string, number>()
    let bytes = 0
    let count = 0
    for (const { append, bytes: size } of this.waiting) {
      const batch = `${append.topic}/${append.partition}`
      const batch_bytes = (batches.get(batch) ?? BATCH_OVERHEAD_BYTES) + size
      bytes += size
      const is_full =
        count >= REQUEST_ENTRIES_MAX ||
        bytes > REQUEST_BYTES_MAX ||
        batch_bytes > this.topics[append.topic].batch_bytes_max
      if (count > 0 && is_full) break
      batches.set(batch, batch_bytes)
      count += 1
    }
    return this.waiting.splice(0, count)
  }

  private async send(items: readonly Item[]): Promise<void> {
    try {
      const producer = await this.producer()
      const sending = producer.sendBatch({ acks: -1, topicMessages: this.messages(items) })
      this.settle(items, await within(sending, SEND_TIMEOUT_MS, this.access.clock, 'appending to the log'))
    } catch (error) {
      if (!TOO_LARGE.has(protocolType(error) ?? '')) {
        this.discard()
        throw asRetryable(error, 'appending to the log')
      }
      // The broker took nothing: its limit is lower than it was at the start. Which entry is too large shows alone.
      const [first, ...others] = items
      if (first !== undefined && others.length === 0) throw tooLarge(first.append.topic, first.bytes)
      for (const item of items) {
        await this.send([item]).catch((fault: unknown) => {
          if (!(fault instanceof Reject)) throw fault
          item.call.reject(fault)
        })
      }
    }
  }

  private messages(items: readonly Item[]) {
    return Map.groupBy(items, ({ append }) => append.topic)
      .entries()
      .map(([topic, of_topic]) => ({
        topic: this.topics[topic].name,
        messages: of_topic.map(({ append: { partition, value, headers = {} } }) => ({
          partition,
          value,
          headers: { ...headers },
        })),
      }))
      .toArray()
  }

  private settle(items: readonly Item[], answers: readonly RecordMetadata[]): void {
    const next = new Map(
      answers.map((answer) => [`${answer.topicName}/${answer.partition}`, Number(answer.baseOffset)]),
    )
    const positions = items.map(({ append: { topic, partition } }) => {
      const key = `${this.topics[topic].name}/${partition}`
      const position = next.get(key)
      // kafkajs forgets partitions that moved to another broker between two of its tries.
      if (position === undefined || position < 0)
        throw new Retryable('kafka-unacknowledged', `no answer for ${key}`)
      next.set(key, position + 1)
      return position
    })
    for (const [i, { call, index }] of items.entries()) {
      call.positions[index] = positions[i] ?? -1
      call.left -= 1
      if (call.left === 0) call.resolve(call.positions)
    }
  }

  private async producer(): Promise<Producer> {
    if (this.client !== null) return this.client.producer
    const connection = new Connection(this.access, 'patient')
    const producer = connection.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: () => (args) => args.message.partition ?? 0,
    })
    this.client = { connection, producer }
    await within(producer.connect(), SEND_TIMEOUT_MS, this.access.clock, 'connecting to the log')
    return producer
  }

  private discard(): void {
    this.client?.connection.end()
    this.client = null
  }

  private failAll(error: unknown): void {
    for (const { call } of this.waiting.splice(0)) call.reject(error)
  }
}

function tooLarge(topic: string, bytes: number): Reject {
  return new Reject(
    'too-large',
    `an entry of ${bytes} bytes is larger than topic ${topic} takes (max.message.bytes)`,
  )
}
