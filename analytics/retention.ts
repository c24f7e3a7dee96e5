import type { ClickHouseClient } from '@clickhouse/client'
import type { HistoryRetention } from '../schemas/config_connections.ts'
import { rowsOf } from './queries/ask.ts'

/** The column that says how old a row of a table is. */
const AGE = {
  alerts: 'at',
  alert_repeats: 'at',
  dead_letters: 'at',
  change_events: 'at',
  incident_changes: 'at',
  memberships: 'joined_at',
  incidents: 'opened_at',
  clock_legs: 'began_at',
} as const satisfies Record<keyof HistoryRetention, string>

type Table = keyof typeof AGE

/**
 * Sets how long each table keeps its rows; null: for ever. Rows go by whole parts, so up to a month later. `suffix` is that of
 * the tables which hold the rows (`_local` on a cluster). Throws what the client throws.
 */
export async function retain(
  client: ClickHouseClient,
  database: string,
  keep_days: HistoryRetention,
  on_cluster = { suffix: '', clause: '' },
): Promise<void> {
  const { suffix, clause } = on_cluster
  const told = await rowsOf<{ name: string; ttl_days: number }>(client, {
    sql: `
      SELECT name, toUInt32OrZero(extract(create_table_query, 'TTL toDateTime\\\\(\\\\w+\\\\) \\\\+ toIntervalDay\\\\((\\\\d+)\\\\)')) AS ttl_days
      FROM system.tables WHERE database = {database:String}`,
    parameters: { database },
  })
  const now = new Map(told.map(({ name, ttl_days }) => [name, ttl_days]))
  for (const [table, column] of Object.entries(AGE) as [Table, string][]) {
    const days = keep_days[table] ?? 0
    if ((now.get(table + suffix) ?? 0) === days) continue
    const target = `\`${database}\`.${table}${suffix} ${clause}`
    await client.command({
      query:
        days === 0
          ? `ALTER TABLE ${target} REMOVE TTL`
          : `ALTER TABLE ${target} MODIFY TTL toDateTime(${column}) + toIntervalDay(${days})`,
    })
    if (days > 0)
      await client.command({ query: `ALTER TABLE ${target} MODIFY SETTING ttl_only_drop_parts = 1` })
  }
}
