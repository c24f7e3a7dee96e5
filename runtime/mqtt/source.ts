import { REPEATED_HEADER } from '../../ingest/samples/sparkplug_message.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { Retryable } from '../errors.ts'
import type { Log, SourceMessage, Subscription, TopicSource } from '../ports.ts'
import { type Heard, type MqttAccess, MqttConnection } from './connection.ts'

type Handle = Parameters<TopicSource['consume']>[2]

const MESSAGES_MAX = 1_000
/** Names all of what a broker sends in the place of topic and partition. */
const TOPIC = 'mqtt'

/**
 * Reads from an MQTT broker. Of several processes with the same configuration one reads a source: the one that owns a certain partition
 * of the samples log. When it dies another connects under the same client id, and the broker goes on where it was.
 */
export class MqttSource implements TopicSource {
  private readonly access: MqttAccess
  private readonly log: Pick<Log, 'subscribe' | 'partitions'>
  private connection: MqttConnection | null = null
  /** Place of the next message in this process; nothing beyond it knows them. */
  private offset = 0

  constructor(access: MqttAccess, log: Pick<Log, 'subscribe' | 'partitions'>) {
    this.access = access
    this.log = log
  }

  async consume(filters: readonly string[], group: string, handle: Handle): Promise<Subscription> {
    const own = partitionOf(this.access.name, this.log.partitions('samples'))
    let reading = Promise.resolve()
    const stop = async (): Promise<void> => {
      const { connection } = this
      this.connection = null
      await connection?.close()
      await reading
    }
    const election = await this.log.subscribe('samples', `${group}-mqtt`, {
      gained: ({ partition }) => {
        if (partition !== own) return
        const connection = new MqttConnection(this.access, filters)
        this.connection = connection
        // A rejection that is not Retryable is a bug and ends the process.
        reading = this.read(connection, handle)
      },
      lost: (partition) => (partition === own ? stop() : Promise.resolve()),
    })
    return {
      async close() {
        await election.close()
        await stop()
      },
    }
  }

  async publish(topic: string, payload: Buffer): Promise<void> {
    if (this.connection === null)
      throw new Retryable('mqtt-unreachable', `${this.access.name} is read by another process`)
    await this.connection.publish(topic, payload)
  }

  async ping(): Promise<void> {
    this.connection?.check()
  }

  private async read(connection: MqttConnection, handle: Handle): Promise<void> {
    for (;;) {
      const heard = await connection.next(MESSAGES_MAX)
      if (heard.length === 0) return
      try {
        await handle(
          TOPIC,
          0,
          heard.map((one) => this.message(one)),
        )
      } catch (error) {
        // Closing: what is not acknowledged comes again.
        if (error instanceof Retryable) return
        throw error
      }
      connection.settle(heard)
    }
  }

  private message({ topic, payload, at_ms, is_repeated }: Heard): SourceMessage {
    const offset = this.offset++
    return {
      offset,
      time_ms: at_ms,
      key: null,
      value: payload,
      headers: is_repeated ? { [REPEATED_HEADER]: 'true' } : {},
      unkept: { topic, name: `mqtt:${topic}@${at_ms}-${offset}` },
    }
  }
}
