import type { RecordObserver } from '../analytics/inserts.ts'
import type { Outcome } from '../correlate/fold.ts'
import type { Outcome as DetectOutcome } from '../ingest/detect/fold/fold.ts'
import type { State as DetectState } from '../ingest/detect/fold/state.ts'
import type { State } from '../correlate/state.ts'
import type { ConsumerObserver } from '../ingest/message_loop.ts'
import type { IntakeObserver } from '../ingest/intake.ts'
import type { SparkplugObserver } from '../ingest/samples/sparkplug_consumer.ts'
import type { SampleObserver } from '../ingest/samples/intake.ts'
import type { Action, DeliveryRow, Result } from '../notify/delivery.ts'
import type { Retryable } from './errors.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { MqttObserver } from './mqtt/connection.ts'
import type { Clock, Log, Position, Shard, Topic } from './ports.ts'
import { RecentRate } from './recent_rate.ts'
import type { WorkerObserver } from './worker.ts'

/** What is known of a source since this process began. */
export interface SourceStatus {
  readonly name: string
  readonly kind: string
  last_event_at_ms: number | null
  alerts: number
  samples: number
  rejects: number
  halted: number
  /** Over the last five minutes. */
  alerts_per_minute: number
}

/** A failure is logged at its first and every 50th attempt, so that a long outage does not fill the log. */
const LOG_EVERY_ATTEMPTS = 50

function foldOf(shard: Shard): { fold: string; topic: Topic } {
  const [fold = '', topic = ''] = shard.split('/')
  return { fold, topic: topic as Topic }
}

/** Of one partition's state. */
interface Sizes {
  readonly firing: number
  readonly unresolved: number
  readonly waiting: number
  readonly partners: number
}

/** Turns what the parts tell about themselves into metrics, log lines, and the status of sources. */
export class Observation
  implements WorkerObserver, IntakeObserver, SampleObserver, SparkplugObserver, MqttObserver, ConsumerObserver
{
  readonly sources = new Map<string, SourceStatus>()
  private readonly rates = new Map<string, RecentRate>()
  private readonly parts: {
    readonly metrics: Metrics
    readonly logger: Logger
    readonly clock: Clock
    readonly log: Log
    readonly on_fatal: () => void
  }
  private readonly positions = new Map<Shard, Position>()
  private readonly sizes = new Map<number, Sizes>()
  private readonly series = new Map<number, number>()
  private told_of_bound = false
  private plan_faults = ''

  constructor(parts: Observation['parts']) {
    this.parts = parts
  }

  owned(shard: Shard, owned: boolean): void {
    this.parts.metrics.owned_partitions.inc(foldOf(shard), owned ? 1 : -1)
    if (!owned) this.positions.delete(shard)
    this.parts.logger.debug({ shard, owned }, 'ownership')
  }

  committed(shard: Shard, position: Position): void {
    this.positions.set(shard, position)
  }

  batch(shard: Shard, batch: Parameters<WorkerObserver['batch']>[1]): void {
    const { metrics } = this.parts
    const { fold, topic } = foldOf(shard)
    metrics.entries_total.inc({ fold, topic }, batch.entries)
    metrics.fold_seconds.observe({ fold }, batch.fold_ms / 1_000)
    metrics.commit_seconds.observe({ fold }, batch.commit_ms / 1_000)
    metrics.lag_seconds.observe({ fold }, batch.record_age_ms / 1_000)
  }

  retrying(name: string, error: Retryable, attempt: number): void {
    this.parts.metrics.retries_total.inc({ fold: foldOf(name).fold, code: error.code })
    if (attempt % LOG_EVERY_ATTEMPTS === 1)
      this.parts.logger.warn({ at: name, code: error.code, attempt }, `${error.message}; trying again`)
  }

  fenced(shard: Shard): void {
    this.parts.metrics.fenced_total.inc({ fold: foldOf(shard).fold })
    this.parts.logger.info({ shard }, 'another owner committed; claiming again')
  }

  fatal(shard: Shard, error: unknown): void {
    this.parts.logger.fatal({ shard, err: error }, 'a fault of the program; the process ends')
    this.parts.on_fatal()
  }

  told(outcome: Outcome): void {
    const { metrics, logger } = this.parts
    for (const { kind } of outcome.changes) metrics.changes_total.inc({ kind })
    for (const { code } of outcome.unassigned) metrics.unassigned_total.inc({ code })
    if (outcome.skipped > 0) metrics.skipped_total.inc(outcome.skipped)
    if (outcome.unassigned.some(({ code }) => code === 'active-alerts-bound'))
      logger.error('too many alerts fire in one partition: further ones are left out of incidents')
  }

  detected({ told, counts }: DetectOutcome): void {
    const { metrics, logger } = this.parts
    const { readings, late, unwatched, suppressed } = counts
    const judged = readings - late - unwatched
    for (const [outcome, by] of Object.entries({ judged, late, unwatched }))
      if (by > 0) metrics.detect_readings_total.inc({ outcome }, by)
    const statements = told.reduce((sum, one) => sum + one.told.length, 0)
    if (statements > 0) metrics.detect_alerts_total.inc({ outcome: 'told' }, statements)
    if (suppressed > 0) metrics.detect_alerts_total.inc({ outcome: 'suppressed' }, suppressed)
    if (unwatched === 0 || this.told_of_bound) return
    this.told_of_bound = true
    logger.error('too many series in one partition or device: further ones are not watched')
  }

  watching({ partition, series, plan }: DetectState): void {
    this.series.set(partition, series.size)
    this.parts.metrics.watched_series.set([...this.series.values()].reduce((sum, size) => sum + size, 0))
    const faults = plan.faults.join('; ')
    if (faults === this.plan_faults) return
    this.plan_faults = faults
    if (faults !== '') this.parts.logger.error(`detectors of the log that this version cannot use: ${faults}`)
  }

  sized(state: State): void {
    const { metrics } = this.parts
    const { firing, unresolved, waiting } = state.derived
    this.sizes.set(state.partition, {
      firing,
      unresolved,
      waiting: waiting.count,
      partners: state.sightings.size,
    })
    const sum = (of: keyof Sizes) => [...this.sizes.values()].reduce((total, sizes) => total + sizes[of], 0)
    metrics.firing_alerts.set(sum('firing'))
    metrics.unresolved_incidents.set(sum('unresolved'))
    metrics.waiting_alerts.set(sum('waiting'))
    metrics.remembered_partners.set(sum('partners'))
  }

  accepted(source: string, alerts: number): void {
    this.parts.metrics.alerts_total.inc({ source }, alerts)
    const status = this.source(source)
    status.last_event_at_ms = this.parts.clock.now()
    status.alerts += alerts
    this.rateOf(source).add(alerts, this.parts.clock.now())
  }

  sampled(source: string, samples: number, dropped: number): void {
    const { metrics, clock } = this.parts
    metrics.samples_total.inc({ source }, samples)
    if (dropped > 0) metrics.samples_dropped_total.inc({ source }, dropped)
    const status = this.source(source)
    status.last_event_at_ms = clock.now()
    status.samples += samples
  }

  reborn(source: string, { gaps, rebirths }: Parameters<SparkplugObserver['reborn']>[1]): void {
    if (gaps > 0) this.parts.metrics.sparkplug_gaps_total.inc({ source }, gaps)
    if (rebirths > 0) this.parts.metrics.sparkplug_rebirths_total.inc({ source }, rebirths)
  }

  connected(source: string, connected: boolean): void {
    this.parts.metrics.source_connected.set({ source }, Number(connected))
  }

  waiting(source: string, messages: number): void {
    this.parts.metrics.source_waiting_messages.set({ source }, messages)
  }

  rejected(source: string, code: string): void {
    this.parts.metrics.rejects_total.inc({ source, code })
    const status = this.source(source)
    status.last_event_at_ms = this.parts.clock.now()
    status.rejects++
  }

  halted(source: string, topic: string, partition: number, halted: boolean): void {
    this.parts.metrics.halted_partitions.inc({ source }, halted ? 1 : -1)
    this.source(source).halted += halted ? 1 : -1
    if (halted)
      this.parts.logger.error(
        { source, topic, partition },
        'nearly everything in this partition is rejected: it is halted; see the dead letters, mend the format or the sender',
      )
    else this.parts.logger.info({ source, topic, partition }, 'the partition is read again')
  }

  attempted(action: Action, result: Result, row: DeliveryRow): void {
    if (result.kind === 'ok') return
    this.parts.metrics.retries_total.inc({
      fold: 'deliver',
      code: 'code' in result ? result.code : result.kind,
    })
    const level = result.kind === 'retry' ? 'warn' : 'error'
    if (row.attempts % LOG_EVERY_ATTEMPTS <= 1)
      this.parts.logger[level](
        {
          sink: row.sink,
          incident: row.incident_id,
          action,
          result: result.kind,
          error: row.error,
          attempts: row.attempts,
        },
        'a delivery did not succeed',
      )
  }

  /** The record fold's own observer: ClickHouse is up when it took something, down when it did not. */
  readonly recording: RecordObserver = {
    inserted: () => this.parts.metrics.history_up.set(1),
    retrying: (shard, error, attempt) => {
      this.parts.metrics.history_up.set(0)
      this.retrying(shard, error, attempt)
    },
    undecodable: (shard, position, error) =>
      this.parts.logger.error({ shard, position, err: error }, 'a log entry gives no history'),
  }

  source(name: string, kind = 'http'): SourceStatus {
    const known = this.sources.get(name) ?? {
      name,
      kind,
      last_event_at_ms: null,
      alerts: 0,
      samples: 0,
      rejects: 0,
      halted: 0,
      alerts_per_minute: 0,
    }
    this.sources.set(name, known)
    return known
  }

  /** Every source as it is now. */
  sourcesNow(): readonly SourceStatus[] {
    const now_ms = this.parts.clock.now()
    return [...this.sources.values()].map((status) => ({
      ...status,
      alerts_per_minute: this.rateOf(status.name).perMinute(now_ms),
    }))
  }

  private rateOf(source: string): RecentRate {
    const rate = this.rates.get(source) ?? new RecentRate()
    this.rates.set(source, rate)
    return rate
  }

  /** The text for scrapes; lag in records is found at that moment. */
  async metricsText(): Promise<{ content_type: string; text: string }> {
    const { metrics } = this.parts
    await this.measureLag().catch(() => metrics.lag_records.reset())
    return { content_type: metrics.registry.contentType, text: await metrics.registry.metrics() }
  }

  private async measureLag(): Promise<void> {
    const lags = new Map<string, { fold: string; topic: Topic; lag: number }>()
    const ends = new Map<Topic, readonly { readonly next: Position }[]>()
    for (const [shard, position] of this.positions) {
      const { fold, topic } = foldOf(shard)
      const bounds = ends.get(topic) ?? (await this.parts.log.bounds(topic))
      ends.set(topic, bounds)
      const partition = Number(shard.slice(shard.lastIndexOf('/') + 1))
      const lag = Math.max(0, (bounds[partition]?.next ?? position) - position)
      const sum = lags.get(`${fold}/${topic}`)?.lag ?? 0
      lags.set(`${fold}/${topic}`, { fold, topic, lag: sum + lag })
    }
    for (const { fold, topic, lag } of lags.values()) this.parts.metrics.lag_records.set({ fold, topic }, lag)
  }
}
