import { Kafka, logLevel, type Producer } from 'kafkajs'
import { seeded } from '../../bench/load/random.ts'
import type { Input } from './input.ts'
import { pause } from './processes.ts'
import { countSent, type Sent } from './sender.ts'

const BETWEEN_MS = 150
const MESSAGES = 4
const ALERTS_PER_MESSAGE = 15

/** Produces an input to a topic without an end, whatever becomes of the broker meanwhile. */
export class Feeder {
  readonly input: Input
  /** Identity of an alert → statements that the broker acknowledged, and all that were given to it. */
  readonly sent = new Map<string, Sent>()
  private readonly producer: Producer
  private readonly topic: string
  private readonly partitions: number
  private readonly random: () => number
  private stopping = false
  private running: Promise<void> = Promise.resolve()

  constructor(input: Input, brokers: readonly string[], topic: string, partitions: number, seed: number) {
    this.input = input
    this.topic = topic
    this.partitions = partitions
    this.random = seeded(seed)
    // The client tries again by itself, and the broker knows what it has had.
    const retry = { retries: 10_000, initialRetryTime: 100, maxRetryTime: 1_000 }
    this.producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry }).producer({
      idempotent: true,
      allowAutoTopicCreation: false,
    })
  }

  async start(): Promise<void> {
    await this.producer.connect()
    this.running = this.flow()
  }

  /** Resolves when everything that was given out has been acknowledged. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.running
  }

  /** Ends at once, for a test that failed. */
  async abandon(): Promise<void> {
    this.stopping = true
    await this.producer.disconnect()
  }

  /** Produces the endings of the input, after everything else. */
  async end(): Promise<void> {
    await this.stop()
    for (const statements of this.input.endings(10 * ALERTS_PER_MESSAGE)) await this.send([statements])
    await this.producer.disconnect()
  }

  private async flow(): Promise<void> {
    while (!this.stopping) {
      await this.send(Array.from({ length: MESSAGES }, () => this.input.next(ALERTS_PER_MESSAGE)))
      await pause(BETWEEN_MS)
    }
  }

  private async send(messages: readonly ReturnType<Input['next']>[]): Promise<void> {
    for (const statements of messages) countSent(this.sent, statements, 'sent')
    await this.producer.send({
      topic: this.topic,
      acks: -1,
      messages: messages.map((statements) => ({
        partition: Math.floor(this.random() * this.partitions),
        value: JSON.stringify(statements),
      })),
    })
    for (const statements of messages) countSent(this.sent, statements, 'answered')
  }
}
