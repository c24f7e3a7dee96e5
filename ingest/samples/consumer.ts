import type { SourceMessage } from '../../runtime/ports.ts'
import { MessageLoop, type MessageLoopParts, type Taker } from '../message_loop.ts'
import type { DecodedSampleMessage, PreparedSamples } from './batch.ts'
import type { DecodeSamples } from './format.ts'
import type { SampleIntake } from './intake.ts'

export interface SampleConsumerParts extends MessageLoopParts {
  readonly intake: SampleIntake
  readonly decode: DecodeSamples
}

/** Reads readings from the topics of one source. What is read again after a crash is appended again, which changes nothing. */
export class SampleConsumer implements Taker<PreparedSamples> {
  private readonly parts: SampleConsumerParts
  private readonly loop: MessageLoop<PreparedSamples>

  constructor(parts: SampleConsumerParts) {
    this.parts = parts
    this.loop = new MessageLoop(parts, this)
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

  prepare(topic: string, partition: number, messages: readonly SourceMessage[]): PreparedSamples {
    const { name, intake, clock } = this.parts
    return intake.prepare({
      source: name,
      received_at_ms: clock.now(),
      messages: messages.map((message) => this.decode(topic, message)),
      locate: (offset, ordinal) => `kafka:${topic}/${partition}@${offset}#${ordinal}`,
    })
  }

  /** Throws Retryable. */
  take(prepared: PreparedSamples): Promise<unknown> {
    return this.parts.intake.take(prepared)
  }

  private decode(
    topic: string,
    { offset, time_ms, key, value, headers }: SourceMessage,
  ): DecodedSampleMessage {
    const named = Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text] as const)
    const decoded = this.parts.decode({
      body: value ?? Buffer.alloc(0),
      headers: Object.fromEntries(named),
      topic,
      key,
      at_ms: Math.min(time_ms, this.parts.clock.now()),
    })
    return { offset, decoded }
  }
}
