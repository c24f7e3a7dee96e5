import type { Append, Log, Position } from '../runtime/ports.ts'
import type { Tracing } from '../runtime/tracing.ts'
import { LIMITS } from '../schemas/limits.ts'
import { type Batch, type Normalise, type Prepared, prepare } from './batch.ts'
import { Recogniser } from './recognise/recogniser.ts'
import { appendsFor } from './entries.ts'
import { GroupCommit } from './group_commit.ts'
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

/** A batch, and what goes into the log with it, behind it. */
interface Queued {
  readonly prepared: Prepared
  readonly beside: readonly Append[]
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
  private readonly group: GroupCommit<Queued, Accepted>

  constructor(parts: IntakeParts) {
    this.parts = parts
    this.group = new GroupCommit({
      what: 'alerts',
      weigh: ({ prepared }) => prepared.alerts_total + prepared.rejects.length,
      waiting_max: WAITING_ALERTS_MAX,
      commit: (group) => this.append(group),
    })
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
    const is_empty = prepared.alerts_total === 0 && prepared.rejects.length === 0 && beside.length === 0
    const accepted = is_empty
      ? { positions: new Map(), rejects: [] }
      : await this.group.take({ prepared, beside })
    this.parts.observer.accepted(prepared.source, prepared.alerts_total)
    for (const { code } of prepared.rejects) this.parts.observer.rejected(prepared.source, code)
    return accepted
  }

  /** What this process appended: partition of the alerts log → position of its newest entry. */
  appended(): ReadonlyMap<number, Position> {
    return this.newest
  }

  private async append(queued: readonly Queued[]): Promise<readonly Accepted[]> {
    const { log, tracing } = this.parts
    const group = queued.map(({ prepared }) => prepared)
    const span = tracing.batch('ingest', group.length, [])
    const appends = appendsFor(group, log.partitions('deadletters'), span.headers)
    const entries = [...appends, ...queued.flatMap(({ beside }) => beside)]
    const accepted = this.settle(group, entries, await log.append(entries))
    span.end()
    return accepted
  }

  private settle(
    group: readonly Prepared[],
    entries: readonly Append[],
    positions: readonly Position[],
  ): readonly Accepted[] {
    for (const [i, { topic, partition }] of entries.entries()) {
      if (topic === 'alerts')
        this.newest.set(partition, Math.max(positions[i] ?? 0, this.newest.get(partition) ?? 0))
    }
    return group.map(({ learnt, shares, rejects }) => {
      this.recogniser.learn(learnt)
      const touched = [...shares.keys()].map(
        (partition) => [partition, this.newest.get(partition) ?? 0] as const,
      )
      return { positions: new Map(touched), rejects }
    })
  }
}
