import type { Logger } from './logger.ts'
import type { Clock, Position, Store, Topic } from './ports.ts'

/** What the embedded log can do beyond the port: forget what nobody needs any more. */
export interface TrimmableLog {
  partitions(topic: Topic): number
  firstSince(topic: Topic, partition: number, time_ms: number): Promise<Position>
  trim(topic: Topic, partition: number, before: Position): Promise<void>
}

export interface RetentionParts {
  readonly log: TrimmableLog
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** Folds whose position must have passed an entry before it goes. */
  readonly folds: Readonly<Partial<Record<Topic, readonly string[]>>>
}

const HOUR_MS = 3_600_000
/** Entries are kept at least this long, read or not: samples for detectors that start again, alerts to look at, changes for clients that come back. */
const KEEP_MS: Readonly<Record<Topic, number>> = {
  samples: 10 * 60_000,
  alerts: HOUR_MS,
  incidents: 24 * HOUR_MS,
  deadletters: 7 * 24 * HOUR_MS,
}
const INTERVAL_MS = 60_000

/** Trims the embedded log: never below the slowest fold, so a history that waits for ClickHouse loses nothing. */
export class Retention {
  private readonly parts: RetentionParts
  private readonly stopping = new AbortController()
  private readonly running: Promise<void>

  constructor(parts: RetentionParts) {
    this.parts = parts
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    const { clock, logger } = this.parts
    for (;;) {
      await clock.sleep(INTERVAL_MS, this.stopping.signal)
      if (this.stopping.signal.aborted) return
      try {
        await this.trimAll()
      } catch (error) {
        logger.warn({ err: error }, 'the log could not be trimmed; it is tried again in a minute')
      }
    }
  }

  /** One round over all partitions. */
  async trimAll(): Promise<void> {
    for (const topic of Object.keys(KEEP_MS) as Topic[]) {
      for (let partition = 0; partition < this.parts.log.partitions(topic); partition++) {
        if (this.stopping.signal.aborted) return
        await this.parts.log.trim(topic, partition, await this.border(topic, partition))
      }
    }
  }

  private async border(topic: Topic, partition: number): Promise<Position> {
    const { log, store, clock, folds } = this.parts
    const old_enough = await log.firstSince(topic, partition, clock.now() - KEEP_MS[topic])
    const read = await Promise.all(
      (folds[topic] ?? []).map((fold) => store.position(`${fold}/${topic}/${partition}`)),
    )
    return Math.min(old_enough, ...read.map((position) => position ?? 0))
  }
}
