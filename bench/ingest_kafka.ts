import { measureFromTopic } from './distributed.ts'
import type { BenchOptions } from './options.ts'
import type { Report } from './report.ts'

/** From a user's topic into the alerts log, acknowledged by the broker: nothing is folded, told or recorded. */
export function run(options: BenchOptions): Promise<Report> {
  const yaml = 'parts: [api, ingest]\nhistory: {enabled: false}\n'
  return measureFromTopic({ name: 'ingest-kafka', yaml, folds: [], workers: [1] }, options)
}
