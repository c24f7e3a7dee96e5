import type { Producer } from 'kafkajs'
import type { Published, TopicPublisher } from '../../ports.ts'
import { Reject } from '../../errors.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, protocolType, within } from './faults.ts'

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** Writes to topics that belong to others, with an idempotent producer that is made anew after a failure (see Appender). */
export class KafkaPublisher implements TopicPublisher {
  private readonly access: KafkaAccess
  private readonly timeout_ms: number
  private client: { readonly connection: Connection; readonly connected: Promise<Producer> } | null = null

  constructor(access: KafkaAccess, timeout_ms: number) {
    this.access = access
    this.timeout_ms = timeout_ms
  }

  async publish({ topic, key, value, headers }: Published): Promise<void> {
    const { clock } = this.access
    this.client ??= this.connect()
    const { client } = this
    try {
      const sending = client.connected.then((producer) =>
        producer.send({ topic, acks: -1, messages: [{ key, value, headers: { ...headers } }] }),
      )
      await within(sending, this.timeout_ms, clock, `publishing to ${topic}`)
    } catch (error) {
      if (TOO_LARGE.has(protocolType(error) ?? ''))
        throw new Reject('too-large', `${value.length} bytes are more than topic ${topic} takes`)
      if (this.client === client) this.close()
      throw asRetryable(error, `publishing to ${topic}`)
    }
  }

  close(): void {
    this.client?.connection.end()
    this.client = null
  }

  private connect() {
    const connection = new Connection(this.access, 'brisk')
    const producer = connection.kafka.producer({ idempotent: true, allowAutoTopicCreation: false })
    const connected = producer.connect().then(() => producer)
    // Whoever publishes learns of it.
    connected.catch(() => undefined)
    return { connection, connected }
  }
}
