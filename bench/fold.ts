import { emptyOutcome, foldRecord } from '../correlate/fold.ts'
import { emptyState } from '../correlate/state.ts'
import { makeNormaliser } from '../ingest/normalise.ts'
import { decodeAlerts } from '../ingest/sources/alertmanager.ts'
import { config as configSchema } from '../schemas/config.ts'
import type { Alert } from '../schemas/alert.ts'
import type { AlertsRecord } from '../schemas/record.ts'
import { fingerprintWords, type Repeats, RepeatsWriter } from '../schemas/repeats.ts'
import { alertOf } from './load/alerts.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'
import type { BenchOptions } from './options.ts'

const DISTINCT = 20_000
const BATCH = 500
const ROUNDS = 7
const BEGAN_MS = Date.UTC(2026, 0, 1)
const EMPTY = { kind: 'alerts' as const, received_at_ms: BEGAN_MS, origin: null, places: [] }

/**
 * Decide and apply alone, without any encoding or I/O: first sight, repeat told in full, repeat that ingest recognised (one
 * that makes the alert last longer, and one that changes nothing), resolve. Alerts themselves are the input and no memory of
 * the fold.
 */
export async function run(options: BenchOptions): Promise<Report> {
  const distinct = options.distinct?.[0] ?? DISTINCT
  const batch = options.batch ?? BATCH
  const alerts = distinctAlerts(distinct)
  const rounds: Record<string, Figure>[] = []
  for (let n = 0; n < (options.rounds ?? ROUNDS); n++) rounds.push(measure(alerts, batch))
  return {
    name: 'fold',
    parameters: { distinct, batch, rounds: rounds.length },
    ...summarise(rounds),
  }
}

function measure(alerts: readonly Alert[], batch: number): Record<string, Figure> {
  const told = cut(alerts, batch).map((list) => ({ ...EMPTY, alerts: list }))
  const recognised = cut(alerts, batch).map((list) => ({ ...EMPTY, alerts: [], repeats: packed(list) }))
  const ended = cut(
    alerts.map((alert) => ({ ...alert, ends_at_ms: BEGAN_MS + 60_000 })),
    batch,
  ).map((list) => ({ ...EMPTY, alerts: list }))
  globalThis.gc?.()
  const before = process.memoryUsage()
  const state = emptyState(0)
  let position = 0
  const pass = (records: readonly AlertsRecord[], time_ms: number) => {
    const start = performance.now()
    // The tick settles what the others put off.
    for (const record of [...records, { kind: 'tick' as const }])
      foldRecord(state, { position: position++, time_ms, record }, emptyOutcome())
    return rounded(((performance.now() - start) * 1_000) / alerts.length, 3)
  }
  const first_sight_us_per_alert = pass(told, BEGAN_MS)
  globalThis.gc?.()
  const after = process.memoryUsage()
  const perAlert = (bytes: number) => (globalThis.gc ? Math.round(bytes / alerts.length) : null)
  return {
    first_sight_us_per_alert,
    repeat_us_per_alert: pass(told, BEGAN_MS + 1_000),
    extending_repeat_us_per_alert: pass(recognised, BEGAN_MS + 60_000),
    covered_repeat_us_per_alert: pass(recognised, BEGAN_MS + 60_000),
    resolve_us_per_alert: pass(ended, BEGAN_MS + 61_000),
    heap_bytes_per_active_alert: perAlert(after.heapUsed - before.heapUsed),
    array_buffer_bytes_per_active_alert: perAlert(after.arrayBuffers - before.arrayBuffers),
  }
}

function packed(alerts: readonly Alert[]): Repeats {
  const writer = new RepeatsWriter()
  const words = new Int32Array(4)
  for (const { fingerprint, starts_at_ms } of alerts) {
    fingerprintWords(fingerprint, words)
    writer.add(words, 0, starts_at_ms, Number.NaN, null)
  }
  return writer.done()
}

function cut<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}

function distinctAlerts(distinct: number): Alert[] {
  const normalise = makeNormaliser(configSchema.parse({}))
  const sent = Array.from({ length: distinct }, (_, i) =>
    alertOf({ seed: 1, distinct, per_group: 100, started_at_ms: BEGAN_MS }, i),
  )
  const decoded = decodeAlerts(Buffer.from(JSON.stringify(sent)), BEGAN_MS, {
    resolve_timeout_ms: 300_000,
    lone_alert: false,
  })
  return decoded.alerts.map((raw) => {
    const alert = normalise(raw, 'bench')
    if (!('fingerprint' in alert)) throw new Error('the load has an alert out of bounds')
    return alert
  })
}
