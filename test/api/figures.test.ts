import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { METRICS } from '../../analytics/metrics/catalogue.ts'
import { TABLES } from '../../analytics/tables/catalogue.ts'
import { TruthWriter } from '../../bench/analytics/rows_of_truth.ts'
import { trueIncidents } from '../../bench/analytics/truth.ts'
import { SEVERITIES } from '../../schemas/alert.ts'
import { metricAnswer, survivalAnswer, tableAnswer } from '../../schemas/analytics_answer.ts'
import { openHistory } from '../analytics/place.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { call, startWorld, type World } from './world.ts'

const TO_MS = Date.UTC(2026, 10, 1)
const SHAPE = {
  incidents: 300,
  from_ms: TO_MS - 30 * 86_400_000,
  to_ms: TO_MS,
  seed: 3,
  change: { service: 'service-0', at_ms: TO_MS, factor: 1 },
}
const PERIOD = 'from=2026-10-02&to=2026-11-01&as_of=2026-11-01'
const ROOT = '/api/v1/analytics'
/** No support lines are recorded. */
const EMPTY = new Set(['support-lines'])
const INJECTIONS = [
  "' OR 1 = 1 --",
  "'); DROP TABLE incidents; --",
  '{from_ms:Int64}',
  "\\' UNION ALL SELECT 1 --",
  '\u0000\n\t`x`',
]

await describeWith(clickhouse, 'figures over HTTP', (address) => {
  let history: History
  let world: World
  beforeAll(async () => {
    const opened = await openHistory(address)
    history = opened.history
    const writer = new TruthWriter(opened.client)
    for (const one of trueIncidents(SHAPE)) await writer.add(one)
    await writer.close()
    world = await startWorld({ parts: { askHistory: (ask) => ask(history.reader()) } })
  })
  afterAll(async () => {
    await world.close()
    await history.close()
  })

  it('lists every metric and table with its meaning in both languages', async () => {
    const { body } = await call(world.url, `${ROOT}/metrics`)
    const { metrics, tables } = body as {
      metrics: { name: string; title: object; definition: object }[]
      tables: { name: string }[]
    }
    expect(metrics.map(({ name }) => name)).toEqual(METRICS.map(({ name }) => name))
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length)
    expect(tables.map(({ name }) => name)).toEqual(TABLES.map(({ name }) => name))
    for (const { title, definition } of metrics)
      for (const text of [title, definition])
        expect(text).toEqual({ en: expect.stringMatching(/\w/), zh: expect.stringMatching(/[一-鿿]/) })
  })

  it('answers a metric with groups, a comparison, and the SQL that gives the same when it is run', async () => {
    const path = `${ROOT}/metrics/sla_attainment?${PERIOD}&by=severity&compare_from=2026-10-02&compare_to=2026-10-17&explain=true&tz=Asia/Shanghai`
    const { status, body } = await call(world.url, path)
    expect(status).toBe(200)
    const { groups, explain } = metricAnswer.parse(body)
    expect(new Set(groups.map(({ by }) => by['severity']))).toEqual(new Set(SEVERITIES.slice(0, 4)))
    expect(groups[0]?.compared?.verdict.text.en).toMatch(/^(no evidence of change|higher|lower) \(/)
    const rerun = await history
      .reader()
      .query({ query: explain?.sql ?? '', query_params: explain?.parameters ?? {}, format: 'JSONEachRow' })
    const rows = await rerun.json<{ grouped: string[]; hits: string }>()
    expect(rows.map(({ grouped, hits }) => [grouped[0], Number(hits)])).toEqual(
      groups.map(({ by, hits }) => [by['severity'], hits]),
    )
  })

  it('gives every point behind a figure as CSV, Arrow and Parquet', async () => {
    const asked = (name: string, format: string) =>
      fetch(`${world.url}${ROOT}/${name}?${PERIOD}&format=${format}`)
    const csv = await asked('metrics/time_to_resolve', 'csv')
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const lines = (await csv.text()).trim().split('\n')
    expect(lines[0]).toBe('"id","grouped","at","elapsed_ms","outcome"')
    const { body } = await call(world.url, `${ROOT}/metrics/time_to_resolve?${PERIOD}`)
    expect(lines).toHaveLength((metricAnswer.parse(body).groups[0]?.n as number) + 1)
    const parquet = Buffer.from(await (await asked('scatter', 'parquet')).arrayBuffer())
    expect([parquet.subarray(0, 4).toString(), parquet.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1'])
    const arrow = Buffer.from(await (await asked('metrics/alarm_rate', 'arrow')).arrayBuffer())
    expect(arrow.readUInt32LE(0)).toBe(0xffffffff)
  })

  it('draws curves whose steps fall from 1 within their bounds', async () => {
    const { body } = await call(
      world.url,
      `${ROOT}/survival?${PERIOD}&by=severity&metric=time_to_acknowledge`,
    )
    const { curves } = survivalAnswer.parse(body)
    expect(curves).toHaveLength(4)
    for (const { steps, n } of curves) {
      expect(steps[0]?.at_risk).toBeLessThanOrEqual(n)
      for (const [i, { survival, low, high }] of steps.entries()) {
        expect(survival).toBeLessThan(steps[i - 1]?.survival ?? 1)
        expect(low <= survival && survival <= high).toBe(true)
      }
    }
  })

  it.each(TABLES.map(({ name }) => name))('%s has the columns that it says', async (name) => {
    const { status, body } = await call(world.url, `${ROOT}/${name}?${PERIOD}&by=service&tz=Europe/Berlin`)
    expect([status, body]).toEqual([200, expect.anything()])
    const { columns, rows } = tableAnswer.parse(body)
    expect([name, rows.length > 0]).toEqual([name, !EMPTY.has(name)])
    for (const row of rows) expect(Object.keys(row)).toEqual(columns.map((one) => one.name))
  })

  it('counts the same in its tables as in its metrics', async () => {
    const rowsOf = async (name: string) =>
      tableAnswer.parse((await call(world.url, `${ROOT}/${name}?${PERIOD}`)).body).rows
    const groups = metricAnswer.parse(
      (await call(world.url, `${ROOT}/metrics/sla_attainment?${PERIOD}`)).body,
    ).groups
    const sum = (rows: Record<string, unknown>[], key: string) =>
      rows.reduce((total, row) => total + Number(row[key]), 0)
    const resolve = (await rowsOf('sla')).filter(({ clock }) => clock === 'resolve')
    expect([sum(resolve, 'met'), sum(resolve, 'met') + sum(resolve, 'breached')]).toEqual([
      groups[0]?.hits,
      groups[0]?.n,
    ])
    const cohort = [...trueIncidents(SHAPE)].filter(({ merged_into }) => merged_into === null).length
    const heat = await rowsOf('heatmap')
    expect([heat.length, sum(heat, 'incidents'), sum(heat, 'hours')]).toEqual([168, cohort, 30 * 24])
    expect(await rowsOf('scatter')).toHaveLength(cohort)
    const open = (await rowsOf('breaching')).map(({ id }) => id)
    const truth = [...trueIncidents(SHAPE)].filter(({ merged_into }) => merged_into === null)
    const still_open = truth.filter(({ episodes }) => episodes.at(-1)?.[1] === null)
    expect(new Set(open)).toEqual(new Set(still_open.map(({ id }) => id)))
  })

  it.each([
    ['from=2026-13-01', 'from'],
    ['to=yesterday', 'to'],
    ['from=2026-11-02&to=2026-11-01', 'to'],
    ['from=1900-01-01', 'from'],
    ['from=2000-01-01', 'from'],
    ['compare_to=2026-10-01', 'compare_from'],
    ['compare_from=2026-10-02&compare_to=2026-10-01', 'compare_to'],
    ['tz=Mars/Olympus', 'tz'],
    ['by=colour', 'by.0'],
    ['by=service,team,site', 'by'],
    ['by=service,service', 'by'],
    ['severity=purple', 'severity.0'],
    ['label=nothing', 'label.0'],
    ['business_hours=always', 'business_hours'],
    ['business_hours=mon-fri%2017:00-09:00', 'business_hours'],
    ['holidays=christmas', 'holidays.0'],
    ['shifts=early', 'shifts.0'],
    ['target_s=soon', 'target_s.0'],
    ['within_s=0', 'within_s'],
    ['cost=checkout', 'cost.0'],
    ['explain=maybe', 'explain'],
    ['format=xml', 'format'],
    ['colour=red', 'colour'],
  ])('refuses %s and names it', async (query, field) => {
    const { status, body } = await call(world.url, `${ROOT}/metrics/time_to_resolve?${query}`)
    expect([status, body]).toEqual([
      400,
      { error: expect.objectContaining({ code: 'invalid-parameter', field }) },
    ])
  })

  it('refuses what a metric cannot be counted by, and metrics that are none', async () => {
    const { body } = await call(world.url, `${ROOT}/metrics/alarm_rate?by=assignee`)
    expect(body).toMatchObject({ error: { code: 'invalid-parameter', field: 'by' } })
    const filtered = await call(world.url, `${ROOT}/metrics/noise_reduction?service=a`)
    expect(filtered.body).toMatchObject({ error: { code: 'invalid-parameter', field: 'service' } })
    const unknown = await call(world.url, `${ROOT}/metrics/mttr`)
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'metric-unknown', field: 'name' } } })
  })

  it('takes whatever text a parameter holds for a value', async () => {
    const all = await call(world.url, `${ROOT}/metrics/incidents_per_day?${PERIOD}`)
    for (const text of INJECTIONS) {
      const value = encodeURIComponent(text)
      for (const query of [
        `service=${value}`,
        `label=${encodeURIComponent(`${text.replaceAll('=', '')}=${text}`)}`,
        `assignee=${value}`,
      ]) {
        const { status, body } = await call(world.url, `${ROOT}/metrics/incidents_per_day?${PERIOD}&${query}`)
        expect([query, status, (body as { groups?: { n: number }[] }).groups?.[0]?.n]).toEqual([
          query,
          200,
          0,
        ])
      }
      const by = await call(
        world.url,
        `${ROOT}/metrics/incidents_per_day?${PERIOD}&by=${encodeURIComponent(`label.${text}`)}`,
      )
      expect([text, by.status, (by.body as { groups?: object[] }).groups?.length]).toEqual([text, 200, 1])
    }
    expect(await call(world.url, `${ROOT}/metrics/incidents_per_day?${PERIOD}`)).toMatchObject({
      body: all.body,
    })
  })

  it('refuses what gives too many groups, with the limit', async () => {
    const { status, body } = await call(
      world.url,
      `${ROOT}/metrics/alarm_rate?${PERIOD}&by=entity,hour_of_week`,
    )
    expect([status, body]).toEqual([
      422,
      {
        error: expect.objectContaining({
          code: 'history-limit',
          message: expect.stringContaining('1000 groups'),
        }),
      },
    ])
  })
})
