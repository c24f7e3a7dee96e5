import { expect, it } from 'vitest'
import { History } from '../../analytics/connection.ts'
import { onCluster } from '../../analytics/cluster.ts'
import { forgetScope } from '../../analytics/forget.ts'
import { migrate, migrations } from '../../analytics/migrations.ts'
import { retain } from '../../analytics/retention.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Misconfigured, Retryable } from '../../runtime/errors.ts'
import { clickhouse, describeWith, freePort } from '../services/index.ts'
import { Owner, Shard } from './driver.ts'
import {
  alertOf,
  alertsEntry,
  changeEntry,
  changeOf,
  incidentOf,
  memberOf,
  repeatsEntry,
} from './fixtures.ts'
import { openHistory, rowsOf } from './place.ts'

await describeWith(clickhouse, 'the schema of the history', (address) => {
  it('may be brought up any number of times, by several processes at once', async () => {
    const { history, database, client } = await openHistory(address)
    await Promise.all([migrate(client, database), migrate(client, database)])
    await migrate(client, database)
    const tables = await rowsOf<{ name: string }>(
      client,
      'SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name',
    )
    expect(tables.map(({ name }) => name)).toEqual([
      'alert_memberships',
      'alert_repeats',
      'alert_statements',
      'alerts',
      'change_events',
      'clock_legs',
      'clocks',
      'dead_letters',
      'deliveries',
      'incident_changes',
      'incident_facts',
      'incidents',
      'memberships',
      'operator_actions',
      'recorded_partitions',
      'rejects',
      'schema_migrations',
    ])
    expect(await rowsOf(client, 'SELECT version, name FROM schema_migrations FINAL')).toEqual([
      { version: 1, name: '0001_history.sql' },
      { version: 2, name: '0002_alert_repeats.sql' },
      { version: 4, name: '0004_recorded_partitions.sql' },
      { version: 5, name: '0005_facts.sql' },
    ])
    await history.close()
  })

  it('explains every table and column', async () => {
    const { history, client } = await openHistory(address)
    const silent = `
      SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = ''
      UNION ALL SELECT name, '' FROM system.tables WHERE database = currentDatabase() AND comment = ''`
    expect(await rowsOf(client, silent)).toEqual([])
    await history.close()
  })

  it('keeps rows for as long as it is told, and for ever when it is told no more', async () => {
    const { history, client, database } = await openHistory(address)
    const kept = async () => {
      const rows = await rowsOf<{ name: string; ttl: string }>(
        client,
        `SELECT name, extract(create_table_query, 'TTL [^\\n]*?toIntervalDay[^ ]*') AS ttl FROM system.tables WHERE database = currentDatabase() AND ttl != '' ORDER BY name`,
      )
      return Object.fromEntries(rows.map(({ name, ttl }) => [name, ttl]))
    }
    await retain(client, database, { alerts: 400, memberships: 30 })
    const told = {
      alerts: 'TTL toDateTime(at) + toIntervalDay(400)',
      memberships: 'TTL toDateTime(joined_at) + toIntervalDay(30)',
    }
    expect(await kept()).toEqual(told)
    await retain(client, database, { alerts: 400, memberships: 30 })
    expect(await kept()).toEqual(told)
    await retain(client, database, { alerts: 90 })
    expect(await kept()).toEqual({ alerts: 'TTL toDateTime(at) + toIntervalDay(90)' })
    await history.close()
  })

  it('forgets one scope and nothing else', async () => {
    const { history, client } = await openHistory(address)
    const gone = "it's gone"
    const alerts = [alertOf(1, { scope: gone }), alertOf(2), alertOf(3, { scope: gone })]
    await (await new Owner(new Shard(), { topic: 'alerts', client }).claim()).read([
      alertsEntry(0, alerts),
      repeatsEntry(1, [1, 2, 2]),
    ])
    const changes = [incidentOf('inc_gone', { scope: gone }), incidentOf('inc_kept')].map(
      (incident, position) =>
        changeEntry(position, changeOf(incident, { memberships: { joined: [memberOf(1)], ended: [] } })),
    )
    await (await new Owner(new Shard(), { topic: 'incidents', client }).claim()).read(changes)
    await forgetScope(client, gone)
    const left = `
      SELECT of, what FROM (SELECT 'alerts' AS of, fingerprint AS what FROM alerts UNION ALL SELECT 'repeats', fingerprint FROM alert_repeats
      UNION ALL SELECT 'incidents', id FROM incidents UNION ALL SELECT 'changes', incident_id FROM incident_changes
      UNION ALL SELECT 'memberships', incident_id FROM memberships) ORDER BY of`
    expect(
      (await rowsOf<{ of: string; what: string }>(client, left)).map(({ of, what }) => [of, what]),
    ).toEqual([
      ['alerts', alertOf(2).fingerprint],
      ['changes', 'inc_kept'],
      ['incidents', 'inc_kept'],
      ['memberships', 'inc_kept'],
      ['repeats', alertOf(2).fingerprint],
    ])
    await history.close()
  })

  it('has statements for a cluster that ClickHouse can read: for each table one on every shard, and one over all', async () => {
    const { history, client } = await openHistory(address)
    const statements = migrations().flatMap(({ statements: all }) =>
      all.flatMap((one) => onCluster(one, 'plant')),
    )
    const queries = statements.map((one) =>
      one.replaceAll('{database}', 'tocsin').replaceAll('{database_name}', 'tocsin'),
    )
    // It throws on what it cannot read.
    const result = await client.query({
      query: 'SELECT formatQuery(arrayJoin({queries:Array(String)})) AS text',
      query_params: { queries },
      format: 'JSONEachRow',
    })
    const texts = (await result.json<{ text: string }>()).map(({ text }) => text)
    expect(texts.filter((text) => !text.startsWith('INSERT') && !text.includes('ON CLUSTER plant'))).toEqual(
      [],
    )
    const tables = statements.flatMap(
      (one) =>
        /CREATE TABLE IF NOT EXISTS \{database\}\.(\w+)[\s\S]*ENGINE = (\w+)/
          .exec(one)
          ?.slice(1, 3)
          .join(' ') ?? [],
    )
    expect(tables).toContain('incidents_local ReplicatedReplacingMergeTree')
    expect(tables).toContain('incidents Distributed')
    expect(tables.filter((one) => one.endsWith(' Distributed'))).toHaveLength(tables.length / 2)
    await history.close()
  })

  it('is refused when it is newer than the program', async () => {
    const { history, database, client } = await openHistory(address)
    await client.command({
      query: `INSERT INTO schema_migrations (version, name) VALUES (9999, 'later.sql')`,
    })
    await expect(migrate(client, database)).rejects.toThrow(
      expect.objectContaining({ name: 'Misconfigured', code: 'history-schema-newer' }),
    )
    await history.close()
    const again = openHistory(address, database)
    await expect(again).rejects.toBeInstanceOf(Misconfigured)
  })
})

it('a ClickHouse that is not there yet keeps nobody waiting', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const attempts: Retryable[] = []
  const { promise: told, resolve } = Promise.withResolvers<void>()
  const retrying = (error: Retryable) => {
    if (attempts.push(error) === 2) resolve()
  }
  const history = new History({
    address: { url, username: 'x', password: 'y', database: 'z' },
    clock: systemClock,
    retrying,
  })
  expect(() => history.reader()).toThrow(Retryable)
  await told
  expect(attempts[0]?.code).toBe('history-unavailable')
  await history.close()
  await expect(history.ready).rejects.toThrow(expect.objectContaining({ code: 'history-closed' }))
})
