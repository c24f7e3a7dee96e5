import { expect, it } from 'vitest'
import { History } from '../../analytics/connection.ts'
import { migrate } from '../../analytics/migrations.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Misconfigured, Retryable } from '../../runtime/errors.ts'
import { clickhouse, describeWith, freePort } from '../services/index.ts'
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
