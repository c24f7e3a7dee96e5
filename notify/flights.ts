import type { Clock } from '../runtime/ports.ts'
import type { Action, DeliveryRow, Intent, Result } from './delivery.ts'
import type { Sink } from './sinks/sink.ts'

/** How long `finish` waits for attempts to end by themselves, and `close` for those that were told to end. */
const FINISH_MAX_MS = 3_000
const CLOSE_MAX_MS = 2_000

export interface Launch {
  readonly key: string
  readonly sink: Sink
  /** The row as it was stored before the attempt. */
  readonly row: DeliveryRow
  readonly intent: Intent
  /** An owner whose commits the store lost may have told this. */
  readonly doubtful: boolean
}

export interface Landing {
  readonly key: string
  readonly action: Action
  readonly result: Result
}

/** Attempts under way in the background, each bounded in time, and the results that wait to be taken. */
export class Flights {
  private readonly clock: Clock
  private readonly landed: () => void
  private readonly running = new Map<string, Promise<void>>()
  private readonly closing = new AbortController()
  private landings: Landing[] = []
  private bug: { readonly error: unknown } | null = null

  /** `landed` is called after each end of an attempt. */
  constructor(clock: Clock, landed: () => void) {
    this.clock = clock
    this.landed = landed
  }

  get waiting(): boolean {
    return this.landings.length > 0 || this.bug !== null
  }

  start(launch: Launch): void {
    const flight = this.fly(launch).then(
      (result) => void this.landings.push({ key: launch.key, action: launch.intent.kind, result }),
      (error: unknown) => (this.bug ??= { error }),
    )
    this.running.set(
      launch.key,
      flight.then(() => {
        this.running.delete(launch.key)
        if (!this.closing.signal.aborted) this.landed()
      }),
    )
  }

  /** What ended since the last call. Throws what a sink threw: sinks give results, so that is a bug. */
  take(): readonly Landing[] {
    if (this.bug !== null) throw this.bug.error
    const landings = this.landings
    this.landings = []
    return landings
  }

  /** Like `close`, after a while in which attempts may end by themselves. */
  async finish(): Promise<void> {
    await this.ended(FINISH_MAX_MS)
    await this.close()
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.ended(CLOSE_MAX_MS)
  }

  private async ended(within_ms: number): Promise<void> {
    const all = new AbortController()
    await Promise.race([Promise.all(this.running.values()), this.clock.sleep(within_ms, all.signal)])
    all.abort()
  }

  private async fly({ sink, row, intent, doubtful }: Launch): Promise<Result> {
    const left_ms = intent.deadline_ms - sink.policy.settle_ms - this.clock.now()
    // This process stood still since it stored the intent; another one may be about to look what became of it.
    if (left_ms <= 0)
      return { kind: 'retry', code: 'begun-too-late', status: null, retry_after_ms: null, not_done: true }
    const ended = new AbortController()
    const given_up = new AbortController()
    void this.clock.sleep(left_ms, ended.signal).then(() => given_up.abort())
    const telling = {
      summary: row.creation ?? row.wanted,
      told: row.told,
      external_id: row.external_id,
      repeated: doubtful || intent.attempt > 1,
    }
    try {
      return await sink.deliver(intent.kind, telling, AbortSignal.any([this.closing.signal, given_up.signal]))
    } finally {
      ended.abort()
    }
  }
}
