import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { History } from './history_rows.ts'
import type { LoadShape } from './load/alerts.ts'
import type { HttpOrder, HttpResult } from './load/http.ts'
import { httpOrder } from './load_order.ts'
import { cpuSeconds, rssMegabytes, runScript, type Started, startTocsin } from './processes.ts'
import { type Figure, rounded } from './report.ts'
import { assertTaken, drained, TocsinMetrics } from './tocsin_metrics.ts'

const ACTIVE_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 20

/** A folder in which tocsins of the embedded mode may run one after the other. */
export class Place {
  readonly data_dir: string
  private readonly folder: string
  private readonly config: string

  /** `yaml` is the configuration. */
  constructor(yaml: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
    this.data_dir = join(this.folder, 'data')
    this.config = join(this.folder, 'tocsin.yaml')
    writeFileSync(this.config, yaml)
  }

  /** `arguments_of_node`: for the process itself, before its script. */
  start(arguments_of_node: readonly string[] = []): Promise<Started> {
    const environment = { TOCSIN_DATA_DIR: this.data_dir, TOCSIN_LISTEN: '127.0.0.1:0' }
    return startTocsin(['--config', this.config], environment, arguments_of_node)
  }

  /** For one that follows with another configuration. */
  configure(yaml: string): void {
    writeFileSync(this.config, yaml)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface Embedded extends Started {
  readonly data_dir: string
}

/** A tocsin of the embedded mode in a folder of its own, which goes when it stops. */
export async function startEmbedded(yaml: string, cpu_profile_dir?: string): Promise<Embedded> {
  const place = new Place(yaml)
  const profiling = cpu_profile_dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpu_profile_dir}`]
  const tocsin = await place.start(profiling)
  return {
    ...tocsin,
    data_dir: place.data_dir,
    async stop() {
      await tocsin.stop()
      place.remove()
    },
  }
}

/** Sends each of these many different alerts once, and waits until all folds are done with them; gives what they look like. */
export async function makeActive(url: string, distinct: number): Promise<LoadShape> {
  const load = { batch: undefined, connections: 4, warmup_seconds: 0.1, seconds: 0.5, rate: undefined }
  const order = httpOrder({ ...load, url, mix: 'repeats', distinct, round: 0 })
  const result = await runScript<HttpResult>('./load/http.ts', order)
  for (const fold of ['correlate', 'deliver', 'record']) await drained(url, fold)
  await assertTaken([url], result.sent_in_all)
  await assertActive(url, distinct)
  return order.shape
}

/** Resolves when so many alerts fire at least; throws when they do not within a minute. */
export async function assertActive(url: string, alerts: number): Promise<void> {
  const deadline = performance.now() + ACTIVE_WITHIN_MS
  for (;;) {
    const firing = (await TocsinMetrics.of(url)).sum('tocsin_firing_alerts')
    if (firing >= alerts) return
    if (performance.now() > deadline) throw new Error(`${firing} alerts fire instead of ${alerts}`)
    await pause(LOOK_EVERY_MS)
  }
}

/** How far the work of a round has to be before its CPU time is taken, so that what was put off counts. */
export type Until = 'durable' | 'folded' | 'recorded'

/** One load on a tocsin that was just started: from the beginning of the measured time until everything is done. */
export async function measureTocsin(
  tocsin: Embedded,
  order: HttpOrder,
  until: Until,
): Promise<Record<string, Figure>> {
  const pid = tocsin.child.pid as number
  let began = 0
  let before = { own: 0, children: 0 }
  const result = await runScript<HttpResult>('./load/http.ts', order, (event) => {
    if (event !== 'measuring') return
    began = performance.now()
    before = cpuSeconds(pid)
  })
  const figures = figuresOf(result)
  const rateUntilNow = () =>
    Math.round(result.sent / Math.max((performance.now() - began) / 1_000, result.seconds))
  if (until !== 'durable') {
    for (const fold of ['correlate', 'deliver']) await drained(tocsin.url, fold)
    figures['until_folded_alerts_per_s'] = rateUntilNow()
  }
  if (until === 'recorded') {
    const history = History.of(tocsin.data_dir)
    await history.recorded(result.sent_in_all)
    await history.close()
    await drained(tocsin.url, 'record')
    figures['until_recorded_alerts_per_s'] = rateUntilNow()
  }
  const cpu = cpuSeconds(pid)
  await assertTaken([tocsin.url], result.sent_in_all)
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
