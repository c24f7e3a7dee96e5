import type { ClickHouseClient } from '@clickhouse/client'
import { type AnalyticsQuestion, LOCAL_DIMENSIONS, type Period } from '../../schemas/analytics_question.ts'
import type { DaySums } from '../estimates/ratios.ts'
import type { RatioMetric } from '../metrics/metric.ts'
import { AS_OF, FROM, piecesOf, TO } from '../metrics/pieces.ts'
import { day } from '../metrics/volume.ts'
import { rowsOf } from './ask.ts'

const SLOT_MS = 900_000

interface Slots {
  readonly grouped: readonly string[]
  readonly day: string
  readonly ms: number
}

/** How much time of each local day of a period falls into each group. */
export interface Exposures {
  /** The sums of each day with its time on the side that the metric says, days without rows included. */
  fill(
    metric: RatioMetric,
    key: readonly string[],
    days: readonly (DaySums & { readonly day: string })[],
  ): DaySums[]
}

/** Only dimensions of time divide it; days of 23 and 25 hours are that long. Quarters of an hour are not cut. */
export async function exposures(
  client: ClickHouseClient,
  question: AnalyticsQuestion,
  period: Period,
): Promise<Exposures> {
  const local = question.by.filter((dimension) => LOCAL_DIMENSIONS.some((name) => name === dimension))
  const places = local.map((dimension) => question.by.indexOf(dimension))
  const pieces = piecesOf({ ...question, by: local, filters: {}, labels: [] }, period)
  const end_ms = Math.min(period.to_ms, question.as_of_ms)
  const sql = `
    SELECT ${pieces.groups('at')} AS grouped, toString(${day('at')}) AS day, toFloat64(sum(slot_ms)) AS ms
    FROM (
      SELECT addMilliseconds(${FROM}, number * ${SLOT_MS}) AS at, least(${SLOT_MS}, dateDiff('millisecond', at, least(${TO}, ${AS_OF}))) AS slot_ms
      FROM numbers(toUInt64({slots:UInt32}))
    ) GROUP BY grouped, day ORDER BY day`
  const slots = Math.max(0, Math.ceil((end_ms - period.from_ms) / SLOT_MS))
  const rows = await rowsOf<Slots>(client, { sql, parameters: { ...pieces.parameters, slots } })
  const groups = Map.groupBy(rows, ({ grouped }) => JSON.stringify(grouped))
  return {
    fill({ exposure }, key, days) {
      const own = groups.get(JSON.stringify(places.map((place) => key[place]))) ?? []
      const seen = new Map(days.map((one) => [one.day, one]))
      const filled = own.map(({ day: date, ms }) => {
        const { numerator = 0, denominator = 0 } = seen.get(date) ?? {}
        seen.delete(date)
        const time = exposure === undefined ? 0 : ms / exposure.unit_ms
        return exposure?.side === 'numerator'
          ? { numerator: numerator + time, denominator }
          : { numerator, denominator: denominator + time }
      })
      return [...filled, ...seen.values()]
    },
  }
}
