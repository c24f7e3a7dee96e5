import type { KafkaMessage } from 'kafkajs'
import type { Clock, Position } from '../../ports.ts'

/** Read ahead per partition while the owner is busy; more is asked for below this. */
const AHEAD_BYTES = 256 * 1024

export interface ReaderEvents {
  /** More is wanted from the broker. */
  wanted(): void
  progressed(position: Position): void
}

/** Reads one partition, fed by a Fetcher, until it is ended. */
export class KafkaReader<Entry> {
  readonly topic: string
  readonly partition: number
  private readonly convert: (message: KafkaMessage) => Entry
  private readonly clock: Clock
  private readonly events: ReaderEvents
  private ahead: { readonly entry: Entry; readonly bytes: number }[] = []
  private ahead_bytes = 0
  /** Where the next fetch begins. */
  private position: Position = 0
  /** Nothing is read ahead between a seek and the next poll: retention may take it away in between. */
  private is_started = false
  private fault: Error | null = null
  private woken = false
  private waiting: AbortController | null = null
  private is_ended = false

  constructor(
    topic: string,
    partition: number,
    convert: (message: KafkaMessage) => Entry,
    clock: Clock,
    events: ReaderEvents,
  ) {
    this.topic = topic
    this.partition = partition
    this.convert = convert
    this.clock = clock
    this.events = events
  }

  get ended(): boolean {
    return this.is_ended
  }

  /** Whether somebody polls it. */
  get started(): boolean {
    return this.is_started
  }

  /** Where the next fetch should begin, or null when there is enough. */
  get wants(): Position | null {
    const is_hungry =
      this.is_started && !this.is_ended && this.fault === null && this.ahead_bytes < AHEAD_BYTES
    return is_hungry ? this.position : null
  }

  async seek(position: Position): Promise<void> {
    if (!Number.isInteger(position) || position < 0) throw new RangeError(`there is no position ${position}`)
    this.forget()
    this.position = position
    this.is_started = false
    this.fault = null
  }

  async poll(entries_max: number, wait_ms: number): Promise<readonly Entry[]> {
    this.is_started = true
    if (this.wants !== null) this.events.wanted()
    if (this.ahead.length === 0 && this.fault === null && wait_ms > 0 && !this.woken && !this.is_ended) {
      this.waiting = new AbortController()
      await this.clock.sleep(wait_ms, this.waiting.signal)
      this.waiting = null
    }
    this.woken = false
    const taken = this.ahead.splice(0, entries_max)
    for (const { bytes } of taken) this.ahead_bytes -= bytes
    if (taken.length === 0) this.raiseFault()
    else if (this.wants !== null) this.events.wanted()
    return taken.map(({ entry }) => entry)
  }

  wake(): void {
    this.woken = true
    this.waiting?.abort()
  }

  progressed(position: Position): void {
    if (!this.is_ended) this.events.progressed(position)
  }

  /** What a fetch from `from` brought. Dropped when the reader has gone elsewhere since. */
  receive(from: Position, messages: readonly KafkaMessage[], next: Position): void {
    if (this.is_ended || from !== this.position) return
    this.position = next
    for (const message of messages) {
      const bytes = (message.value?.length ?? 0) + (message.key?.length ?? 0)
      this.ahead.push({ entry: this.convert(message), bytes })
      this.ahead_bytes += bytes
    }
    if (messages.length > 0) this.waiting?.abort()
  }

  /** Nothing can be read from there: said by the poll that comes to it, and tried again after that. */
  fail(from: Position, fault: Error): void {
    if (this.is_ended || from !== this.position) return
    this.fault = fault
    this.waiting?.abort()
  }

  /** Ownership is over: polls return nothing from now on, also the one that waits. */
  end(): void {
    this.is_ended = true
    this.fault = null
    this.forget()
    this.waiting?.abort()
  }

  private forget(): void {
    this.ahead = []
    this.ahead_bytes = 0
  }

  private raiseFault(): void {
    const { fault } = this
    this.fault = null
    if (fault !== null) throw fault
  }
}
