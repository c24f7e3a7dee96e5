import { Retryable } from '../runtime/errors.ts'
import type { Clock, SourceMessage, Subscription, TopicSource } from '../runtime/ports.ts'
import { digestOf } from '../schemas/ids.ts'
import type { Acknowledger } from './acknowledger.ts'
import type { Batch, DecodedMessage, Prepared } from './batch.ts'
import { RejectWindow } from './halting.ts'
import type { Intake } from './intake.ts'
import { readBody } from './read_body.ts'
import type { SourceDecoder } from './source_decoder.ts'
import { decodeAlerts, RefusedBody } from './sources/alertmanager.ts'

/** What the consumer tells about itself; metrics and logs hang on it. */
export interface ConsumerObserver {
  /** Nearly everything of a source partition is rejected: nothing is read from it until it is mended or the process restarts. */
  halted(source: string, topic: string, partition: number, halted: boolean): void
  /** The log failed; the batch is given again after a pause. */
  retrying(source: string, error: Retryable, attempt: number): void
}

export interface ConsumerParts {
  /** Name of the configured source. */
  readonly name: string
  readonly topics: readonly string[]
  readonly source: TopicSource
  readonly intake: Intake
  readonly clock: Clock
  readonly observer: ConsumerObserver
  readonly resolve_timeout_ms: number
  /** Reads the messages; left out for Alertmanager's form, whose exact repeats need not be read. */
  readonly decode?: SourceDecoder
  /** Messages hold a secret, and are not kept when they are rejected. */
  readonly has_secrets?: boolean
  /** Needed for formats that acknowledge. */
  readonly acknowledger?: Pick<Acknowledger, 'settle'>
}

interface PreparedBatch {
  readonly batch: Batch
  readonly prepared: Prepared
}

const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 10_000
const HALTED_RETRY_MS = 60_000

/**
 * Reads alerts from the topics of one source. What a message gives depends on the message alone (a start that is missing is the
 * message's time), so reading it again after a crash gives the same alerts at the same places, and the fold skips them.
 */
export class Consumer {
  private readonly parts: ConsumerParts
  private readonly windows = new Map<string, RejectWindow>()
  private readonly closing = new AbortController()
  private subscription: Subscription | null = null
  private readonly domain: number

  constructor(parts: ConsumerParts) {
    this.parts = parts
    this.domain = parts.intake.recogniser.newDomain()
  }

  async start(): Promise<void> {
    const { source, topics, name } = this.parts
    this.subscription = await source.consume(topics, `tocsin-ingest-${name}`, (topic, partition, messages) =>
      this.handle(topic, partition, messages),
    )
  }

  get name(): string {
    return this.parts.name
  }

  /** Messages that wait; null where nobody knows. */
  async lag(): Promise<number | null> {
    try {
      return (await this.subscription?.lag?.()) ?? null
    } catch (error) {
      if (error instanceof Retryable) return null
      throw error
    }
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.subscription?.close()
  }

  /** Resolves when everything of the messages is durable; throws Retryable `closing` when it ends before. */
  private async handle(topic: string, partition: number, messages: readonly SourceMessage[]): Promise<void> {
    const key = `${topic}/${partition}`
    const window = this.windows.get(key) ?? new RejectWindow()
    this.windows.set(key, window)
    for (let attempt = 1; ; attempt++) {
      // Prepared anew for each attempt: how old a repeat may be is bounded from when it was recognised.
      const batch = await this.passed(topic, partition, messages, window)
      const { prepared } = batch
      if (!(await this.taken(batch, attempt))) continue
      window.count({ messages: messages.length, rejected: prepared.messages_rejected })
      return
    }
  }

  /** The batch, prepared; waits while it would only drain the topic into the dead letters. */
  private async passed(
    topic: string,
    partition: number,
    messages: readonly SourceMessage[],
    window: RejectWindow,
  ): Promise<PreparedBatch> {
    let halted = false
    for (;;) {
      const batch = this.batchOf(topic, partition, messages)
      const prepared = this.parts.intake.prepare(batch)
      const drain = window.isDrain({ messages: messages.length, rejected: prepared.messages_rejected })
      if (drain !== halted) this.parts.observer.halted(this.parts.name, topic, partition, drain)
      if (!drain) return { batch, prepared }
      halted = true
      await this.pause(HALTED_RETRY_MS)
    }
  }

  /** False, after a pause, when the log did not take it. */
  private async taken({ batch, prepared }: PreparedBatch, attempt: number): Promise<boolean> {
    try {
      await this.parts.intake.take(prepared)
      for (const message of batch.messages) await this.acknowledge(batch, message)
      return true
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
      this.parts.observer.retrying(this.parts.name, error, attempt)
      await this.pause(Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt - 1, 10)))
      return false
    }
  }

  /** What acknowledges something that does not fire becomes a dead letter. */
  private async acknowledge(batch: Batch, { offset, decoded }: DecodedMessage): Promise<void> {
    const { acknowledger, intake, name } = this.parts
    const { acknowledgements = [] } = decoded
    if (acknowledgements.length === 0 || acknowledger === undefined) return
    const unknown = await acknowledger.settle(acknowledgements, (ordinal) =>
      digestOf(`acknowledgement of ${name}`, batch.locate(offset, ordinal)),
    )
    if (unknown.length > 0)
      await intake.accept({ ...batch, messages: [{ offset, decoded: { alerts: [], rejects: unknown } }] })
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.closing
    if (!signal.aborted) await this.parts.clock.sleep(ms, signal)
    if (signal.aborted)
      throw new Retryable('closing', 'the consumer is closing; what was not taken is read again')
  }

  private batchOf(topic: string, partition: number, messages: readonly SourceMessage[]): Batch {
    return {
      source: this.parts.name,
      origin: { source: `${this.parts.name}/${topic}`, partition },
      received_at_ms: this.parts.clock.now(),
      messages: messages.map((message) => this.decode(topic, message)),
      locate: (offset, ordinal) => `kafka:${topic}/${partition}@${offset}#${ordinal}`,
    }
  }

  private decode(topic: string, message: SourceMessage): DecodedMessage {
    const { decode, has_secrets } = this.parts
    const { offset, time_ms, value, headers } = message
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
    const read = { offset, decoded: decode(received) }
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
