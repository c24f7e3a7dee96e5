import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { summary } from '../../analytics/queries/summary.ts'
import { summary as summarySchema, type SummaryQuestion } from '../../schemas/analytics.ts'
import type { Incident, Member } from '../../schemas/incident.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { Owner, Shard } from './driver.ts'
import {
  alertOf,
  alertsEntry,
  repeatsEntry,
  changeEntry,
  changeOf,
  incidentOf,
  memberOf,
  NOON_MS,
} from './fixtures.ts'
import { openHistory } from './place.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const QUESTION: SummaryQuestion = { from_ms: NOON_MS, to_ms: NOON_MS + DAY_MS, as_of_ms: NOON_MS + DAY_MS }
const EMPTY = {
  n: 0,
  open: 0,
  closed_without: 0,
  median_ms: null,
  median_reached: false,
  p75_ms: null,
  p90_ms: null,
  p95_ms: null,
}

await describeWith(clickhouse, 'the summary of a period', (address) => {
  let history: History
  let client: ClickHouseClient
  beforeAll(async () => {
    ;({ history, client } = await openHistory(address))
    const resolved = (id: string, hours: number, more: Partial<Incident> = {}) =>
      incidentOf(id, { state: 'resolved', resolved_at_ms: NOON_MS + hours * HOUR_MS, ...more })
    const incidents = [
      // In hours until resolved: 1, 2, 3, and three that are open since 24; acknowledged after 0.5, 1, never, 4, never, never.
      resolved('a', 1, { acknowledged_at_ms: NOON_MS + HOUR_MS / 2 }),
      resolved('b', 2, {
        acknowledged_at_ms: NOON_MS + HOUR_MS,
        mitigated_at_ms: NOON_MS + 1.5 * HOUR_MS,
        severity: 'high',
      }),
      resolved('c', 3, { reopened: 1, rule: 'by-site', scope: "it's" }),
      incidentOf('d', { state: 'acknowledged', acknowledged_at_ms: NOON_MS + 4 * HOUR_MS }),
      incidentOf('e'),
      incidentOf('f', { reopened: 2 }),
      incidentOf('g', { state: 'merged', merged_into: 'a', resolved_at_ms: NOON_MS + 1 }),
      resolved('before', 1, { opened_at_ms: NOON_MS - 1 }),
      resolved('after', 30, { opened_at_ms: NOON_MS + DAY_MS }),
    ]
    const members: Record<string, Member[]> = { b: [memberOf(2, { severity: 'high' })], c: [memberOf(3)] }
    const changes = incidents.map((incident, position) =>
      changeEntry(
        position,
        changeOf(incident, { memberships: { joined: members[incident.id] ?? [], ended: [] } }),
      ),
    )
    await (await new Owner(new Shard(), { topic: 'incidents', client }).claim()).read(changes)
    const alerts = [
      alertsEntry(0, [
        alertOf(1, { repeats: 20 }),
        alertOf(2, { repeats: 5, severity: 'high' }),
        alertOf(3, { repeats: 3, scope: "it's" }),
      ]),
      alertsEntry(1, [alertOf(1)], { time_ms: NOON_MS - 1 }),
      repeatsEntry(2, [1], { time_ms: NOON_MS - 1 }),
      repeatsEntry(3, [2, 2, 3]),
    ]
    await (await new Owner(new Shard(), { topic: 'alerts', client }).claim()).read(alerts)
  })
  afterAll(() => history.close())

  it('estimates durations with the open incidents in it, by hand-computed figures', async () => {
    const found = await summary(client, QUESTION)
    expect(summarySchema.parse(found)).toEqual(found)
    expect(found).toMatchObject({
      incidents: { opened: 7, merged: 1, reopened: 2 },
      alerts: { rows: 3, statements: 31 },
      compression: 24 / 31,
      never_acknowledged_share: 1 / 3,
    })
    // S = 5/6, 4/6, 3/6: the median is reached with the third, no higher quantile is.
    expect(found.time_to_resolve).toEqual({
      n: 6,
      open: 3,
      closed_without: 0,
      median_ms: 3 * HOUR_MS,
      median_reached: true,
      p75_ms: null,
      p90_ms: null,
      p95_ms: null,
    })
    // S = 5/6 at 0.5 h, 4/6 at 1 h, censored at 3 h, then 2/3 of it at 4 h: 4/9.
    expect(found.time_to_acknowledge).toMatchObject({
      n: 6,
      open: 2,
      closed_without: 1,
      median_ms: 4 * HOUR_MS,
    })
    expect(found.time_to_mitigate).toEqual({
      n: 6,
      open: 3,
      closed_without: 2,
      median_ms: null,
      median_reached: false,
      p75_ms: null,
      p90_ms: null,
      p95_ms: null,
    })
    // S(2 h) = 4/6; Greenwood's sum 1/30 + 1/20 = 1/12, so the bounds are (2/3)^exp(±1.959964 · √(1/12) ÷ ln 1.5).
    const exponent = Math.exp((1.959963984540054 * Math.sqrt(1 / 12)) / Math.log(1.5))
    expect(found.resolved_within_2h?.value).toBeCloseTo(1 / 3, 12)
    expect(found.resolved_within_2h?.low).toBeCloseTo(1 - (2 / 3) ** (1 / exponent), 9)
    expect(found.resolved_within_2h?.high).toBeCloseTo(1 - (2 / 3) ** exponent, 9)
  })

  it('knows only what was so at the time of asking', async () => {
    const found = await summary(client, { ...QUESTION, as_of_ms: NOON_MS + 1.5 * HOUR_MS })
    expect(found.time_to_resolve).toMatchObject({ n: 6, open: 5, median_reached: false })
    expect(found.resolved_within_2h).toBeNull()
  })

  it.each([
    [{ severity: 'high' }, { opened: 1, statements: 7 }],
    [{ scope: "it's" }, { opened: 1, statements: 4 }],
    [{ rule: 'by-site' }, { opened: 1, statements: 4 }],
    [{ rule: "' OR 1 = 1 --" }, { opened: 0, statements: 0 }],
    [{ scope: "\\' UNION ALL SELECT 1 --\n{from_ms:Int64}\t" }, { opened: 0, statements: 0 }],
  ] as const)('of %j', async (filter, { opened, statements }) => {
    const found = await summary(client, { ...QUESTION, ...filter })
    expect([found.incidents.opened, found.alerts.statements]).toEqual([opened, statements])
  })

  it('of nothing has no figures', async () => {
    const found = await summary(client, { ...QUESTION, from_ms: 0, to_ms: 1 })
    expect(found).toMatchObject({
      compression: null,
      never_acknowledged_share: null,
      resolved_within_2h: null,
      time_to_resolve: EMPTY,
    })
  })
})
