import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import type { DurationSummary, Summary, SummaryQuestion } from '../../schemas/analytics.ts'
import {
  type DurationCount,
  kaplanMeier,
  probabilityWithin,
  quantile,
  type SurvivalCurve,
} from '../survival.ts'

/** Queries may change their own limits but no data, whoever the user is, and end by themselves. */
const READ_ONLY: ClickHouseSettings = {
  readonly: '2',
  max_execution_time: 20,
  output_format_json_quote_64bit_integers: 0,
}
const TWO_HOURS_S = 7_200

type Measure = 'acknowledge' | 'mitigate' | 'resolve'
interface DurationRow {
  readonly measure: Measure
  readonly seconds: number
  readonly events: number
  readonly open: number
  readonly closed: number
}

const TIME = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`
const PERIOD = (column: string) => `${column} >= ${TIME('from_ms')} AND ${column} < ${TIME('to_ms')}`

function filters(question: SummaryQuestion, names: readonly ('scope' | 'severity' | 'rule')[]): string {
  return names.map((name) => (question[name] === undefined ? '' : ` AND ${name} = {${name}:String}`)).join('')
}

/** Incidents opened in the period, as they stood at the time of asking as far as their current row tells. */
function cohort(question: SummaryQuestion): string {
  return `
    SELECT opened_at, state = 'merged' AS was_merged, reopened AS times_reopened,
           if(acknowledged_at <= ${TIME('as_of_ms')}, acknowledged_at, NULL) AS acknowledged_by,
           if(mitigated_at <= ${TIME('as_of_ms')}, mitigated_at, NULL) AS mitigated_by,
           if(resolved_at <= ${TIME('as_of_ms')}, resolved_at, NULL) AS resolved_by
    FROM incidents FINAL
    WHERE ${PERIOD('opened_at')} AND opened_at <= ${TIME('as_of_ms')}${filters(question, ['scope', 'severity', 'rule'])}`
}

/**
 * The period in figures. Durations run from the opening of an incident:
 * - time to acknowledge: to the first acknowledgement by a person; nothing else implies one;
 * - time to mitigate: to its mitigation;
 * - time to resolve: to its last resolution, so that a reopened incident counts from its first opening on and time
 *   between a resolution and the reopening is part of it; one that is open again has not resolved.
 * An incident still open at `as_of_ms` is censored there, one that resolved without the event at its resolution.
 * Merged incidents are counted as opened and left out of durations: their alerts went to another.
 * Throws what the client throws.
 */
export async function summary(client: ClickHouseClient, question: SummaryQuestion): Promise<Summary> {
  const [totals, alerts, durations] = await Promise.all([
    incidentTotals(client, question),
    alertTotals(client, question),
    durationRows(client, question),
  ])
  const curves = {
    acknowledge: curveOf(durations, 'acknowledge'),
    mitigate: curveOf(durations, 'mitigate'),
    resolve: curveOf(durations, 'resolve'),
  }
  const { from_ms, to_ms, as_of_ms } = question
  return {
    from_ms,
    to_ms,
    as_of_ms,
    incidents: { opened: totals.opened, merged: totals.merged, reopened: totals.reopened },
    alerts,
    compression: alerts.statements === 0 ? null : 1 - totals.opened / alerts.statements,
    time_to_acknowledge: durationSummary(durations, 'acknowledge', curves.acknowledge),
    never_acknowledged_share: totals.resolved === 0 ? null : totals.never_acknowledged / totals.resolved,
    time_to_mitigate: durationSummary(durations, 'mitigate', curves.mitigate),
    time_to_resolve: durationSummary(durations, 'resolve', curves.resolve),
    resolved_within_2h: probabilityWithin(curves.resolve, TWO_HOURS_S),
  }
}

async function rowsOf<Row>(
  client: ClickHouseClient,
  query: string,
  question: SummaryQuestion,
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params: question,
    format: 'JSONEachRow',
    clickhouse_settings: READ_ONLY,
  })
  return result.json<Row>()
}

interface Totals {
  readonly opened: number
  readonly merged: number
  readonly reopened: number
  readonly resolved: number
  readonly never_acknowledged: number
}

async function incidentTotals(client: ClickHouseClient, question: SummaryQuestion): Promise<Totals> {
  const query = `
    SELECT count() AS opened, countIf(was_merged) AS merged, countIf(times_reopened > 0) AS reopened,
           countIf(NOT was_merged AND isNotNull(resolved_by)) AS resolved,
           countIf(NOT was_merged AND isNotNull(resolved_by) AND isNull(acknowledged_by)) AS never_acknowledged
    FROM (${cohort(question)})`
  const [row] = await rowsOf<Totals>(client, query, question)
  if (row === undefined) throw new Error('an aggregate without GROUP BY gave no row')
  return row
}

async function alertTotals(client: ClickHouseClient, question: SummaryQuestion): Promise<Summary['alerts']> {
  // An alert knows no rule; its incidents do.
  const members = `
    AND fingerprint IN (SELECT fingerprint FROM memberships
                        WHERE incident_id IN (SELECT id FROM incidents WHERE rule = {rule:String}))`
  const by_alert = filters(question, ['scope', 'severity'])
  // What says nothing new is counted without scope and severity; the alert's memberships tell them.
  const same_alert =
    by_alert === ''
      ? ''
      : `AND fingerprint IN (SELECT fingerprint FROM memberships WHERE fingerprint != ''${by_alert})`
  const by_rule = question.rule === undefined ? '' : members
  const query = `
    SELECT count() AS rows, sum(repeats) + (SELECT sum(repeats) FROM alert_repeats
                                            WHERE ${PERIOD('at')} ${same_alert} ${by_rule}) AS statements
    FROM alerts WHERE ${PERIOD('at')}${by_alert}${by_rule}`
  const [row] = await rowsOf<Summary['alerts']>(client, query, question)
  if (row === undefined) throw new Error('an aggregate without GROUP BY gave no row')
  return row
}

async function durationRows(client: ClickHouseClient, question: SummaryQuestion): Promise<DurationRow[]> {
  const query = `
    SELECT measure,
           toUInt32(ceil(greatest(0, dateDiff('millisecond', opened_at, coalesce(event, resolved_by, ${TIME('as_of_ms')}))) / 1000)) AS seconds,
           countIf(isNotNull(event)) AS events, countIf(isNull(event) AND isNull(resolved_by)) AS open,
           countIf(isNull(event) AND isNotNull(resolved_by)) AS closed
    FROM (${cohort(question)})
    ARRAY JOIN ['acknowledge', 'mitigate', 'resolve'] AS measure, [acknowledged_by, mitigated_by, resolved_by] AS event
    WHERE NOT was_merged
    GROUP BY measure, seconds`
  return rowsOf<DurationRow>(client, query, question)
}

function curveOf(rows: readonly DurationRow[], measure: Measure): SurvivalCurve {
  const own = rows.filter((row) => row.measure === measure)
  return kaplanMeier(
    own.map(
      ({ seconds, events, open, closed }): DurationCount => ({
        duration: seconds,
        events,
        censored: open + closed,
      }),
    ),
  )
}

function durationSummary(
  rows: readonly DurationRow[],
  measure: Measure,
  curve: SurvivalCurve,
): DurationSummary {
  const own = rows.filter((row) => row.measure === measure)
  const ms = (p: number) => {
    const seconds = quantile(curve, p)
    return seconds === null ? null : seconds * 1_000
  }
  const median_ms = ms(0.5)
  return {
    n: curve.n,
    open: own.reduce((sum, { open }) => sum + open, 0),
    closed_without: own.reduce((sum, { closed }) => sum + closed, 0),
    median_ms,
    median_reached: median_ms !== null,
    p75_ms: ms(0.75),
    p90_ms: ms(0.9),
    p95_ms: ms(0.95),
  }
}
