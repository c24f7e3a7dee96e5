import { Retryable } from '../runtime/errors.ts'
import type { Append, Log, Position } from '../runtime/ports.ts'
import type { Tracing } from '../runtime/tracing.ts'
import { LIMITS } from '../schemas/limits.ts'
import { type Batch, type Normalise, type Prepared, prepare } from './batch.ts'
import { Recogniser } from './recognise/recogniser.ts'
import { appendsFor } from './entries.ts'
import { makeNormaliser, type NormaliserConfig } from './normalise.ts'
import type { RejectedAlert } from './sources/raw_alert.ts'

/** Told once the alerts and dead letters of a batch are durable. */
export interface IntakeObserver {
  accepted(source: string, alerts: number): void
  rejected(source: string, code: string): void
}

export interface IntakeParts {
  readonly log: Pick<Log, 'append' | 'partitions'>
  readonly config: NormaliserConfig
  readonly observer: IntakeObserver
  readonly tracing: Pick<Tracing, 'batch'>
}

export interface Accepted {
  /** Position of the newest entry of this batch in each partition that it touched. */
  readonly positions: ReadonlyMap<number, Position>
  /** Alerts not taken, in order. They are in the dead letters too. */
  readonly rejects: readonly RejectedAlert[]
}

interface Waiting {
  readonly prepared: Prepared
  readonly beside: readonly Append[]
  readonly resolve: (accepted: Accepted) => void
  readonly reject: (error: unknown) => void
}

/** Alerts that wait for the log at most; beyond that senders are asked to come again. */
const WAITING_ALERTS_MAX = 4 * LIMITS.alerts_per_request

/** Takes alerts in: normalises them and appends them to the log, all that wait at a time in one append (group commit). */
export class Intake {
  private readonly parts: IntakeParts
  /** Of all sources: whoever tells an alert in full, its former statements are not recognised any more. */
  readonly recogniser = new Recogniser()
  readonly normalise: Normalise
  private readonly newest = new Map<number, Position>()
  private waiting: Waiting[] = []
  private waiting_alerts = 0
  private appending = false

  constructor(parts: IntakeParts) {
    this.parts = parts
    this.normalise = makeNormaliser(parts.config)
  }

  /** Normalises and sorts a batch without taking it. */
  prepare(batch: Batch): Prepared {
    const { normalise, recogniser } = this
    return prepare(batch, { partitions: this.parts.log.partitions('alerts'), normalise, recogniser })
  }

  /** Resolves when every alert of the batch is durable; throws Retryable, and then the batch may be given again. */
  accept(batch: Batch): Promise<Accepted> {
    return this.take(this.prepare(batch))
  }

  /** Like accept, for a batch that was prepared. `beside` goes into the log with it, behind it. */
  async take(prepared: Prepared, beside: readonly Append[] = []): Promise<Accepted> {
    const accepted = await this.append(prepared, beside)
    this.parts.observer.accepted(prepared.source, prepared.alerts_total)
    for (const { code } of prepared.rejects) this.parts.observer.rejected(prepared.source, code)
    return accepted
  }

  /** What this process appended: partition of the alerts log → position of its newest entry. */
  appended(): ReadonlyMap<number, Position> {
    return this.newest
  }

  private append(prepared: Prepared, beside: readonly Append[]): Promise<Accepted> {
    if (prepared.alerts_total === 0 && prepared.rejects.length === 0 && beside.length === 0)
      return Promise.resolve({ positions: new Map(), rejects: [] })
    if (this.waiting_alerts > WAITING_ALERTS_MAX) {
      return Promise.reject(
        new Retryable(
          'intake-full',
          `${this.waiting_alerts} alerts wait for the log, more than ${WAITING_ALERTS_MAX}; send again later`,
        ),
      )
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ prepared, beside, resolve, reject })
      this.waiting_alerts += prepared.alerts_total + prepared.rejects.length
      if (!this.appending) void this.flush()
    })
  }

  /** Appends group after group until nobody waits. Never rejects: failures go to those who wait. */
  private async flush(): Promise<void> {
    this.appending = true
    while (this.waiting.length > 0) {
      const group = this.waiting
      this.waiting = []
      this.waiting_alerts = 0
      try {
        const span = this.parts.tracing.batch('ingest', group.length, [])
        const appends = appendsFor(
          group.map(({ prepared }) => prepared),
          this.parts.log.partitions('deadletters'),
          span.headers,
        )
        const entries = [...appends, ...group.flatMap(({ beside }) => beside)]
        this.settle(group, entries, await this.parts.log.append(entries))
        span.end()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.appending = false
  }

  private settle(
    group: readonly Waiting[],
    entries: readonly Append[],
    positions: readonly Position[],
  ): void {
    for (const [i, { topic, partition }] of entries.entries()) {
      if (topic === 'alerts')
        this.newest.set(partition, Math.max(positions[i] ?? 0, this.newest.get(partition) ?? 0))
    }
    for (const { prepared, resolve } of group) {
      this.recogniser.learn(prepared.learnt)
      const touched = [...prepared.shares.keys()].map(
        (partition) => [partition, this.newest.get(partition) ?? 0] as const,
      )
      resolve({ positions: new Map(touched), rejects: prepared.rejects })
    }
  }
}
