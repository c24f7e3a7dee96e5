import type { ClickHouseClient } from '@clickhouse/client'
import { rowsOf } from './queries/ask.ts'

/** Tables whose rows say their scope; of the repeats the alerts say it, so they go first. */
const BY_SCOPE = [
  'change_events',
  'clock_legs',
  'memberships',
  'incident_changes',
  'incidents',
  'alerts',
] as const
const REPEATS_OF_SCOPE =
  'fingerprint_bytes IN (SELECT unhex(fingerprint) FROM alerts WHERE scope = {scope:String}) AND fingerprint_bytes NOT IN (SELECT unhex(fingerprint) FROM alerts WHERE scope != {scope:String})'

/**
 * Deletes everything that the history knows of one scope, and waits until it is gone from disk. Dead letters have no scope and stay
 * until their time is over. Throws what the client throws; to do it again completes it.
 */
export async function forgetScope(client: ClickHouseClient, scope: string): Promise<void> {
  const held = await whereRowsAre(client)
  const remove = (table: string, condition: string) =>
    client.command({
      query: `ALTER TABLE ${table}${held} DELETE WHERE ${condition}`,
      query_params: { scope },
      clickhouse_settings: { mutations_sync: '2', allow_nondeterministic_mutations: 1 },
    })
  await remove('alert_repeats', REPEATS_OF_SCOPE)
  for (const table of BY_SCOPE) await remove(table, 'scope = {scope:String}')
}

/** On a cluster the rows are in tables of its shards (cluster.ts). */
async function whereRowsAre(client: ClickHouseClient): Promise<string> {
  const [table] = await rowsOf<{ cluster: string }>(client, {
    sql: `SELECT extract(engine_full, '^Distributed\\\\(\\'?([^\\',]+)') AS cluster FROM system.tables WHERE database = currentDatabase() AND name = 'alerts'`,
    parameters: {},
  })
  return table === undefined || table.cluster === '' ? '' : `_local ON CLUSTER \`${table.cluster}\``
}
