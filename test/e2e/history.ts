import { join } from 'node:path'
import { startEmbeddedClickHouse } from '../../runtime/clickhouse.ts'
import type { ClickHouseAddress } from '../services/index.ts'

/** Asks for rows. Times are text as ClickHouse writes it, integers of 64 bits are numbers. */
export type Ask = <Row>(sql: string) => Promise<Row[]>

export function askAt(address: ClickHouseAddress, database: string): Ask {
  return async <Row>(sql: string) => {
    const settings = new URLSearchParams({ database, default_format: 'JSONEachRow', output_format_json_quote_64bit_integers: '0' })
    const headers = { 'x-clickhouse-user': address.username, 'x-clickhouse-key': address.password }
    const response = await fetch(`${address.url}/?${settings.toString()}`, { method: 'POST', body: sql, headers })
    const text = await response.text()
    if (!response.ok) throw new Error(`${sql}: ${text}`)
    const lines = text.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Row)
  }
}

/** Reads the embedded history of a tocsin that is stopped. */
export async function withStoppedHistory<T>(data_dir: string, read: (ask: Ask) => Promise<T>): Promise<T> {
  const server = await startEmbeddedClickHouse({ data_dir: join(data_dir, 'clickhouse'), on_exit: () => {}, log: () => {} })
  try {
    return await read(askAt(server, 'tocsin'))
  } finally {
    await server.stop()
  }
}
