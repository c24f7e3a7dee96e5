import { setTimeout as pause } from 'node:timers/promises'
import { startEmbedded } from './http_round.ts'
import type { Mix } from './load/bodies.ts'
import type { HttpResult } from './load/http.ts'
import { httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { Probes, PROBES_APART } from './probes.ts'
import { runScript, type Started } from './processes.ts'
import { type Figure, quantile, type Report, rounded, summarise } from './report.ts'

const LOAD_PER_S = 10_000
const LOAD_BATCH = 100
const DISTINCT = 20_000
const PROBES_PER_S = 50
const MIXES = ['repeats', 'new'] as const satisfies readonly Mix[]
const ROUNDS = 3
const APART = `log_level: error\nrules: {grouping: [${PROBES_APART}]}\n`

/** From posting an alert that opens an incident until its change arrives on the event stream: idle, and beside a given load. */
export function run(options: BenchOptions): Promise<Report> {
  return measureLatency('latency', options, () => startEmbedded(APART))
}

/** The same over whatever tocsin is given; `start` is called for each measurement anew. */
export async function measureLatency(
  name: string,
  options: BenchOptions,
  start: () => Promise<Pick<Started, 'url' | 'stop'>>,
): Promise<Report> {
  const rate = options.rate ?? LOAD_PER_S
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? ROUNDS); round++) {
    const figures: Record<string, Figure> = {}
    for (const beside of [null, ...(options.mixes ?? MIXES)]) {
      const tocsin = await start()
      try {
        const found = await measureBeside(beside, { ...options, rate }, tocsin.url, round)
        for (const [key, figure] of Object.entries(found)) figures[`${beside ?? 'idle'}_${key}`] = figure
      } finally {
        await tocsin.stop()
      }
    }
    rounds.push(figures)
  }
  return {
    name,
    parameters: {
      seconds: options.seconds,
      probes_per_s: PROBES_PER_S,
      load_alerts_per_s: rate,
      batch: options.batch ?? LOAD_BATCH,
      distinct: options.distinct?.[0] ?? DISTINCT,
      rounds: rounds.length,
    },
    ...summarise(rounds),
  }
}

async function measureBeside(
  mix: Mix | null,
  options: BenchOptions,
  url: string,
  round: number,
): Promise<Record<string, Figure>> {
  const load = mix && loadOf(mix, options, url, round)
  await (load?.measuring ?? pause(options.warmup_seconds * 1_000))
  const probes = await Probes.open(url)
  const found = await probes.run(PROBES_PER_S, options.seconds)
  const sent = await load?.result
  const ms = (values: readonly number[], q: number) => rounded(quantile(values, q))
  return {
    change_p50_ms: ms(found.changes_ms, 0.5),
    change_p99_ms: ms(found.changes_ms, 0.99),
    change_max_ms: ms(found.changes_ms, 1),
    answer_p50_ms: ms(found.answers_ms, 0.5),
    answer_p99_ms: ms(found.answers_ms, 0.99),
    probes: found.changes_ms.length,
    ...(sent && {
      load_alerts_per_s: Math.round(sent.sent / sent.seconds),
      load_generator_cpu_us_per_alert: sent.cpu_us_per_alert,
    }),
  }
}

/** The load goes on until the last probe was sent; `measuring` resolves when its warm-up is over. */
function loadOf(
  mix: Mix,
  options: BenchOptions,
  url: string,
  round: number,
): { readonly measuring: Promise<void>; readonly result: Promise<HttpResult> } {
  const { promise: measuring, resolve, reject } = Promise.withResolvers<undefined>()
  const distinct = options.distinct?.[0] ?? DISTINCT
  const order = httpOrder({ ...options, url, mix, distinct, round, batch: options.batch ?? LOAD_BATCH })
  const result = runScript<HttpResult>('./load/http.ts', order, (event) => {
    if (event === 'measuring') resolve(undefined)
  })
  result.catch(reject)
  return { measuring, result }
}
