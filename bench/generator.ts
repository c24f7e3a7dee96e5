import { MIXES } from './load/bodies.ts'
import type { HttpResult } from './load/http.ts'
import { httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { runScript, startScript } from './processes.ts'
import { type Figure, type Report, summarise } from './report.ts'

const ROUNDS = 3
const DISTINCT = [20_000]

/** What the load generator itself reaches and costs, against a server that does nothing: the ceiling of all figures over HTTP. */
export async function run(options: BenchOptions): Promise<Report> {
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? ROUNDS); round++) {
    const found: Record<string, Figure> = {}
    for (const distinct of options.distinct ?? DISTINCT)
      for (const mix of options.mixes ?? MIXES) {
        const sink = await startScript('./load/sink.ts')
        try {
          const order = httpOrder({ ...options, url: sink.url, mix, distinct, round })
          const result = await runScript<HttpResult>('./load/http.ts', order)
          const key = `${mix}_${distinct / 1_000}k`
          found[`${key}_alerts_per_s`] = Math.round(result.sent / result.seconds)
          found[`${key}_generator_cpu_us_per_alert`] = result.cpu_us_per_alert
          found[`${key}_bytes_per_alert`] = result.bytes_per_alert
        } finally {
          await sink.stop()
        }
      }
    rounds.push(found)
  }
  const { seconds, warmup_seconds, batch, connections } = options
  return {
    name: 'load',
    parameters: { seconds, warmup_seconds, batch, connections, rounds: rounds.length },
    ...summarise(rounds),
  }
}
