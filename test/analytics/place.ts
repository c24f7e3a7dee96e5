import type { ClickHouseClient } from '@clickhouse/client'
import { History } from '../../analytics/connection.ts'
import { systemClock } from '../../runtime/clock.ts'
import { type ClickHouseAddress, uniqueName } from '../services/index.ts'

/** A database of its own in a ClickHouse, with the tables. */
export async function openHistory(
  address: ClickHouseAddress,
  database = uniqueName('history').replaceAll(/[^a-z0-9_]/g, '_'),
) {
  const { url, username, password } = address
  const history = new History({
    address: { url, username, password, database },
    clock: systemClock,
    retrying: () => {},
  })
  return { history, database, client: await history.ready }
}

export async function rowsOf<Row = Record<string, unknown>>(
  client: ClickHouseClient,
  query: string,
): Promise<Row[]> {
  const result = await client.query({
    query,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  })
  return result.json<Row>()
}
