import { join } from 'node:path'
import { startEmbeddedClickHouse } from '../../runtime/clickhouse.ts'
import type { ClickHouseAddress } from '../services/index.ts'
import { pause, type Tocsin, until } from './processes.ts'

/** What the history may need to catch up before it is looked at again. */
const RECORDING_MS = 2_000

/** Asks for rows. Times are text as ClickHouse writes it, integers of 64 bits are numbers. */
export type Ask = <Row>(sql: string) => Promise<Row[]>

export function askAt(address: ClickHouseAddress, database: string): Ask {
  return async <Row>(sql: string) => {
    const settings = new URLSearchParams({
      database,
      default_format: 'JSONEachRow',
      output_format_json_quote_64bit_integers: '0',
    })
    const headers = { 'x-clickhouse-user': address.username, 'x-clickhouse-key': address.password }
    const response = await fetch(`${address.url}/?${settings.toString()}`, {
      method: 'POST',
      body: sql,
      headers,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${sql}: ${text}`)
    const lines = text.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Row)
  }
}

/**
 * Stops an embedded tocsin, which must end with status 0, and reads its history; starts it again for a while as long as
 * `read` gives null because rows are still on their way. It is stopped in the end.
 */
export function readHistory<T>(
  tocsin: Tocsin,
  what: string,
  read: (ask: Ask) => Promise<T | null>,
): Promise<T> {
  return until(what, async () => {
    const status = await tocsin.stop()
    if (status !== 0) throw new Error(`tocsin ended with status ${status}`)
    const found = await withEngine(join(tocsin.data_dir, 'clickhouse'), read)
    if (found !== null) return found
    await tocsin.start()
    await pause(RECORDING_MS)
    return null
  }) as Promise<T>
}

async function withEngine<T>(data_dir: string, read: (ask: Ask) => Promise<T>): Promise<T> {
  const server = await startEmbeddedClickHouse({ data_dir, on_exit: () => {}, log: () => {} })
  try {
    return await read(askAt(server, 'tocsin'))
  } finally {
    await server.stop()
  }
}
