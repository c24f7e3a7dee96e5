import type { History } from '../analytics/connection.ts'
import { RECORDED_TOPICS, RecordFold } from '../analytics/writer.ts'
import { DeliverFold } from '../notify/deliver_fold.ts'
import { makeSink } from '../notify/sinks/registry.ts'
import type { Loaded } from './config.ts'
import { readTopologyFile } from './topology_files.ts'
import { DetectFold } from './detect_fold.ts'
import { Correlator } from './correlator.ts'
import type { Metrics } from './metrics.ts'
import type { Observation } from './observation.ts'
import type { Clock } from './ports.ts'
import { RestFold } from './rest_fold.ts'
import type { Tracing } from './tracing.ts'
import type { World } from './wire.ts'
import { Worker } from './worker.ts'

/** Attempts of one sink at once, for each partition of incidents. */
const ATTEMPTS_MAX = 4

export interface FoldParts {
  readonly loaded: Loaded
  readonly world: World
  readonly clock: Clock
  readonly metrics: Metrics
  readonly observation: Observation
  readonly tracing: Tracing
  readonly history: History | null
  readonly public_url: string
}

/** One worker for each fold that this process takes part in. */
export function makeWorkers(parts: FoldParts): Worker[] {
  const wanted = parts.loaded.config.parts
  const workers: Worker[] = []
  if (wanted.includes('detect')) workers.push(detectWorker(parts), restWorker(parts))
  if (wanted.includes('correlate')) workers.push(correlateWorker(parts))
  // Without sinks too: a sink that is added later begins with what happens then, not with the whole past.
  if (wanted.includes('deliver')) workers.push(deliverWorker(parts))
  if (wanted.includes('record') && parts.history) workers.push(...recordWorkers(parts, parts.history))
  return workers
}

function common({ world, clock, observation, tracing }: FoldParts) {
  return { log: world.log, store: world.store, clock, observer: observation, tracing }
}

function detectWorker(parts: FoldParts): Worker {
  const { world, clock, observation, loaded } = parts
  return new Worker({
    ...common(parts),
    name: 'detect',
    topic: 'samples',
    make: (partition) =>
      new DetectFold({
        partition,
        rules: loaded.detect_rules,
        alerts_partitions: world.log.partitions('alerts'),
        deadletters_partitions: world.log.partitions('deadletters'),
        now: () => clock.now(),
        begin: async () => (await world.log.bounds('samples'))[partition]?.first ?? 0,
        detected: (outcome) => observation.detected(outcome),
        watching: (state) => observation.watching(state),
      }),
  })
}

function restWorker(parts: FoldParts): Worker {
  const { world, loaded } = parts
  return new Worker({
    ...common(parts),
    name: 'rest',
    topic: 'incidents',
    make: () =>
      new RestFold({
        entity_labels: loaded.detect_rules.entity_labels,
        samples_partitions: world.log.partitions('samples'),
      }),
  })
}

function correlateWorker(parts: FoldParts): Worker {
  const { world, observation, loaded } = parts
  const topologies = loaded.config.topology.map(({ name, file, scope }) =>
    readTopologyFile(name, file, scope),
  )
  return new Worker({
    ...common(parts),
    name: 'correlate',
    topic: 'alerts',
    make: (partition) =>
      new Correlator({
        partition,
        rules: loaded.rules,
        topologies,
        incidents_partitions: world.log.partitions('incidents'),
        deadletters_partitions: world.log.partitions('deadletters'),
        told: (outcome) => observation.told(outcome),
        sized: (state) => observation.sized(state),
      }),
  })
}

function deliverWorker(parts: FoldParts): Worker {
  const { world, clock, metrics, observation, loaded } = parts
  const sinks = loaded.config.sinks.map((sink) =>
    makeSink(sink, {
      secret: loaded.secret,
      now: () => clock.now(),
      public_url: parts.public_url,
      publisher: (config) => world.topicPublisher(config),
    }),
  )
  return new Worker({
    ...common(parts),
    name: 'deliver',
    topic: 'incidents',
    make: (partition) =>
      new DeliverFold({
        partition,
        sinks,
        clock,
        attempts_max: ATTEMPTS_MAX,
        alerts_partitions: world.log.partitions('alerts'),
        deadletters_partitions: world.log.partitions('deadletters'),
        attempted: (action, result, row) => observation.attempted(action, result, row),
        counted: (sink, state, by) => metrics.deliveries.inc({ sink, state }, by),
      }),
  })
}

function recordWorkers(parts: FoldParts, history: History): Worker[] {
  const { clock, observation, loaded } = parts
  return RECORDED_TOPICS.map(
    (topic) =>
      new Worker({
        ...common(parts),
        name: 'record',
        topic,
        make: (partition) =>
          new RecordFold({
            topic,
            partition,
            client: history.ready,
            clock,
            observer: observation.recording,
            flush_interval_ms: loaded.config.history.flush_interval_ms,
          }),
      }),
  )
}
