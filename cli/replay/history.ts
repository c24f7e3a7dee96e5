import type { ClickHouseClient } from '@clickhouse/client'
import { Misconfigured } from '../../runtime/errors.ts'
import { type Alert, alert as alertSchema } from '../../schemas/alert.ts'
import type { Recorded } from './lines.ts'

/** From when to before when, in milliseconds since the epoch. */
export interface Period {
  readonly from_ms: number
  readonly to_ms: number
}

/** A further statement of an alert that was told before. */
export interface Repeated {
  readonly at_ms: number
  readonly fingerprint: string
}

interface Placed {
  readonly at_ms: number
  readonly log_partition: number
  readonly log_position: number
}
type AlertLine = Placed & Alert
type RepeatLine = Placed & { readonly fingerprint: string }

const SETTINGS = { readonly: '2', output_format_json_quote_64bit_integers: 0 } as const
const WHEN = `at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')`
const PLACE = `toUnixTimestamp64Milli(at) AS at_ms, log_partition, log_position`

/** In the order of the tables, so that nothing has to be sorted. */
const ALERTS = `
  SELECT ${PLACE}, fingerprint, labels, annotations, generator_url, severity, entity, scope, source,
    toUnixTimestamp64Milli(starts_at) AS starts_at_ms, toUnixTimestamp64Milli(ends_at) AS ends_at_ms, toUInt32(1) AS repeats
  FROM alerts WHERE ${WHEN} ORDER BY at, log_partition, log_position, ordinal`
const REPEATS = `
  SELECT ${PLACE}, fingerprint FROM alert_repeats WHERE ${WHEN} ORDER BY at, log_partition, log_position`

/** A period of the history, in the order of the log; repeats of alerts of before the period among them. Throws Misconfigured. */
export async function* historyOfAlerts(
  client: ClickHouseClient,
  period: Period,
): AsyncGenerator<Recorded | Repeated> {
  const alerts = rowsOf<AlertLine>(client, ALERTS, period)
  const repeats = rowsOf<RepeatLine>(client, REPEATS, period)
  let repeat = await repeats.next()
  for await (const { log_partition, log_position, at_ms, ...told } of alerts) {
    for (
      ;
      !repeat.done && isBefore(repeat.value, { log_partition, log_position, at_ms });
      repeat = await repeats.next()
    )
      yield repeatOf(repeat.value)
    yield { at_ms, alert: alertSchema.parse(told) }
  }
  for (; !repeat.done; repeat = await repeats.next()) yield repeatOf(repeat.value)
}

function repeatOf({ at_ms, fingerprint }: RepeatLine): Repeated {
  return { at_ms, fingerprint }
}

function isBefore(a: Placed, b: Placed): boolean {
  if (a.at_ms !== b.at_ms) return a.at_ms < b.at_ms
  return a.log_partition !== b.log_partition
    ? a.log_partition < b.log_partition
    : a.log_position < b.log_position
}

async function* rowsOf<Row>(client: ClickHouseClient, query: string, period: Period): AsyncGenerator<Row> {
  const result = await client
    .query({ query, query_params: { ...period }, format: 'JSONEachRow', clickhouse_settings: SETTINGS })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      throw new Misconfigured('no-history', `the history cannot be read: ${why}`)
    })
  for await (const rows of result.stream()) for (const row of rows) yield row.json<Row>()
}
