import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpOrder, HttpResult } from './load/http.ts'
import type { BenchOptions } from './main.ts'
import { cpuSeconds, rssMegabytes, runScript, startTocsin } from './processes.ts'
import { type Figure, type Report, rounded } from './report.ts'

const SHAPE = { seed: 1, distinct: 20_000, per_group: 100 }
const BATCH = 500
const CONNECTIONS = 4
const MIXES = ['repeats', 'mixed', 'new'] as const

/** The whole way over HTTP on this machine: answered when durable, folded, told, recorded. Load comes from a process of its own. */
export async function run({ seconds, peer }: BenchOptions): Promise<Report> {
  const figures: Record<string, Figure> = {}
  for (const mix of MIXES) {
    Object.assign(figures, await measureTocsin(mix, seconds))
    if (peer !== undefined)
      Object.assign(figures, await measurePeer(peer, mix, seconds, Number(figures[`${mix}_alerts_per_s`])))
  }
  return {
    name: 'embedded',
    parameters: { ...SHAPE, batch: BATCH, connections: CONNECTIONS, seconds, peer: peer ?? null },
    figures,
  }
}

function order(url: string, mix: HttpOrder['mix'], seconds: number): HttpOrder {
  return {
    url,
    shape: { ...SHAPE, started_at_ms: Date.now() },
    batch: BATCH,
    connections: CONNECTIONS,
    warm: true,
    mix,
    seconds,
    rate: 0,
  }
}

async function measureTocsin(mix: HttpOrder['mix'], seconds: number): Promise<Record<string, Figure>> {
  const data_dir = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const tocsin = await startTocsin([], { TOCSIN_DATA_DIR: data_dir, TOCSIN_LISTEN: '127.0.0.1:0' })
  const pid = tocsin.child.pid as number
  try {
    const result = await runScript<HttpResult>('./load/http.ts', order(tocsin.url, mix, seconds))
    const drained_s = await drained(tocsin.url)
    const cpu = cpuSeconds(pid)
    const alerts = result.sent + SHAPE.distinct
    return {
      [`${mix}_alerts_per_s`]: Math.round(result.sent / result.seconds),
      [`${mix}_until_folded_alerts_per_s`]: Math.round(result.sent / (result.seconds + drained_s)),
      [`${mix}_answer_p50_ms`]: result.answer_ms.p50,
      [`${mix}_answer_p99_ms`]: result.answer_ms.p99,
      [`${mix}_refused`]: result.refused,
      [`${mix}_tocsin_cpu_us_per_alert`]: rounded((cpu.own * 1e6) / alerts),
      [`${mix}_clickhouse_cpu_us_per_alert`]: rounded((cpu.children * 1e6) / alerts),
      [`${mix}_tocsin_rss_mb`]: rssMegabytes(pid),
    }
  } finally {
    await tocsin.stop()
    rmSync(data_dir, { recursive: true, force: true })
  }
}

/** Seconds until every fold but the history has caught up. */
async function drained(url: string): Promise<number> {
  const began = performance.now()
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text()
    const lag = /tocsin_lag_records\{fold="correlate",topic="alerts"\} (\d+)/.exec(text)?.[1]
    if (lag === undefined || lag === '0') return (performance.now() - began) / 1_000
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function measurePeer(
  peer: string,
  mix: HttpOrder['mix'],
  seconds: number,
  ours: number,
): Promise<Record<string, Figure>> {
  const result = await runScript<HttpResult>('./load/http.ts', order(peer, mix, seconds))
  const theirs = Math.round(result.sent / result.seconds)
  return { [`${mix}_peer_alerts_per_s`]: theirs, [`${mix}_ratio_to_peer`]: rounded(ours / theirs) }
}
