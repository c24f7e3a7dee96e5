import type { SourceMessage } from '../../runtime/ports.ts'
import { MessageLoop, type MessageLoopParts, type Taker } from '../message_loop.ts'
import type { DecodedSampleMessage, PreparedSamples } from './batch.ts'
import type { DecodedSamples, DecodeSamples, SampleMessage } from './format.ts'
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

  private decode(topic: string, message: SourceMessage): DecodedSampleMessage {
    const decoded = this.parts.decode(sampleMessage(topic, message, this.parts.clock.now()))
    return decodedFrom(message, decoded)
  }
}

/** A message of a topic, as decoders take it. */
export function sampleMessage(
  topic: string,
  { time_ms, key, value, headers, unkept }: SourceMessage,
  now_ms: number,
): SampleMessage {
  const named = Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text] as const)
  return {
    body: value ?? Buffer.alloc(0),
    headers: Object.fromEntries(named),
    topic: unkept?.topic ?? topic,
    key,
    // A producer whose clock is ahead does not make readings of the future.
    at_ms: Math.min(time_ms, now_ms),
  }
}

export function decodedFrom(
  { offset, unkept }: SourceMessage,
  decoded: DecodedSamples,
): DecodedSampleMessage {
  return unkept === undefined ? { offset, decoded } : { offset: null, from: unkept.name, decoded }
}
