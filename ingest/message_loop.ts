import { Retryable } from '../runtime/errors.ts'
import type { Clock, SourceMessage, Subscription, TopicSource } from '../runtime/ports.ts'
import { RejectWindow } from './halting.ts'

/** What a reader of topics tells about itself; metrics and logs hang on it. */
export interface ConsumerObserver {
  /** Nearly everything of a source partition is rejected: nothing is read from it until it is mended or the process restarts. */
  halted(source: string, topic: string, partition: number, halted: boolean): void
  /** The log failed; the batch is given again after a pause. */
  retrying(source: string, error: Retryable, attempt: number): void
}

export interface MessageLoopParts {
  /** Name of the configured source. */
  readonly name: string
  readonly topics: readonly string[]
  readonly source: TopicSource
  readonly clock: Clock
  readonly observer: ConsumerObserver
}

/** What becomes of messages of one source partition. */
export interface Taker<Prepared extends { readonly messages_rejected: number }> {
  /** May throw Retryable where it is asynchronous. */
  prepare(topic: string, partition: number, messages: readonly SourceMessage[]): Prepared | Promise<Prepared>
  /** Resolves when everything is durable. Throws Retryable. */
  take(prepared: Prepared): Promise<unknown>
}

const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 10_000
const HALTED_RETRY_MS = 60_000

/** Reads the topics of one source: progress is kept once what was read is durable, and a partition of rejects is halted. */
export class MessageLoop<Prepared extends { readonly messages_rejected: number }> {
  private readonly parts: MessageLoopParts
  private readonly taker: Taker<Prepared>
  private readonly windows = new Map<string, RejectWindow>()
  private readonly closing = new AbortController()
  private subscription: Subscription | null = null

  constructor(parts: MessageLoopParts, taker: Taker<Prepared>) {
    this.parts = parts
    this.taker = taker
  }

  async start(): Promise<void> {
    const { source, topics, name } = this.parts
    this.subscription = await source.consume(topics, `tocsin-ingest-${name}`, (topic, partition, messages) =>
      this.handle(topic, partition, messages),
    )
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
      const prepared = await this.taken(topic, partition, messages, window, attempt)
      if (prepared === null) continue
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
  ): Promise<Prepared> {
    let halted = false
    for (;;) {
      const prepared = await this.taker.prepare(topic, partition, messages)
      const drain = window.isDrain({ messages: messages.length, rejected: prepared.messages_rejected })
      if (drain !== halted) this.parts.observer.halted(this.parts.name, topic, partition, drain)
      if (!drain) return prepared
      halted = true
      await this.pause(HALTED_RETRY_MS)
    }
  }

  /** What was taken; null, after a pause, when log or store did not take it. */
  private async taken(
    topic: string,
    partition: number,
    messages: readonly SourceMessage[],
    window: RejectWindow,
    attempt: number,
  ): Promise<Prepared | null> {
    try {
      const prepared = await this.passed(topic, partition, messages, window)
      await this.taker.take(prepared)
      return prepared
    } catch (error) {
      if (!(error instanceof Retryable) || this.closing.signal.aborted) throw error
      this.parts.observer.retrying(this.parts.name, error, attempt)
      await this.pause(Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt - 1, 10)))
      return null
    }
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.closing
    if (!signal.aborted) await this.parts.clock.sleep(ms, signal)
    if (signal.aborted)
      throw new Retryable('closing', 'the consumer is closing; what was not taken is read again')
  }
}
