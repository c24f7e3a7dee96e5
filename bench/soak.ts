import { setTimeout as pause } from 'node:timers/promises'
import { Place } from './http_round.ts'
import type { HttpResult } from './load/http.ts'
import { HTTP_BATCH, httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { childrenRssMegabytes, rssMegabytes, runScript } from './processes.ts'
import { type Report, rounded } from './report.ts'
import { assertTaken, drained, TocsinMetrics } from './tocsin_metrics.ts'

const RATE_PER_S = 10_000
const DISTINCT = 20_000
const SAMPLES = 360
const SAMPLE_EVERY_MIN_MS = 1_000
/** Caches and compiled code fill up at first; the slope is that of the rest. */
const SETTLING_SHARE = 0.25

/** Whether memory stays flat under a given load for a long time: samples, and the slope of a straight line through them. */
export async function run(options: BenchOptions): Promise<Report> {
  const { seconds, connections } = options
  const distinct = options.distinct?.[0] ?? DISTINCT
  const rate = options.rate ?? RATE_PER_S
  const mix = options.mixes?.[0] ?? 'churn'
  const place = new Place('log_level: error\n')
  const tocsin = await place.start()
  try {
    const order = httpOrder({ ...options, url: tocsin.url, mix, distinct, round: 0, rate })
    const sampling = new AbortController()
    let samples: Promise<Series> | null = null
    const result = await runScript<HttpResult>('./load/http.ts', order, (event) => {
      if (event === 'measuring')
        samples = sample(tocsin, Math.max(SAMPLE_EVERY_MIN_MS, (seconds * 1_000) / SAMPLES), sampling.signal)
      if (event === 'measured') sampling.abort()
    })
    const series = await (samples ?? Promise.reject(new Error('the load was never measured')))
    for (const fold of ['correlate', 'deliver', 'record']) await drained(tocsin.url, fold)
    await assertTaken([tocsin.url], result.sent_in_all)
    return {
      name: 'soak',
      parameters: { mix, seconds, rate, distinct, connections, batch: options.batch ?? HTTP_BATCH },
      figures: {
        alerts_per_s: Math.round(result.sent / result.seconds),
        refused: result.refused,
        ...trends(series),
      },
      series,
    }
  } finally {
    await tocsin.stop()
    place.remove()
  }
}

type Series = Record<'at_s' | 'rss_mb' | 'heap_mb' | 'external_mb' | 'clickhouse_rss_mb', number[]>

async function sample(
  { url, child }: { readonly url: string; readonly child: { readonly pid?: number | undefined } },
  every_ms: number,
  signal: AbortSignal,
): Promise<Series> {
  const series: Series = { at_s: [], rss_mb: [], heap_mb: [], external_mb: [], clickhouse_rss_mb: [] }
  const pid = child.pid as number
  const began = performance.now()
  while (!signal.aborted) {
    const metrics = await TocsinMetrics.of(url)
    series.at_s.push(rounded((performance.now() - began) / 1_000, 1))
    series.rss_mb.push(rssMegabytes(pid))
    series.heap_mb.push(rounded(metrics.sum('nodejs_heap_size_used_bytes') / 2 ** 20, 1))
    series.external_mb.push(rounded(metrics.sum('nodejs_external_memory_bytes') / 2 ** 20, 1))
    series.clickhouse_rss_mb.push(childrenRssMegabytes(pid))
    await pause(every_ms)
  }
  return series
}

/** Of each kind of memory: at the beginning and the end of the time that counts, and the slope between. */
function trends({ at_s, ...kinds }: Series): Record<string, number> {
  const from = Math.floor(at_s.length * SETTLING_SHARE)
  const hours = at_s.slice(from).map((seconds) => seconds / 3_600)
  const figures: Record<string, number> = { samples: hours.length }
  for (const [kind, all] of Object.entries(kinds)) {
    const values = all.slice(from)
    const { slope, slope_error } = line(hours, values)
    const unit = kind.replace(/_mb$/, '')
    figures[`${unit}_first_mb`] = values[0] ?? Number.NaN
    figures[`${unit}_last_mb`] = values.at(-1) ?? Number.NaN
    figures[`${unit}_max_mb`] = Math.max(...values)
    figures[`${unit}_slope_mb_per_hour`] = rounded(slope, 1)
    figures[`${unit}_slope_standard_error`] = rounded(slope_error, 1)
  }
  return figures
}

/** Least squares. The error takes the samples for independent, which they are not quite. */
function line(xs: readonly number[], ys: readonly number[]): { slope: number; slope_error: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const x_mean = mean(xs)
  const y_mean = mean(ys)
  const sxx = xs.reduce((sum, x) => sum + (x - x_mean) ** 2, 0)
  const slope = xs.reduce((sum, x, i) => sum + (x - x_mean) * ((ys[i] ?? 0) - y_mean), 0) / sxx
  const squares = xs.reduce((sum, x, i) => sum + ((ys[i] ?? 0) - y_mean - slope * (x - x_mean)) ** 2, 0)
  return { slope, slope_error: Math.sqrt(squares / (xs.length - 2) / sxx) }
}
