import { setTimeout as pause } from 'node:timers/promises'
import { History } from './history_rows.ts'
import { Place } from './http_round.ts'
import { THROUGHPUT_MIXES, type Mix } from './load/bodies.ts'
import type { HttpResult } from './load/http.ts'
import { httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { cpuSeconds, rssMegabytes, runScript } from './processes.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'
import { assertTaken, drained, TocsinMetrics } from './tocsin_metrics.ts'

const ROUNDS = 3
const DISTINCT = 20_000
const FOLDED = 'log_level: error\nparts: [api, ingest, correlate, deliver]\n'
const RECORDED = 'log_level: error\nparts: [api, record]\n'
const LOOK_EVERY_MS = 20

/** The writer alone: logs that others filled and nobody recorded, read and written to ClickHouse by a process that does nothing else. */
export async function run(options: BenchOptions): Promise<Report> {
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? ROUNDS); round++) {
    const figures: Record<string, Figure> = {}
    for (const mix of options.mixes ?? THROUGHPUT_MIXES) {
      const found = await measure(mix, options, round)
      for (const [name, figure] of Object.entries(found)) figures[`${mix}_${name}`] = figure
    }
    rounds.push(figures)
  }
  const { seconds } = options
  const distinct = options.distinct?.[0] ?? DISTINCT
  return { name: 'history', parameters: { seconds, distinct, rounds: rounds.length }, ...summarise(rounds) }
}

async function measure(mix: Mix, options: BenchOptions, round: number): Promise<Record<string, Figure>> {
  const place = new Place(FOLDED)
  try {
    const alerts = await fill(place, mix, options, round)
    place.configure(RECORDED)
    const tocsin = await place.start()
    try {
      const pid = tocsin.child.pid as number
      await historyUp(tocsin.url)
      const before = cpuSeconds(pid)
      const began = performance.now()
      const history = History.of(place.data_dir)
      await history.recorded(alerts)
      await drained(tocsin.url, 'record')
      const seconds = (performance.now() - began) / 1_000
      const cpu = cpuSeconds(pid)
      const rows = await history.rows()
      await history.close()
      const per = (used: number, count: number) => rounded((used * 1e6) / count, 3)
      return {
        rows_per_s: Math.round(rows / seconds),
        alerts_per_s: Math.round(alerts / seconds),
        rows,
        alerts,
        tocsin_cpu_us_per_row: per(cpu.own - before.own, rows),
        clickhouse_cpu_us_per_row: per(cpu.children - before.children, rows),
        tocsin_rss_mb: rssMegabytes(pid),
      }
    } finally {
      await tocsin.stop()
    }
  } finally {
    place.remove()
  }
}

/** Alerts in the log, folded, with nothing recorded. */
async function fill(place: Place, mix: Mix, options: BenchOptions, round: number): Promise<number> {
  const tocsin = await place.start()
  try {
    const distinct = options.distinct?.[0] ?? DISTINCT
    const order = httpOrder({ ...options, url: tocsin.url, mix, distinct, round })
    const { sent_in_all } = await runScript<HttpResult>('./load/http.ts', order)
    for (const fold of ['correlate', 'deliver']) await drained(tocsin.url, fold)
    await assertTaken([tocsin.url], sent_in_all)
    return sent_in_all
  } finally {
    await tocsin.stop()
  }
}

/** The first rows are taken when ClickHouse is up; its start is not what is measured. */
async function historyUp(url: string): Promise<void> {
  while ((await TocsinMetrics.of(url)).sum('tocsin_history_up') === 0) await pause(LOOK_EVERY_MS)
}
