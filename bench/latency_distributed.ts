import { measureLatency } from './latency.ts'
import type { BenchOptions } from './options.ts'
import type { Report } from './report.ts'
import { startServices } from './services.ts'

/** As the benchmark `latency`, with one tocsin over Kafka, Redis and ClickHouse on this machine. */
export function run(options: BenchOptions): Promise<Report> {
  return measureLatency('latency-distributed', options, async () => {
    const services = await startServices()
    const tocsin = await services.startWorker()
    return {
      url: tocsin.url,
      async stop() {
        await tocsin.stop()
        await services.stop()
      },
    }
  })
}
