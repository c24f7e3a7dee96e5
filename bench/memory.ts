import { setTimeout as pause } from 'node:timers/promises'
import { makeActive, Place } from './http_round.ts'
import { Inspector, type Memory } from './inspector.ts'
import type { LoadShape } from './load/alerts.ts'
import type { HttpResult } from './load/http.ts'
import { httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { cpuSeconds, rssMegabytes, runScript } from './processes.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'
import { LASTING } from './restart.ts'

const DISTINCT = 200_000
/** Prometheus repeats what fires about once a minute. */
const REPEATED_EVERY_S = 60

/**
 * What active alerts hold of the memory of the whole process, and what they cost when nothing changes: while nobody sends
 * anything, and while each is repeated once a minute.
 */
export async function run(options: BenchOptions): Promise<Report> {
  const distinct = options.distinct?.[0] ?? DISTINCT
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? 1); round++) rounds.push(await measure(distinct, options))
  return {
    name: 'memory',
    parameters: { active_alerts: distinct, seconds: options.seconds, rounds: rounds.length },
    ...summarise(rounds),
  }
}

async function measure(distinct: number, options: BenchOptions): Promise<Record<string, Figure>> {
  const place = new Place(LASTING)
  const inspector = await Inspector.onFreePort()
  const tocsin = await place.start(inspector.arguments_of_node)
  try {
    const pid = tocsin.child.pid as number
    const empty = await inspector.memory()
    const shape = await makeActive(tocsin.url, distinct)
    const rss_before_collection_mb = rssMegabytes(pid)
    const full = await inspector.memory()
    const idle = await cores(pid, () => pause(options.seconds * 1_000))
    const repeated = await cores(pid, () => repeatSlowly(tocsin.url, shape, options.seconds))
    const perAlert = (of: keyof Memory) => Math.round((full[of] - empty[of]) / distinct)
    return {
      bytes_per_active_alert: perAlert('rss'),
      heap_bytes_per_active_alert: perAlert('heapUsed'),
      external_bytes_per_active_alert: perAlert('external'),
      rss_empty_mb: megabytes(empty.rss),
      rss_full_mb: megabytes(full.rss),
      rss_before_collection_mb,
      idle_tocsin_cores: rounded(idle.own, 4),
      idle_clickhouse_cores: rounded(idle.children, 4),
      repeated_each_minute_tocsin_cores: rounded(repeated.own, 4),
      repeated_each_minute_clickhouse_cores: rounded(repeated.children, 4),
    }
  } finally {
    await tocsin.stop()
    place.remove()
  }
}

async function repeatSlowly(url: string, shape: LoadShape, seconds: number): Promise<void> {
  const { distinct } = shape
  const load = { batch: undefined, connections: 1, warmup_seconds: 0.1, seconds }
  const rate = distinct / REPEATED_EVERY_S
  const order = httpOrder({ ...load, url, mix: 'repeats', distinct, round: 0, rate })
  await runScript<HttpResult>('./load/http.ts', { ...order, shape, warm: false })
}

/** Cores that a process and its children keep busy meanwhile. */
async function cores(pid: number, act: () => Promise<unknown>): Promise<{ own: number; children: number }> {
  const before = cpuSeconds(pid)
  const began = performance.now()
  await act()
  const seconds = (performance.now() - began) / 1_000
  const after = cpuSeconds(pid)
  return { own: (after.own - before.own) / seconds, children: (after.children - before.children) / seconds }
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20)
