import type { Log } from '../../runtime/ports.ts'
import type { Tracing } from '../../runtime/tracing.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { GroupCommit } from '../group_commit.ts'
import { type PreparedSamples, prepareSamples, type SampleBatch } from './batch.ts'
import { sampleAppends } from './entries.ts'
import type { RejectedSample } from './format.ts'
import { type SampleNormaliserConfig, SeriesPlacer } from './normalise.ts'

/** Told once the readings and dead letters of a batch are durable. */
export interface SampleObserver {
  sampled(source: string, samples: number, dropped: number): void
  rejected(source: string, code: string): void
}

export interface SampleIntakeParts {
  readonly log: Pick<Log, 'append' | 'partitions'>
  readonly config: SampleNormaliserConfig
  readonly observer: SampleObserver
  readonly tracing: Pick<Tracing, 'batch'>
}

/** Takes readings in: gives them scope and partition and appends them to the samples log, all that wait at a time in one append. */
export class SampleIntake {
  private readonly parts: SampleIntakeParts
  private readonly placer: SeriesPlacer
  private readonly group: GroupCommit<PreparedSamples, void>

  constructor(parts: SampleIntakeParts) {
    this.parts = parts
    this.placer = new SeriesPlacer(parts.config, parts.log.partitions('samples'))
    this.group = new GroupCommit({
      what: 'readings',
      weigh: ({ samples_total, letters }) => samples_total + letters.length,
      waiting_max: LIMITS.samples_waiting,
      commit: (group) => this.append(group),
    })
  }

  /** Gives a batch its scopes and partitions without taking it. */
  prepare(batch: SampleBatch): PreparedSamples {
    return prepareSamples(batch, this.placer)
  }

  /** Resolves with what was not taken when every reading of the batch is durable; throws Retryable, and then the batch may be given again. */
  accept(batch: SampleBatch): Promise<readonly RejectedSample[]> {
    return this.take(this.prepare(batch))
  }

  /** Like accept, for a batch that was prepared. */
  async take(prepared: PreparedSamples): Promise<readonly RejectedSample[]> {
    const { source, samples_total, dropped, rejects } = prepared
    if (samples_total > 0 || rejects.length > 0) await this.group.take(prepared)
    this.parts.observer.sampled(source, samples_total, dropped)
    for (const { code } of rejects) this.parts.observer.rejected(source, code)
    return rejects
  }

  private async append(group: readonly PreparedSamples[]): Promise<readonly void[]> {
    const { log, tracing } = this.parts
    const span = tracing.batch('ingest', group.length, [])
    await log.append(sampleAppends(group, log.partitions('deadletters'), span.headers))
    span.end()
    return []
  }
}
