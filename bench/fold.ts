import { emptyOutcome, foldRecord } from '../correlate/fold.ts'
import { emptyState } from '../correlate/state.ts'
import { makeNormaliser } from '../ingest/normalise.ts'
import { decodeAlerts } from '../ingest/sources/alertmanager.ts'
import { config as configSchema } from '../schemas/config.ts'
import type { Alert } from '../schemas/alert.ts'
import { alertOf } from './load/alerts.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'
import type { BenchOptions } from './options.ts'

const DISTINCT = 20_000
const BATCH = 500
const ROUNDS = 7

/** Decide and apply alone, without any encoding or I/O: first sight, repeat, resolve. */
export async function run(options: BenchOptions): Promise<Report> {
  const began_ms = Date.UTC(2026, 0, 1)
  const distinct = options.distinct?.[0] ?? DISTINCT
  const batch = options.batch ?? BATCH
  const alerts = distinctAlerts(distinct, began_ms)
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? ROUNDS); round++) {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    const state = emptyState(0)
    let position = 0
    const pass = (list: readonly Alert[], at_ms: number) => {
      const start = performance.now()
      for (let i = 0; i < list.length; i += batch) {
        const record = {
          kind: 'alerts' as const,
          received_at_ms: at_ms,
          origin: null,
          places: [],
          alerts: list.slice(i, i + batch),
        }
        foldRecord(state, { position: position++, time_ms: at_ms, record }, emptyOutcome())
      }
      return ((performance.now() - start) * 1_000) / list.length
    }
    const first_sight_us_per_alert = rounded(pass(alerts, began_ms))
    globalThis.gc?.()
    const heap_bytes = process.memoryUsage().heapUsed - before
    const repeat_us_per_alert = rounded(pass(alerts, began_ms + 1_000))
    const ended = alerts.map((alert) => ({ ...alert, ends_at_ms: began_ms + 2_000 }))
    const resolve_us_per_alert = rounded(pass(ended, began_ms + 2_000))
    rounds.push({
      first_sight_us_per_alert,
      repeat_us_per_alert,
      resolve_us_per_alert,
      heap_bytes_per_active_alert: globalThis.gc ? Math.round(heap_bytes / distinct) : null,
    })
  }
  return {
    name: 'fold',
    parameters: { distinct, batch, rounds: rounds.length },
    ...summarise(rounds),
  }
}

function distinctAlerts(distinct: number, began_ms: number): Alert[] {
  const normalise = makeNormaliser(configSchema.parse({}))
  const sent = Array.from({ length: distinct }, (_, i) =>
    alertOf({ seed: 1, distinct, per_group: 100, started_at_ms: began_ms }, i),
  )
  const decoded = decodeAlerts(Buffer.from(JSON.stringify(sent)), began_ms, {
    resolve_timeout_ms: 300_000,
    lone_alert: false,
  })
  return decoded.alerts.map((raw) => {
    const alert = normalise(raw, 'bench')
    if (!('fingerprint' in alert)) throw new Error('the load has an alert out of bounds')
    return alert
  })
}
