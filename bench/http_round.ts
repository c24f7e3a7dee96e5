import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpOrder, HttpResult } from './load/http.ts'
import { cpuSeconds, rssMegabytes, runScript, type Started, startTocsin } from './processes.ts'
import { type Figure, rounded } from './report.ts'
import { assertTaken, drained } from './tocsin_metrics.ts'

export interface Embedded extends Started {
  readonly data_dir: string
}

/** A tocsin of the embedded mode with a folder of its own; `yaml` is its configuration. */
export async function startEmbedded(yaml: string, cpu_profile_dir?: string): Promise<Embedded> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const config = join(folder, 'tocsin.yaml')
  writeFileSync(config, yaml)
  const data_dir = join(folder, 'data')
  const environment = { TOCSIN_DATA_DIR: data_dir, TOCSIN_LISTEN: '127.0.0.1:0' }
  const tocsin = await startTocsin(['--config', config], environment, cpu_profile_dir)
  return {
    ...tocsin,
    data_dir,
    async stop() {
      await tocsin.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * One load on a tocsin that was just started. The CPU time is that from the beginning of the measured time until every fold
 * named has caught up, so work that was put off counts.
 */
export async function measureTocsin(
  tocsin: Started,
  order: Omit<HttpOrder, 'url'>,
  folds: readonly string[],
): Promise<Record<string, Figure>> {
  const pid = tocsin.child.pid as number
  let began = 0
  let before = { own: 0, children: 0 }
  const result = await runScript<HttpResult>('./load/http.ts', { ...order, url: tocsin.url }, (event) => {
    if (event !== 'measuring') return
    began = performance.now()
    before = cpuSeconds(pid)
  })
  const figures = figuresOf(result)
  for (const fold of folds) {
    const seconds = ((await drained(tocsin.url, [fold])) - began) / 1_000
    const rate = Math.round(result.sent / Math.max(seconds, result.seconds))
    figures[`until_${fold}_done_alerts_per_s`] = rate
  }
  const cpu = cpuSeconds(pid)
  await assertTaken(tocsin.url, result.sent_in_all)
  return {
    ...figures,
    tocsin_cpu_us_per_alert: rounded(((cpu.own - before.own) * 1e6) / result.sent, 3),
    clickhouse_cpu_us_per_alert: rounded(((cpu.children - before.children) * 1e6) / result.sent, 3),
    tocsin_rss_mb: rssMegabytes(pid),
  }
}

/** What the load generator saw of any server. */
export function figuresOf(result: HttpResult): Record<string, Figure> {
  return {
    alerts_per_s: Math.round(result.sent / result.seconds),
    answer_p50_ms: result.answer_ms.p50,
    answer_p99_ms: result.answer_ms.p99,
    answer_max_ms: result.answer_ms.max,
    refused: result.refused,
    measured_s: rounded(result.seconds),
    generator_cpu_us_per_alert: result.cpu_us_per_alert,
  }
}
