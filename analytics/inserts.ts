import { Readable } from 'node:stream'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import type { Retryable } from '../runtime/errors.ts'
import type { Clock, Shard } from '../runtime/ports.ts'
import type { Batch, Insert } from './batch.ts'
import { backoff_ms, unavailable } from './connection.ts'
import { ask } from './recorders.ts'
import { COLUMNS, type TableName } from './rows.ts'

/** What the record fold tells about itself; metrics, logs and alarms hang on it. */
export interface RecordObserver {
  inserted(table: TableName, rows: number, took_ms: number): void
  /** ClickHouse does not take the rows; it is tried again for as long as it takes. */
  retrying(shard: Shard, error: Retryable, attempt: number): void
  /** An entry that is none of ours gives no rows. */
  undecodable(shard: Shard, position: number, error: Error): void
}

export interface InsertParts {
  readonly client: Promise<ClickHouseClient>
  readonly clock: Clock
  readonly observer: RecordObserver
  readonly shard: Shard
  readonly partition: number
}

/** One insert is one block, hence one part: it is there as a whole or not at all, and the token names it. */
const ONE_BLOCK: ClickHouseSettings = {
  async_insert: 0,
  distributed_foreground_insert: 1,
  insert_deduplicate: 1,
  wait_end_of_query: 1,
  input_format_parallel_parsing: 0,
  max_insert_block_size: '100000000',
  min_insert_block_size_rows: '100000000',
  min_insert_block_size_bytes: '10000000000',
}

/** Tables whose rows stay, so that a look at the positions tells whether an insert is there. In the others equal keys give one row. */
const POSITIONS_STAY: ReadonlySet<TableName> = new Set([
  'alerts',
  'alert_repeats',
  'incident_changes',
  'dead_letters',
])
const CHUNK_LINES = 500
/** A process that slept this long between plan and insert may have been replaced, and its rows inserted long ago. */
const STALE_AFTER_MS = 10_000

/**
 * Inserts the rows of a planned batch, each insert exactly once however often this is called with the same plan: the
 * token makes ClickHouse drop what its deduplication window still knows, and from the second attempt on (`again`: from
 * the first, for a plan found at a restart) a look into the table tells the rest. Tries for ever; false when aborted.
 */
export async function insertAll(
  parts: InsertParts,
  batch: Batch,
  again: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const planned_ms = parts.clock.now()
  const client = await unlessAborted(parts.client, signal)
  if (client === null) return false
  for (const insert of batch.inserts()) {
    for (let attempt = 1, done = false; !done; attempt++) {
      if (signal.aborted) return false
      const look = again || attempt > 1 || parts.clock.now() - planned_ms > STALE_AFTER_MS
      try {
        await insertOnce(parts, client, batch, insert, look, signal)
        done = true
      } catch (error) {
        if (signal.aborted) return false
        parts.observer.retrying(parts.shard, unavailable(error), attempt)
        await parts.clock.sleep(backoff_ms(attempt), signal)
      }
    }
  }
  return true
}

/** Null when the signal comes first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null
  const { promise: aborted, resolve } = Promise.withResolvers<null>()
  const onAbort = () => resolve(null)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function insertOnce(
  parts: InsertParts,
  client: ClickHouseClient,
  batch: Batch,
  insert: Insert,
  look: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { table, month } = insert
  const format = table === 'alert_repeats' ? 'RowBinary' : 'JSONCompactEachRow'
  if (look && (await isThere(client, parts.partition, batch, insert, signal))) return
  const began_ms = parts.clock.now()
  const insert_deduplication_token = `${parts.shard}/${batch.from}-${batch.to}/${table}/${month}`
  const { stream } = await client.exec({
    query: `INSERT INTO ${table} (${COLUMNS[table].join(', ')}) FORMAT ${format}`,
    values: Readable.from(content(insert), { objectMode: false }),
    clickhouse_settings: { ...ONE_BLOCK, insert_deduplication_token },
    abort_signal: signal,
  })
  // The answer is empty; reading it to its end frees the connection and tells of errors that came late.
  for await (const _ of stream) continue
  parts.observer.inserted(table, rowsOf(insert), parts.clock.now() - began_ms)
}

function rowsOf({ lines, repeats }: Insert): number {
  return [...repeats.values()].reduce((sum, { count }) => sum + count, lines.length)
}

function* content({ lines, repeats }: Insert): Generator<Buffer> {
  for (const counts of repeats.values()) yield* counts.rows()
  for (let i = 0; i < lines.length; i += CHUNK_LINES)
    yield Buffer.from(`${lines.slice(i, i + CHUNK_LINES).join('\n')}\n`)
}

async function isThere(
  client: ClickHouseClient,
  partition: number,
  batch: Batch,
  insert: Insert,
  signal: AbortSignal,
): Promise<boolean> {
  if (!POSITIONS_STAY.has(insert.table)) return false
  const query = `
    SELECT 1 FROM ${insert.table}
    WHERE toYYYYMM(at) = {month:UInt32} AND log_partition = {partition:UInt16} AND log_position >= {from:UInt64} AND log_position < {to:UInt64}
    LIMIT 1`
  const found = await ask(
    client,
    query,
    { month: insert.month, partition, from: insert.from, to: batch.to },
    signal,
  )
  return found.length > 0
}
