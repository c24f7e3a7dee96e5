import { ALERTS_PER_MESSAGE, type KafkaRound, measureKafka } from './kafka_round.ts'
import { THROUGHPUT_MIXES } from './load/bodies.ts'
import type { BenchOptions } from './options.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'
import { SOURCE } from './services.ts'

/** What is produced for each second that the benchmark is to take; it takes as long as it takes. */
const ALERTS_PER_SECOND = 40_000
const DISTINCT = [20_000]
const WORKERS = [1, 2]
const FOLDS = [
  { fold: 'correlate', topic: 'alerts' },
  { fold: 'deliver', topic: 'incidents' },
  { fold: 'record', topic: 'incidents' },
  { fold: 'record', topic: 'alerts' },
]

/** The whole way through Kafka, Redis and ClickHouse, all on this machine: from a user's topic to the last row of history. */
export function run(options: BenchOptions): Promise<Report> {
  return measureFromTopic({ name: 'distributed', yaml: '', folds: FOLDS, workers: WORKERS }, options)
}

export interface TopicSubject extends Pick<KafkaRound, 'yaml' | 'folds'> {
  readonly name: string
  /** Numbers of processes to try. */
  readonly workers: readonly number[]
}

export async function measureFromTopic(subject: TopicSubject, options: BenchOptions): Promise<Report> {
  const alerts = options.seconds * ALERTS_PER_SECOND
  const batch = options.batch ?? ALERTS_PER_MESSAGE
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? 1); round++) {
    const figures: Record<string, Figure> = {}
    for (const distinct of options.distinct ?? DISTINCT)
      for (const mix of options.mixes ?? THROUGHPUT_MIXES) {
        const key = `${mix}_${distinct / 1_000}k`
        for (const workers of subject.workers) {
          const found = await measureKafka({ ...subject, mix, distinct, batch, alerts, round, workers })
          for (const [name, figure] of Object.entries(found)) figures[`${key}_${workers}w_${name}`] = figure
        }
        const rateOf = (workers: number) => Number(figures[`${key}_${workers}w_alerts_per_s`])
        if (subject.workers.includes(2)) figures[`${key}_2w_to_1w`] = rounded(rateOf(2) / rateOf(1))
      }
    rounds.push(figures)
  }
  return {
    name: subject.name,
    parameters: { alerts, alerts_per_message: batch, partitions: SOURCE.partitions, rounds: rounds.length },
    ...summarise(rounds),
  }
}
