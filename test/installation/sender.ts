import type { SentAlert } from '../../bench/load/alerts.ts'
import { keyOf } from '../reference/groups.ts'
import type { Input } from './input.ts'
import { pause, type Tocsin } from './processes.ts'

const ALERTS_PER_REQUEST = 20
const AFTER_REFUSAL_MS = 50

/** Statements about one alert: those that were answered with 2xx, and all that were sent. */
export interface Sent {
  answered: number
  sent: number
}

export interface SenderOptions {
  readonly connections: number
  readonly between_ms: number
  /** Then a request counts as not answered, and is sent again. */
  readonly patience_ms: number
}

/** Sends an input over HTTP as Prometheus does: each request again until it is answered with 2xx, by whichever process. */
export class Sender {
  /** Identity of an alert (`keyOf`) → what was said about it. */
  readonly sent = new Map<string, Sent>()
  /** Requests answered with 2xx, with 503, with anything else, and not at all. */
  readonly answers = { ok: 0, unavailable: 0, other: 0, none: 0 }
  private readonly input: Input
  private readonly tocsins: readonly Tocsin[]
  private readonly options: SenderOptions
  private running: Promise<unknown> = Promise.resolve()
  private stopping = false
  private abandoned = false
  private turn = 0

  constructor(input: Input, tocsins: readonly Tocsin[], options: SenderOptions) {
    this.input = input
    this.tocsins = tocsins
    this.options = options
  }

  start(): void {
    this.stopping = false
    this.running = Promise.all(Array.from({ length: this.options.connections }, () => this.flow()))
  }

  /** Resolves when everything that was given out has been answered with 2xx. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.running
  }

  /** Ends at once, for a test that failed. */
  abandon(): void {
    this.stopping = true
    this.abandoned = true
  }

  /** Sends the endings of the input, after everything else. */
  async end(): Promise<void> {
    await this.stop()
    for (const statements of this.input.endings(ALERTS_PER_REQUEST * 10)) await this.insist(statements)
  }

  private async flow(): Promise<void> {
    while (!this.stopping) {
      await this.insist(this.input.next(ALERTS_PER_REQUEST))
      await pause(this.options.between_ms)
    }
  }

  private async insist(statements: readonly SentAlert[]): Promise<void> {
    while (!this.abandoned) {
      countSent(this.sent, statements, 'sent')
      const status = await this.post(statements)
      if (status === null) this.answers.none++
      else if (status === 503) this.answers.unavailable++
      else if (status === 200) this.answers.ok++
      else this.answers.other++
      if (status === 200) return countSent(this.sent, statements, 'answered')
      await pause(AFTER_REFUSAL_MS)
    }
  }

  /** Null: nobody answered, because the process is dead, dies, or stands still. */
  private async post(statements: readonly SentAlert[]): Promise<number | null> {
    const tocsin = this.tocsins[this.turn++ % this.tocsins.length] as Tocsin
    try {
      const response = await fetch(`${tocsin.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(statements),
        signal: AbortSignal.timeout(this.options.patience_ms),
      })
      await response.arrayBuffer()
      return response.status
    } catch {
      return null
    }
  }
}

export function countSent(
  sent: Map<string, Sent>,
  statements: readonly SentAlert[],
  which: keyof Sent,
): void {
  for (const { labels } of statements) {
    const key = keyOf(labels)
    const counts = sent.get(key) ?? { answered: 0, sent: 0 }
    counts[which]++
    sent.set(key, counts)
  }
}
