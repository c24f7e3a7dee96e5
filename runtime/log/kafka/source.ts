import type { KafkaMessage } from 'kafkajs'
import { Retryable } from '../../errors.ts'
import type { Position, SourceMessage, Subscription, TopicSource } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, within } from './faults.ts'
import { Fetcher } from './fetcher.ts'
import { Membership } from './membership.ts'
import { headersOf } from './messages.ts'
import { Inquiries } from './positions.ts'
import { KafkaReader } from './reader.ts'

type Handle = Parameters<TopicSource['consume']>[2]
type SourceReader = KafkaReader<SourceMessage>

const MESSAGES_MAX = 1_000
const POLL_MS = 60_000
const TIMEOUT_MS = 10_000
const BACKOFF_MS = 100
const BACKOFF_MAX_MS = 5_000

/** Reads users' topics in consumer groups of the broker, from where the group was. */
export class KafkaSource implements TopicSource {
  private readonly access: KafkaAccess
  private readonly session_timeout_ms: number

  constructor(access: KafkaAccess, session_timeout_ms: number) {
    this.access = access
    this.session_timeout_ms = session_timeout_ms
  }

  async consume(topics: readonly string[], group: string, handle: Handle): Promise<Subscription> {
    const consumption = new Consumption(this.access, group, handle)
    const membership = new Membership(this.access, topics, group, this.session_timeout_ms, {
      gained: (topic, partition) =>
        consumption.begin(topic, partition, (position) => {
          membership.progressed(topic, partition, position)
        }),
      lost: (topic, partition) => consumption.stop(topic, partition),
    })
    return {
      async close() {
        await membership.close()
        consumption.end()
      },
      lag: () => consumption.lag(),
    }
  }

  async ping(): Promise<void> {
    const inquiries = new Inquiries(this.access)
    try {
      await inquiries.ping()
    } finally {
      inquiries.close()
    }
  }
}

/** What one member of a group reads at the moment. */
class Consumption {
  private readonly access: KafkaAccess
  private readonly group: string
  private readonly handle: Handle
  private readonly fetcher: Fetcher
  private readonly inquiries: Inquiries
  private readonly active = new Map<
    string,
    { readonly reader: SourceReader; readonly following: Promise<void> }
  >()
  /** Where each that is read goes on. */
  private readonly positions = new Map<SourceReader, Position>()

  constructor(access: KafkaAccess, group: string, handle: Handle) {
    this.access = access
    this.group = group
    this.handle = handle
    this.fetcher = new Fetcher(access)
    this.inquiries = new Inquiries(access)
  }

  begin(topic: string, partition: number, progressed: (position: Position) => void): void {
    const reader = new KafkaReader(topic, partition, toSourceMessage, this.access.clock, {
      wanted: () => this.fetcher.schedule(),
      progressed,
    })
    this.fetcher.add(reader)
    // A rejection of the handler that is not Retryable is a bug and ends the process.
    this.active.set(`${topic}/${partition}`, { reader, following: this.follow(reader) })
  }

  async stop(topic: string, partition: number): Promise<void> {
    const found = this.active.get(`${topic}/${partition}`)
    if (found === undefined) return
    this.active.delete(`${topic}/${partition}`)
    this.positions.delete(found.reader)
    found.reader.end()
    this.fetcher.remove(found.reader)
    await found.following
  }

  end(): void {
    this.fetcher.end()
    this.inquiries.close()
  }

  async lag(): Promise<number> {
    let lag = 0
    for (const [{ topic, partition }, position] of this.positions) {
      const [{ next } = { next: position }] = await this.inquiries.bounds(topic, [partition])
      lag += Math.max(0, next - position)
    }
    return lag
  }

  private async follow(reader: SourceReader): Promise<void> {
    const ended = () => reader.ended
    await this.untilDone(ended, `finding out how far group ${this.group} is`, async () => {
      const start = await this.start(reader)
      await reader.seek(start)
      this.positions.set(reader, start)
    })
    while (!ended()) {
      await this.untilDone(ended, `reading ${reader.topic} ${reader.partition}`, () => this.step(reader))
    }
  }

  private async step(reader: SourceReader): Promise<void> {
    const { topic, partition } = reader
    const messages = await this.poll(reader)
    const last = messages.at(-1)
    if (last === undefined) return
    await this.untilDone(
      () => reader.ended,
      `taking in ${topic} ${partition}`,
      () => this.handle(topic, partition, messages),
    )
    reader.progressed(last.offset + 1)
    this.positions.set(reader, last.offset + 1)
  }

  private async poll(reader: SourceReader): Promise<readonly SourceMessage[]> {
    try {
      return await reader.poll(MESSAGES_MAX, POLL_MS)
    } catch (error) {
      if (!(error instanceof Retryable) || !['position-trimmed', 'position-ahead'].includes(error.code))
        throw error
      this.access.logger.warn(
        { code: error.code, group: this.group },
        `${error.message}; going on with the first kept`,
      )
      await reader.seek(await this.firstKept(reader))
      return []
    }
  }

  /** Tries again while it fails with Retryable. */
  private async untilDone(ended: () => boolean, doing: string, act: () => Promise<void>): Promise<void> {
    let backoff_ms = BACKOFF_MS
    while (!ended()) {
      try {
        return await act()
      } catch (error) {
        if (!(error instanceof Retryable)) throw error
        this.access.logger.warn({ code: error.code, retry_in_ms: backoff_ms }, `${doing}: ${error.message}`)
        await this.access.clock.sleep(backoff_ms)
        backoff_ms = Math.min(backoff_ms * 2, BACKOFF_MAX_MS)
      }
    }
  }

  private async start(reader: SourceReader): Promise<Position> {
    const connection = new Connection(this.access, 'brisk')
    try {
      return await within(
        this.committed(connection, reader),
        TIMEOUT_MS,
        this.access.clock,
        'asking for offsets',
      )
    } catch (error) {
      throw asRetryable(error, 'asking for offsets')
    } finally {
      connection.end()
    }
  }

  private async committed(connection: Connection, reader: SourceReader): Promise<Position> {
    const admin = connection.kafka.admin()
    await admin.connect()
    const [found] = await admin.fetchOffsets({ groupId: this.group, topics: [reader.topic] })
    const offset = Number(
      found?.partitions.find(({ partition }) => partition === reader.partition)?.offset ?? -1,
    )
    if (offset >= 0) return offset
    return this.firstKept(reader)
  }

  private async firstKept(reader: SourceReader): Promise<Position> {
    const [{ first } = { first: 0 }] = await this.inquiries.bounds(reader.topic, [reader.partition])
    return first
  }
}

function toSourceMessage(message: KafkaMessage): SourceMessage {
  const { offset, timestamp, key, value } = message
  return { offset: Number(offset), time_ms: Number(timestamp), key, value, headers: headersOf(message) }
}
