import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { Owner, Shard } from './driver.ts'
import { alertOf, alertsEntry, changeEntry, changeOf, incidentOf, memberOf, NOON_MS } from './fixtures.ts'
import { openHistory, rowsOf } from './place.ts'

await describeWith(clickhouse, 'rows of the history', (address) => {
  let history: History
  let client: ClickHouseClient
  beforeAll(async () => ({ history, client } = await openHistory(address)))
  afterAll(() => history.close())

  it('are what the entries said', async () => {
    const alert = alertOf(7, { ends_at_ms: NOON_MS + 1, repeats: 5_000_000_000, starts_at_ms: 5 })
    const origin = { source: 'plant/alerts', partition: 12 }
    const log = [
      alertsEntry(9_000_000_000, [alert, alertOf(8)], {
        origin,
        places: [
          [41, 2],
          [42, 0],
        ],
        time_ms: NOON_MS + 123,
      }),
    ]
    await (await new Owner(new Shard(), { topic: 'alerts', partition: 1, client }).claim()).read(log)
    const query = `
      SELECT toUnixTimestamp64Milli(at) AS at_ms, log_partition, log_position, ordinal, scope, fingerprint, severity, entity, source, labels,
             annotations, generator_url, toUnixTimestamp64Milli(starts_at) AS starts_at_ms, toUnixTimestamp64Milli(ends_at) AS ends_at_ms, repeats,
             origin_source, origin_partition, origin_offset, origin_ordinal
      FROM alerts WHERE log_partition = 1 ORDER BY ordinal`
    const common = {
      at_ms: NOON_MS + 123,
      log_partition: 1,
      log_position: 9_000_000_000,
      origin_source: 'plant/alerts',
      origin_partition: 12,
    }
    expect(await rowsOf(client, query)).toEqual([
      { ...common, ...alert, ordinal: 0, origin_offset: 41, origin_ordinal: 2 },
      { ...common, ...alertOf(8), ordinal: 1, origin_offset: 42, origin_ordinal: 0 },
    ])
  })

  it('keep any text and any time', async () => {
    const labels = {
      alertname: `a'b"c\\d\n\t\u0000é漢😀`,
      empty: '',
      ['__proto__']: 'x',
      "a']": '{}',
      '{x:String}': '?',
    }
    const alerts = [
      alertOf(1, {
        labels,
        annotations: {
          escape: String.raw`\ud800 \\ud800 \N`,
          long: 'x'.repeat(LIMITS.annotation_value_chars),
        },
      }),
      alertOf(2, {
        labels: {},
        annotations: {},
        generator_url: '',
        entity: '',
        starts_at_ms: 0,
        ends_at_ms: LIMITS.time_ms_max,
      }),
      alertOf(3, { scope: "'); DROP TABLE alerts; --", starts_at_ms: 999, ends_at_ms: 999_999_999_999 }),
    ]
    await (await new Owner(new Shard(), { topic: 'alerts', partition: 2, client }).claim()).read([
      alertsEntry(0, alerts),
    ])
    const query = `
      SELECT scope, entity, labels, annotations, toUnixTimestamp64Milli(starts_at) AS starts_at_ms, toUnixTimestamp64Milli(ends_at) AS ends_at_ms
      FROM alerts WHERE log_partition = 2 ORDER BY ordinal`
    const wanted = alerts.map(({ scope, entity, labels: all, annotations, starts_at_ms, ends_at_ms }) => ({
      scope,
      entity,
      labels: all,
      annotations,
      starts_at_ms,
      ends_at_ms,
    }))
    // The names of a label set are compared as text: a parser of JSON gives `__proto__` as an own name, as it came.
    expect(JSON.stringify(await rowsOf(client, query))).toBe(JSON.stringify(wanted))
  })

  it('replace what UTF-8 cannot express instead of halting', async () => {
    const alert = alertOf(1, { labels: { alertname: 'x\ud800y\udfff\ud800' } })
    await (await new Owner(new Shard(), { topic: 'alerts', partition: 3, client }).claim()).read([
      alertsEntry(0, [alert]),
    ])
    expect(
      await rowsOf(client, `SELECT labels['alertname'] AS name FROM alerts WHERE log_partition = 3`),
    ).toEqual([{ name: 'x\ufffdy\ufffd\ufffd' }])
  })

  it('hold the change but for its members, which have rows of their own, and its tickets', async () => {
    const tickets = [{ sink: 'rt', external_id: '17', url: "https://rt.example.org/17?a='b" }]
    const incident = incidentOf('inc_full', {
      tickets,
      assignee: 'bob',
      suppressed: true,
      group: {},
      title: '"\u0001',
    })
    const change = changeOf(incident, {
      command_id: 'c1',
      memberships: {
        joined: [memberOf(1, { silenced_by: ['s1'] })],
        ended: [memberOf(1, { ended_at_ms: NOON_MS })],
      },
    })
    await (await new Owner(new Shard(), { topic: 'incidents', partition: 4, client }).claim()).read([
      changeEntry(0, change),
    ])
    const [stored] = await rowsOf<{ change: string }>(
      client,
      `SELECT change FROM incident_changes WHERE id = 'inc_full.1'`,
    )
    const {
      memberships: _told,
      incident: { members: _listed, ...summary },
      ...rest
    } = change
    expect(JSON.parse(stored?.change ?? '')).toEqual({ ...rest, incident: summary })
    const [row] = await rowsOf(
      client,
      `SELECT tickets, assignee, suppressed, title, resolved_at FROM incidents FINAL WHERE id = 'inc_full'`,
    )
    expect(row).toEqual({ tickets, assignee: 'bob', suppressed: true, title: '"\u0001', resolved_at: null })
    const members = `SELECT silenced_by, isNull(ended_at) AS fires FROM memberships FINAL WHERE incident_id = 'inc_full'`
    expect(await rowsOf(client, members)).toEqual([{ silenced_by: [], fires: 0 }])
  })
})
