import { emptyOutcome, foldRecord } from '../correlate/fold.ts'
import { emptyState } from '../correlate/state.ts'
import { makeNormaliser } from '../ingest/normalise.ts'
import { decodeAlerts } from '../ingest/sources/alertmanager.ts'
import { config as configSchema } from '../schemas/config.ts'
import type { Alert } from '../schemas/alert.ts'
import { alertOf } from './load/alerts.ts'
import { type Report, rounded, spread } from './report.ts'
import type { BenchOptions } from './options.ts'

const DISTINCT = 20_000
const BATCH = 500
const ROUNDS = 7

/** Decide and apply alone, without any encoding or I/O: first sight, repeat, resolve. */
export async function run(_options: BenchOptions): Promise<Report> {
  const began_ms = Date.UTC(2026, 0, 1)
  const alerts = distinctAlerts(began_ms)
  const costs = { first_sight: [] as number[], repeat: [] as number[], resolve: [] as number[] }
  let heap_bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    const state = emptyState(0)
    let position = 0
    const pass = (list: readonly Alert[], at_ms: number) => {
      const start = performance.now()
      for (let i = 0; i < list.length; i += BATCH) {
        const record = {
          kind: 'alerts' as const,
          received_at_ms: at_ms,
          origin: null,
          places: [],
          alerts: list.slice(i, i + BATCH),
        }
        foldRecord(state, { position: position++, time_ms: at_ms, record }, emptyOutcome())
      }
      return ((performance.now() - start) * 1_000) / list.length
    }
    costs.first_sight.push(pass(alerts, began_ms))
    globalThis.gc?.()
    heap_bytes = process.memoryUsage().heapUsed - before
    costs.repeat.push(pass(alerts, began_ms + 1_000))
    costs.resolve.push(
      pass(
        alerts.map((alert) => ({ ...alert, ends_at_ms: began_ms + 2_000 })),
        began_ms + 2_000,
      ),
    )
  }
  const figures = Object.fromEntries(
    Object.entries(costs).flatMap(([name, values]) => {
      const { median, min, max } = spread(values)
      return [
        [`${name}_us_per_alert`, rounded(median)],
        [`${name}_us_min`, rounded(min)],
        [`${name}_us_max`, rounded(max)],
      ]
    }),
  )
  return {
    name: 'fold',
    parameters: { distinct: DISTINCT, batch: BATCH, rounds: ROUNDS },
    figures: {
      ...figures,
      heap_bytes_per_active_alert: globalThis.gc ? Math.round(heap_bytes / DISTINCT) : null,
    },
  }
}

function distinctAlerts(began_ms: number): Alert[] {
  const normalise = makeNormaliser(configSchema.parse({}))
  const sent = Array.from({ length: DISTINCT }, (_, i) =>
    alertOf({ seed: 1, distinct: DISTINCT, per_group: 100, started_at_ms: began_ms }, i),
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
