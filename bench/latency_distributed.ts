import { measureAll, parametersOf } from './latency.ts'
import type { BenchOptions } from './options.ts'
import type { Report } from './report.ts'
import { startServices } from './services.ts'

/** As the benchmark `latency`, with one tocsin over Kafka, Redis and ClickHouse on this machine. */
export async function run({ seconds }: BenchOptions): Promise<Report> {
  const figures = await measureAll(seconds, async () => {
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
  return { name: 'latency-distributed', parameters: parametersOf(seconds), figures }
}
