import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { History } from '../analytics/connection.ts'
import { METRICS } from '../analytics/metrics/catalogue.ts'
import { rowsOf } from '../analytics/queries/ask.ts'
import { askMetric } from '../analytics/queries/metric.ts'
import { askTable } from '../analytics/queries/table.ts'
import { monthly } from '../analytics/report/monthly.ts'
import { monthlyPage } from '../analytics/report/monthly_page.ts'
import { monthPeriods, ReportSource } from '../analytics/report/source.ts'
import { TABLES } from '../analytics/tables/catalogue.ts'
import { startEmbeddedClickHouse } from '../runtime/clickhouse.ts'
import { systemClock } from '../runtime/clock.ts'
import { type AnalyticsQuestion, DEFAULT_SHIFTS } from '../schemas/analytics_question.ts'
import { addStatements, TruthWriter } from './analytics/rows_of_truth.ts'
import { trueIncidents } from './analytics/truth.ts'
import type { BenchOptions } from './options.ts'
import { type Figure, quantile, type Report, rounded } from './report.ts'

const TO_MS = Date.UTC(2026, 10, 1)
const FROM_MS = Date.UTC(2024, 10, 1)
const TZ = 'Asia/Shanghai'
const INCIDENTS = 1_000_000
/** Rows of `alerts` for each incident. */
const STATEMENTS_PER_INCIDENT = 100
const REPEATS = 3
const ROUNDS = 3

/**
 * Questions and the monthly report over two years of incidents with all that belongs to them, on an embedded ClickHouse of its own. Cold: the
 * first time that each question is asked; warm: again. The page cache of the system is not emptied.
 */
export async function run(options: BenchOptions): Promise<Report> {
  const incidents = options.incidents ?? INCIDENTS
  const statements = options.statements ?? incidents * STATEMENTS_PER_INCIDENT
  const data_dir = mkdtempSync(join(tmpdir(), 'tocsin-bench-analytics-'))
  const server = await startEmbeddedClickHouse({
    data_dir,
    on_exit: (reason) => {
      throw new Error(`ClickHouse ended: ${reason}`)
    },
    log: () => {},
  })
  const { url, username, password } = server
  const history = new History({
    address: { url, username, password, database: 'tocsin' },
    clock: systemClock,
    retrying: (error) => console.error(error.message),
  })
  try {
    const client = await history.ready
    const filled = await fill(client, incidents, statements)
    const figures = { ...filled, ...(await ask(client, options.rounds ?? ROUNDS)) }
    const parameters = {
      incidents,
      alert_rows: statements,
      statements_per_row: REPEATS,
      rounds: options.rounds ?? ROUNDS,
    }
    return { name: 'analytics', parameters, figures }
  } finally {
    await history.close()
    await server.stop()
    rmSync(data_dir, { recursive: true, force: true })
  }
}

async function fill(
  client: ClickHouseClient,
  incidents: number,
  statements: number,
): Promise<Record<string, Figure>> {
  const began = performance.now()
  const writer = new TruthWriter(client)
  const shape = {
    incidents,
    from_ms: FROM_MS,
    to_ms: TO_MS,
    seed: 7,
    change: { service: 'service-0', at_ms: Date.UTC(2026, 9, 1), factor: 0.4 },
  }
  for (const one of trueIncidents(shape)) await writer.add(one)
  await writer.close()
  const filled = performance.now()
  await addStatements(client, { from_ms: FROM_MS, to_ms: TO_MS, count: statements, repeats: REPEATS })
  const [disk] = await rowsOf<{ alerts: number; all: number }>(client, {
    sql: `SELECT sumIf(bytes_on_disk, table = 'alerts') AS alerts, sum(bytes_on_disk) AS all FROM system.parts WHERE active AND database = currentDatabase()`,
    parameters: {},
  })
  return {
    rows_of_incidents: writer.rows,
    fill_incidents_s: rounded((filled - began) / 1_000, 1),
    fill_alerts_s: rounded((performance.now() - filled) / 1_000, 1),
    disk_mb: rounded((disk?.all ?? 0) / 1e6, 1),
    disk_bytes_per_alert_row: rounded((disk?.alerts ?? 0) / statements, 1),
  }
}

const QUESTION: AnalyticsQuestion = {
  ...monthPeriods('2026-10', TZ),
  compared: null,
  as_of_ms: TO_MS,
  tz: TZ,
  by: [],
  filters: {},
  labels: [],
  shifts: DEFAULT_SHIFTS,
  business_hours: null,
  target_ms: null,
  within_ms: null,
  cost_per_hour: { 'service-0': 1_000 },
}

/** What the console and dashboards ask: each metric and table of a month, alone, by service, compared; and of the two years. */
function questions(client: ClickHouseClient): Record<string, readonly (() => Promise<unknown>)[]> {
  const metrics = (more: Partial<AnalyticsQuestion>) =>
    METRICS.map((metric) => () => askMetric(client, metric, { ...QUESTION, ...more }))
  const by_service = METRICS.filter(({ about }) => about !== 'times').map(
    (metric) => () => askMetric(client, metric, { ...QUESTION, by: ['service'] }),
  )
  return {
    month: metrics({}),
    month_by_service: by_service,
    month_compared: metrics({ compared: monthPeriods('2026-10', TZ).compared }),
    month_tables: TABLES.map((table) => () => askTable(client, table, QUESTION)),
    two_years: metrics({ period: { from_ms: FROM_MS, to_ms: TO_MS } }),
  }
}

async function ask(client: ClickHouseClient, rounds: number): Promise<Record<string, Figure>> {
  const figures: Record<string, Figure> = {}
  for (const [name, asked] of Object.entries(questions(client))) {
    const cold = await times(asked)
    const warm: number[] = []
    for (let round = 0; round < rounds; round++) warm.push(...(await times(asked)))
    for (const [state, found] of [
      ['cold', cold],
      ['warm', warm],
    ] as const) {
      figures[`${name}_${state}_p50_ms`] = Math.round(quantile(found, 0.5))
      figures[`${name}_${state}_p95_ms`] = Math.round(quantile(found, 0.95))
    }
  }
  const scope = { ...QUESTION, compared: monthPeriods('2026-10', TZ).compared }
  const reports: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now()
    monthlyPage(await monthly(new ReportSource(client, scope), '2026-10', scope), 'zh')
    reports.push(performance.now() - began)
  }
  figures['report_first_ms'] = Math.round(reports[0] ?? 0)
  figures['report_again_ms'] = Math.round(quantile(reports.slice(1), 0.5))
  return figures
}

async function times(asked: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const found: number[] = []
  for (const one of asked) {
    const began = performance.now()
    await one()
    found.push(performance.now() - began)
  }
  return found
}
