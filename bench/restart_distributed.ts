import type { BenchOptions } from './options.ts'
import type { Report } from './report.ts'
import { measureRestarts } from './restart.ts'
import { startServices } from './services.ts'

/** As the benchmark `restart`, with one tocsin over Kafka, Redis and ClickHouse on this machine. After kill -9 the broker waits for the session of the group to end. */
export async function run(options: BenchOptions): Promise<Report> {
  const services = await startServices()
  try {
    return await measureRestarts('restart-distributed', options, () => services.startWorker())
  } finally {
    await services.stop()
  }
}
