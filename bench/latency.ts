import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { alertOf } from './load/alerts.ts'
import type { HttpOrder, HttpResult } from './load/http.ts'
import { httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { runScript, type Started, startTocsin } from './processes.ts'
import { type Figure, quantile, type Report, rounded } from './report.ts'

const LOAD_PER_S = 10_000
const PROBES_PER_S = 20

/** From posting an alert that opens an incident until its change arrives on the event stream: idle, and beside a given load. */
export async function run({ seconds }: BenchOptions): Promise<Report> {
  const figures = await measureAll(seconds, startEmbedded)
  return { name: 'latency', parameters: parametersOf(seconds), figures }
}

export function parametersOf(seconds: number): Report['parameters'] {
  return { seconds, probes_per_s: PROBES_PER_S, load_alerts_per_s: LOAD_PER_S }
}

/** The same over whatever tocsin is given, for each kind of load beside it. `start` is called for each anew. */
export async function measureAll(
  seconds: number,
  start: () => Promise<Pick<Started, 'url' | 'stop'>>,
): Promise<Record<string, Figure>> {
  const figures: Record<string, Figure> = {}
  for (const beside of ['idle', 'repeats', 'new'] as const)
    Object.assign(figures, await measure(beside, seconds, await start()))
  return figures
}

async function startEmbedded(): Promise<Pick<Started, 'url' | 'stop'>> {
  const data_dir = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const tocsin = await startTocsin([], { TOCSIN_DATA_DIR: data_dir, TOCSIN_LISTEN: '127.0.0.1:0' })
  return {
    url: tocsin.url,
    async stop() {
      await tocsin.stop()
      rmSync(data_dir, { recursive: true, force: true })
    },
  }
}

async function measure(
  beside: 'idle' | 'repeats' | 'new',
  seconds: number,
  tocsin: Pick<Started, 'url' | 'stop'>,
): Promise<Record<string, Figure>> {
  try {
    const load =
      beside === 'idle'
        ? null
        : runScript<HttpResult>('./load/http.ts', loadOrder(tocsin.url, beside, seconds + 4))
    await pause(3_000)
    const found = await probe(tocsin.url, seconds)
    const sent = await load
    return {
      [`${beside}_change_p50_ms`]: rounded(quantile(found.changes, 0.5)),
      [`${beside}_change_p99_ms`]: rounded(quantile(found.changes, 0.99)),
      [`${beside}_change_max_ms`]: rounded(quantile(found.changes, 1)),
      [`${beside}_answer_p50_ms`]: rounded(quantile(found.answers, 0.5)),
      [`${beside}_probes`]: found.changes.length,
      [`${beside}_load_alerts_per_s`]: sent && Math.round(sent.sent / sent.seconds),
    }
  } finally {
    await tocsin.stop()
  }
}

function loadOrder(url: string, mix: 'repeats' | 'new', seconds: number): HttpOrder {
  return httpOrder({
    url,
    mix,
    distinct: 20_000,
    round: 0,
    batch: 100,
    connections: 4,
    warmup_seconds: 1,
    seconds,
    rate: LOAD_PER_S,
  })
}

async function probe(url: string, seconds: number): Promise<{ changes: number[]; answers: number[] }> {
  const waiting = new Map<string, number>()
  const changes: number[] = []
  const answers: number[] = []
  const closing = new AbortController()
  const stream = await fetch(`${url}/api/v1/changes`, { signal: closing.signal })
  const following = follow(stream, (name) => {
    const began = waiting.get(name)
    if (began === undefined) return
    changes.push(performance.now() - began)
    waiting.delete(name)
  })
  for (let n = 0; n < seconds * PROBES_PER_S; n++) {
    const name = `Probe${n}`
    const alert = alertOf({ seed: 7, distinct: 1, per_group: 1, started_at_ms: Date.now() }, n)
    alert.labels['alertname'] = name
    const began = performance.now()
    waiting.set(name, began)
    await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([alert]),
    })
    answers.push(performance.now() - began)
    await pause(1_000 / PROBES_PER_S)
  }
  await pause(1_000)
  closing.abort()
  await following
  if (waiting.size > 0) throw new Error(`${waiting.size} probes were never told`)
  return { changes, answers }
}

async function follow(stream: Response, seen: (alertname: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of stream.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true })
      const events = rest.split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const name = /"group":\{"alertname":"(Probe\d+)"/.exec(event)?.[1]
        if (name !== undefined) seen(name)
      }
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error
  }
}
