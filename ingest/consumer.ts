import type { SourceMessage } from '../runtime/ports.ts'
import { digestOf } from '../schemas/ids.ts'
import type { Acknowledger } from './acknowledger.ts'
import { type Batch, type DecodedMessage, locate, type Prepared } from './batch.ts'
import type { Intake } from './intake.ts'
import { MessageLoop, type MessageLoopParts, type Taker } from './message_loop.ts'
import { readBody } from './read_body.ts'
import type { SourceDecoder } from './source_decoder.ts'
import { decodeAlerts, RefusedBody } from './sources/alertmanager.ts'

export interface ConsumerParts extends MessageLoopParts {
  readonly intake: Intake
  readonly resolve_timeout_ms: number
  /** Reads the messages; left out for Alertmanager's form, whose exact repeats need not be read. */
  readonly decode?: SourceDecoder
  /** Messages hold a secret, and are not kept when they are rejected. */
  readonly has_secrets?: boolean
  /** Needed for formats that acknowledge. */
  readonly acknowledger?: Pick<Acknowledger, 'settle'>
}

interface PreparedBatch extends Pick<Prepared, 'messages_rejected'> {
  readonly batch: Batch
  readonly prepared: Prepared
}

/**
 * Reads alerts from the topics of one source. What a message gives depends on the message alone (a start that is missing is the
 * message's time), so reading it again after a crash gives the same alerts at the same places, and the fold skips them.
 */
export class Consumer implements Taker<PreparedBatch> {
  private readonly parts: ConsumerParts
  private readonly loop: MessageLoop<PreparedBatch>
  private readonly domain: number

  constructor(parts: ConsumerParts) {
    this.parts = parts
    this.loop = new MessageLoop(parts, this)
    this.domain = parts.intake.recogniser.newDomain()
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  get name(): string {
    return this.parts.name
  }

  lag(): Promise<number | null> {
    return this.loop.lag()
  }

  close(): Promise<void> {
    return this.loop.close()
  }

  prepare(topic: string, partition: number, messages: readonly SourceMessage[]): PreparedBatch {
    const batch = this.batchOf(topic, partition, messages)
    const prepared = this.parts.intake.prepare(batch)
    return { batch, prepared, messages_rejected: prepared.messages_rejected }
  }

  /** Throws Retryable. */
  async take({ batch, prepared }: PreparedBatch): Promise<void> {
    await this.parts.intake.take(prepared)
    for (const message of batch.messages) await this.acknowledge(batch, message)
  }

  /** What acknowledges something that does not fire becomes a dead letter. */
  private async acknowledge(batch: Batch, message: DecodedMessage): Promise<void> {
    const { acknowledger, intake, name } = this.parts
    const { acknowledgements = [] } = message.decoded
    if (acknowledgements.length === 0 || acknowledger === undefined) return
    const unknown = await acknowledger.settle(acknowledgements, (ordinal) =>
      digestOf(`acknowledgement of ${name}`, locate(batch, message, ordinal)),
    )
    if (unknown.length > 0)
      await intake.accept({ ...batch, messages: [{ ...message, decoded: { alerts: [], rejects: unknown } }] })
  }

  private batchOf(topic: string, partition: number, messages: readonly SourceMessage[]): Batch {
    return {
      source: this.parts.name,
      // Without places there is nothing to skip by: an alert that comes again is a repeat.
      origin: messages.some(({ unkept }) => unkept)
        ? null
        : { source: `${this.parts.name}/${topic}`, partition },
      received_at_ms: this.parts.clock.now(),
      messages: messages.map((message) => this.decode(topic, message)),
      locate: (offset, ordinal) => `kafka:${topic}/${partition}@${offset}#${ordinal}`,
    }
  }

  private decode(topic: string, message: SourceMessage): DecodedMessage {
    const { decode, has_secrets } = this.parts
    const { offset, time_ms, value, headers, unkept } = message
    const named = Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text] as const)
    const received = {
      body: value ?? Buffer.alloc(0),
      headers: Object.fromEntries(named),
      // A producer whose clock is ahead must not end alerts in the future.
      at_ms: Math.min(time_ms, this.parts.clock.now()),
      topic,
    }
    if (decode === undefined)
      return { ...this.recognise(message), received: { ...received, items_stand_alone: true } }
    const decoded = decode(received)
    const read = unkept === undefined ? { offset, decoded } : { offset: null, from: unkept.name, decoded }
    return has_secrets ? read : { ...read, received }
  }

  private recognise({ offset, time_ms, value }: SourceMessage): DecodedMessage {
    const body = value ?? Buffer.alloc(0)
    try {
      const { intake, clock, resolve_timeout_ms } = this.parts
      const context = { resolve_timeout_ms, lone_alert: true }
      const origin = { now_ms: clock.now(), at_ms: time_ms, domain: this.domain, offset }
      return {
        offset,
        decoded: readBody(intake.recogniser, body, origin, context),
        inFull: () => decodeAlerts(body, time_ms, context),
      }
    } catch (error) {
      if (!(error instanceof RefusedBody)) throw error
      return {
        offset,
        decoded: {
          alerts: [],
          rejects: [{ ordinal: 0, code: error.code, reason: error.message, payload: body.toString() }],
        },
      }
    }
  }
}
