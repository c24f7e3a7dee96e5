import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { History } from '../../analytics/connection.ts'
import { metricNamed } from '../../analytics/metrics/catalogue.ts'
import { rowsOf } from '../../analytics/queries/ask.ts'
import { askMetric } from '../../analytics/queries/metric.ts'
import { TruthWriter } from '../../bench/analytics/rows_of_truth.ts'
import { trueIncidents } from '../../bench/analytics/truth.ts'
import { dashboards } from '../../deploy/grafana/dashboards.ts'
import { DEFAULT_SHIFTS } from '../../schemas/analytics_question.ts'
import { openHistory } from '../analytics/place.ts'
import { clickhouse, describeWith } from '../services/index.ts'

interface Dashboard {
  readonly uid: string
  readonly panels: readonly {
    readonly title: string
    readonly type: string
    readonly targets: readonly { readonly rawSql: string }[]
  }[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] }
}

const ROOT = join(import.meta.dirname, '../..')
const TO_MS = Date.UTC(2026, 10, 1)
const FROM_MS = TO_MS - 30 * 86_400_000
const SHAPE = {
  incidents: 300,
  from_ms: FROM_MS,
  to_ms: TO_MS,
  seed: 3,
  change: { service: 'x', at_ms: TO_MS, factor: 1 },
}
const BOARDS = [...dashboards()].map(([path, text]) => ({ path, text, board: JSON.parse(text) as Dashboard }))
const PANELS = BOARDS.flatMap(({ board }) =>
  board.panels.map((panel) => [`${board.uid}: ${panel.title}`, panel] as const),
)

it('the provisioning names the data source that the panels use', () => {
  const read = (path: string) =>
    parse(readFileSync(join(ROOT, 'deploy/grafana/provisioning', path), 'utf8')) as {
      datasources?: { uid: string; type: string }[]
    }
  const [source] = read('datasources/tocsin.yaml').datasources ?? []
  for (const { text } of BOARDS)
    expect([...new Set([...text.matchAll(/"uid": "(tocsin)"/g)].map(([, uid]) => uid))]).toEqual([
      source?.uid,
    ])
  expect(source?.type).toBe('grafana-clickhouse-datasource')
})

await describeWith(clickhouse, 'Grafana panels', (address) => {
  let history: History
  let client: ClickHouseClient
  const chosen: Record<string, string[]> = {}
  beforeAll(async () => {
    const opened = await openHistory(address)
    history = opened.history
    client = opened.client
    const writer = new TruthWriter(client)
    for (const one of trueIncidents(SHAPE)) await writer.add(one)
    await writer.close()
    for (const { name, query } of BOARDS[0]?.board.templating.list ?? []) {
      if (name === 'tz') continue
      const rows = await rowsOf<{ value: string }>(client, { sql: putIn(query), parameters: {} })
      chosen[name] = rows.map(({ value }) => value)
    }
  })
  afterAll(() => history.close())

  /** What Grafana does with its variables before it sends a query. */
  function putIn(sql: string): string {
    const plain: Record<string, string> = {
      __from: String(FROM_MS),
      __to: String(TO_MS),
      tz: 'Asia/Shanghai',
    }
    return sql.replaceAll(/\$\{(\w+)(:singlequote)?\}/g, (_, name: string) => {
      const value = plain[name] ?? chosen[name]?.map((one) => `'${one.replaceAll("'", "''")}'`).join(',')
      if (value === undefined) throw new Error(`a panel uses $${name}, which no variable gives`)
      return value
    })
  }

  it('have variables that the history gives values for', () => {
    expect(Object.keys(chosen)).toEqual(['scope', 'service', 'severity'])
    expect(Object.values(chosen).every((values) => values.length > 1)).toBe(true)
  })

  it.each(PANELS)('%s has rows', async (_title, { type, targets }) => {
    const [target] = targets
    const rows = await rowsOf<Record<string, unknown>>(client, {
      sql: putIn(target?.rawSql ?? ''),
      parameters: {},
    })
    expect(rows.length).toBeGreaterThan(0)
    expect(Object.hasOwn(rows[0] ?? {}, 'time')).toBe(type === 'timeseries')
  })

  it('have the medians of the metrics', async () => {
    const metric = metricNamed('time_to_resolve')
    const panel = PANELS.find(([title]) => title.endsWith('Time to resolve (median)'))?.[1]
    const [row] = await rowsOf<{ median_s: number; n: number }>(client, {
      sql: putIn(panel?.targets[0]?.rawSql ?? ''),
      parameters: {},
    })
    const question = {
      period: { from_ms: FROM_MS, to_ms: TO_MS },
      compared: null,
      as_of_ms: Date.now(),
      tz: 'UTC',
      by: [],
      filters: {},
      labels: [],
      shifts: DEFAULT_SHIFTS,
      business_hours: null,
      target_ms: null,
      within_ms: null,
      cost_per_hour: {},
    }
    const answer = metric && (await askMetric(client, metric, question))
    expect([(row?.median_s ?? 0) * 1_000, row?.n]).toEqual([answer?.groups[0]?.value, answer?.groups[0]?.n])
  })
})
