import { measureOverHttp } from './embedded.ts'
import type { BenchOptions } from './options.ts'
import type { Report } from './report.ts'

/** What taking alerts in over HTTP costs until they are durable: nothing is folded, told or recorded. */
export function run(options: BenchOptions): Promise<Report> {
  const yaml = 'log_level: error\nparts: [api, ingest]\nhistory: {enabled: false}\n'
  return measureOverHttp({ name: 'ingest-http', yaml, folds: [] }, options)
}
