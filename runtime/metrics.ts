import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Every metric of the program. Labels are few and bounded: topic, fold, source, sink, state, code, never an entity. */
export class Metrics {
  readonly registry = new Registry()
  readonly alerts_total = this.counter('tocsin_alerts_total', 'Alerts taken, repeats included, by source.', [
    'source',
  ])
  readonly samples_total = this.counter('tocsin_samples_total', 'Readings taken, by source.', ['source'])
  readonly samples_dropped_total = this.counter(
    'tocsin_samples_dropped_total',
    'Readings left out because they are no numbers (texts, native histograms), by source.',
    ['source'],
  )
  readonly source_connected = this.gauge(
    'tocsin_source_connected',
    'Is there a connection to the MQTT broker of the source (1), or none (0)?',
    ['source'],
  )
  readonly source_waiting_messages = this.gauge(
    'tocsin_source_waiting_messages',
    'Messages heard from the MQTT broker of the source and not durable yet.',
    ['source'],
  )
  readonly sparkplug_gaps_total = this.counter(
    'tocsin_sparkplug_gaps_total',
    'Messages of Sparkplug before which others were missing, by source.',
    ['source'],
  )
  readonly sparkplug_rebirths_total = this.counter(
    'tocsin_sparkplug_rebirths_total',
    'Edge nodes of Sparkplug that were asked for their births, by source.',
    ['source'],
  )
  readonly rejects_total = this.counter(
    'tocsin_rejects_total',
    'Alerts, series of readings and messages refused, by source and reason.',
    ['source', 'code'],
  )
  readonly entries_total = this.counter(
    'tocsin_log_entries_total',
    'Log entries folded, by fold and topic.',
    ['fold', 'topic'],
  )
  readonly changes_total = this.counter('tocsin_changes_total', 'Changes of incidents, by kind.', ['kind'])
  readonly unassigned_total = this.counter(
    'tocsin_alerts_unassigned_total',
    'Alerts that came into no incident, by reason.',
    ['code'],
  )
  readonly skipped_total = this.counter(
    'tocsin_alerts_skipped_total',
    'Alerts that a source repeated after a crash and that were had before.',
    [],
  )
  readonly detect_readings_total = this.counter(
    'tocsin_detect_readings_total',
    'Readings folded by detectors, by what became of them: judged, late (or twice), unwatched (beyond the bounds of series).',
    ['outcome'],
  )
  readonly detect_alerts_total = this.counter(
    'tocsin_detect_alerts_total',
    'Statements of detectors, by outcome: told (begins and ends, and what a replay repeats), suppressed (the machine stands, or of the past).',
    ['outcome'],
  )
  readonly retries_total = this.counter(
    'tocsin_retries_total',
    'Failures of the world outside that were tried again, by fold and code.',
    ['fold', 'code'],
  )
  readonly fenced_total = this.counter(
    'tocsin_fenced_total',
    'Commits refused because the partition had a new owner, by fold.',
    ['fold'],
  )
  readonly fold_seconds = this.histogram('tocsin_fold_seconds', 'Time to decide one batch, by fold.', [
    'fold',
  ])
  readonly commit_seconds = this.histogram('tocsin_commit_seconds', 'Time to commit one batch, by fold.', [
    'fold',
  ])
  readonly lag_seconds = this.histogram(
    'tocsin_lag_seconds',
    'Age of a record when its batch was committed, by fold.',
    ['fold'],
  )
  readonly lag_records = this.gauge('tocsin_lag_records', 'Log entries not folded yet, by fold and topic.', [
    'fold',
    'topic',
  ])
  readonly owned_partitions = this.gauge(
    'tocsin_owned_partitions',
    'Partitions that this process owns, by fold and topic.',
    ['fold', 'topic'],
  )
  readonly firing_alerts = this.gauge(
    'tocsin_firing_alerts',
    'Alerts that fire in the partitions owned here.',
    [],
  )
  readonly unresolved_incidents = this.gauge(
    'tocsin_unresolved_incidents',
    'Incidents not resolved in the partitions owned here.',
    [],
  )
  readonly watched_series = this.gauge(
    'tocsin_watched_series',
    'Series that detectors watch in the partitions owned here (bounded by partition; further ones are not watched).',
    [],
  )
  readonly waiting_alerts = this.gauge(
    'tocsin_waiting_alerts',
    'Alerts in no incident yet, because a rule opens one only when more of their group came.',
    [],
  )
  readonly remembered_partners = this.gauge(
    'tocsin_remembered_partners',
    'What pair rules remember of alerts that came (bounded by partition; beyond that, pairs are missed).',
    [],
  )
  readonly deliveries = this.gauge(
    'tocsin_deliveries',
    'Deliveries of the partitions owned here, by sink and state.',
    ['sink', 'state'],
  )
  readonly halted_partitions = this.gauge(
    'tocsin_halted_source_partitions',
    'Source partitions halted because nearly everything was rejected, by source.',
    ['source'],
  )
  readonly failing_tables = this.gauge(
    'tocsin_failing_tables',
    'Whether the file of a look-up table cannot be read as it is now (1), so that what was read before holds on.',
    ['table'],
  )
  readonly history_up = this.gauge(
    'tocsin_history_up',
    'Whether ClickHouse answered last (1) or not (0).',
    [],
  )
  readonly http_seconds = this.histogram(
    'tocsin_http_request_seconds',
    'Time to answer a request, by route and status class.',
    ['route', 'status'],
  )

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  private counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  private gauge<T extends string>(name: string, help: string, labelNames: T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  private histogram<T extends string>(name: string, help: string, labelNames: T[]): Histogram<T> {
    return new Histogram({
      name,
      help,
      labelNames,
      registers: [this.registry],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    })
  }
}
