import type { ClickHouseClient } from '@clickhouse/client'
import type { LogEntry, Position } from '../runtime/ports.ts'
import type { Batch, Remembered } from './batch.ts'

/** What is asked when ClickHouse has to tell how far a partition of the log was recorded. */
export interface Inquiry {
  readonly client: ClickHouseClient
  readonly partition: number
  /** Everything before is recorded, and what is remembered of it was restored. */
  readonly from: Position
  /** The log took nothing from there on before this time; 0 when that is not known. */
  readonly since_ms: number
  readonly signal: AbortSignal
}

/**
 * What is particular to one topic: how its entries become rows, and what has to be remembered so that an entry which
 * was appended twice gives rows once. It remembers through `batch.remembered`, so that a replay begins with the same.
 */
export interface Recorder {
  /** One stored row of what was remembered. */
  restore(key: string, value: Buffer): void
  /** Called when all rows were given. */
  restored(): void
  /**
   * Nothing was stored, or it was lost: gathers from ClickHouse what is to be remembered, and puts it into `remembered` to be
   * stored again. Returns the position to go on from.
   */
  rebuild(inquiry: Inquiry, remembered: Remembered): Promise<Position>
  /** Adds the rows of one entry; throws CodecError when it is no entry of this topic. */
  add(partition: number, entry: LogEntry, batch: Batch): void
  /** A batch is complete: forget what need not be remembered any more. */
  forget(batch: Batch): void
}

/** Rows of a question to ClickHouse about one partition of the log. */
export async function ask<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params,
    format: 'JSONEachRow',
    abort_signal: signal,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  })
  return result.json<Row>()
}

/** The position behind the highest that a table has of one partition of the log; 0 if it has none. */
export async function recordedTo(
  { client, partition, signal }: Inquiry,
  table: string,
  since_ms = 0,
): Promise<Position> {
  const query = `
    SELECT count() AS rows, max(log_position) AS position FROM ${table}
    WHERE log_partition = {partition:UInt16} AND at >= fromUnixTimestamp64Milli({since_ms:Int64})`
  const [found] = await ask<{ rows: number; position: number }>(
    client,
    query,
    { partition, since_ms },
    signal,
  )
  return found === undefined || found.rows === 0 ? 0 : found.position + 1
}
