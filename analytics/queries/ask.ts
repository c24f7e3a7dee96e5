import type { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, type ClickHouseSettings } from '@clickhouse/client'
import { Reject } from '../../runtime/errors.ts'

/** A query of fixed text and its bound parameters. */
export interface Query {
  readonly sql: string
  readonly parameters: Readonly<Record<string, unknown>>
}

const QUERY_LIMITS = {
  seconds: 20,
  rows_read: 1_000_000_000,
  rows_given: 1_000_000,
  bytes_of_memory: 1_500_000_000,
} as const

/** Questions may change their own limits but no data, whoever the user is, and end by themselves. */
const READ_ONLY: ClickHouseSettings = {
  readonly: '2',
  max_execution_time: QUERY_LIMITS.seconds,
  max_rows_to_read: String(QUERY_LIMITS.rows_read),
  max_result_rows: String(QUERY_LIMITS.rows_given),
  max_memory_usage: String(QUERY_LIMITS.bytes_of_memory),
  do_not_merge_across_partitions_select_final: 1,
  output_format_json_quote_64bit_integers: 0,
}

/** ClickHouse's error codes, src/Common/ErrorCodes.cpp, and the limit that each is about. */
const OVER: Readonly<Record<string, string>> = {
  158: `it would read more than ${QUERY_LIMITS.rows_read} rows`,
  159: `it takes longer than ${QUERY_LIMITS.seconds} s`,
  160: `it would take longer than ${QUERY_LIMITS.seconds} s`,
  241: `it needs more than ${QUERY_LIMITS.bytes_of_memory} bytes of memory`,
  396: `it gives more than ${QUERY_LIMITS.rows_given} rows`,
}

/** The question is too large, as Reject `history-limit` with the limit. */
function overLimit(error: unknown): Reject | null {
  const limit = error instanceof ClickHouseError ? OVER[error.code] : undefined
  return limit === undefined ? null : new Reject('history-limit', `the question is refused: ${limit}`)
}

/** Rows of a question. Throws Reject `history-limit`, and what the client throws. */
export async function rowsOf<Row>(client: ClickHouseClient, { sql, parameters }: Query): Promise<Row[]> {
  try {
    const result = await client.query({
      query: sql,
      query_params: parameters,
      format: 'JSONEachRow',
      clickhouse_settings: READ_ONLY,
    })
    return await result.json<Row>()
  } catch (error) {
    throw overLimit(error) ?? error
  }
}

/** Forms in which ClickHouse itself writes rows. */
export const ROW_FORMATS = { csv: 'CSVWithNames', arrow: 'ArrowStream', parquet: 'Parquet' } as const
export type RowFormat = keyof typeof ROW_FORMATS

/** Rows as ClickHouse writes them, complete before the first byte comes. Throws as `rowsOf`. */
export async function streamOf(
  client: ClickHouseClient,
  { sql, parameters }: Query,
  format: RowFormat,
): Promise<Readable> {
  try {
    const { stream } = await client.exec({
      query: `${sql} FORMAT ${ROW_FORMATS[format]}`,
      query_params: parameters,
      clickhouse_settings: { ...READ_ONLY, wait_end_of_query: 1 },
    })
    return stream
  } catch (error) {
    throw overLimit(error) ?? error
  }
}
