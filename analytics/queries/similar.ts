import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import type { Change } from '../../schemas/change.ts'
import type { Severity } from '../../schemas/alert.ts'
import type { SimilarIncidents, SimilarQuestion } from '../../schemas/similar.ts'

/** As for every question; an operator waits for the answer, so it ends sooner. */
const READ_ONLY: ClickHouseSettings = {
  readonly: '2',
  max_execution_time: 5,
  max_memory_usage: '2000000000',
  output_format_json_quote_64bit_integers: 0,
}

/** Only incidents opened so long before, the newest so many, and so many alerts of each are looked at. */
const LOOK_BACK_MS = 365 * 86_400_000
const INCIDENTS_MAX = 2_000
const ALERTS_MAX = 200
/** Without a common alert, labels must be alike at least so much. */
const LABELS_MIN = 0.3
const SHARED_TOLD = 5
const RESOLUTION_TOLD = 5

/** Labels that say how bad it is or in words what happened: sharing them is no likeness. */
const NO_LIKENESS = ['severity', 'priority', 'level', 'message', 'summary', 'description', 'status', 'state']
const HOW_RESOLVED = new Set([
  'acknowledged',
  'mitigated',
  'resolved',
  'reviewed',
  'reopened',
  'commented',
  'merged',
])

const TIME = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`
const CANDIDATES = `
  SELECT id FROM incidents FINAL
  WHERE scope = {scope:String} AND opened_at >= ${TIME('from_ms')} AND opened_at < ${TIME('opened_at_ms')}
    AND id != {incident_id:String} AND state != 'merged' AND isNotNull(resolved_at)
  ORDER BY opened_at DESC, id LIMIT {incidents_max:UInt32}`

/** What an incident is made of, on two levels: its alerts, and the values of their labels. */
const TERMS = `
  SELECT incident_id, part.1 AS level, part.2 AS term, min(joined_at) AS at
  FROM (
    SELECT incident_id, fingerprint, joined_at, labels, entity FROM memberships
    WHERE scope = {scope:String} AND joined_at >= ${TIME('from_ms')}
      AND incident_id IN (${CANDIDATES} UNION ALL SELECT {incident_id:String})
    ORDER BY incident_id, fingerprint, joined_at LIMIT {alerts_max:UInt32} BY incident_id
  )
  ARRAY JOIN arrayConcat(
    [('alert', concat(labels['alertname'], ' on ', entity))],
    arrayMap((name, value) -> ('label', concat(name, '=', value)),
             arrayFilter((name, value) -> NOT has({no_likeness:Array(String)}, name), mapKeys(labels), mapValues(labels)),
             arrayFilter((value, name) -> NOT has({no_likeness:Array(String)}, name), mapValues(labels), mapKeys(labels)))
  ) AS part
  GROUP BY incident_id, level, term`

/** The weight of a term is its inverse document frequency (Spärck Jones 1972). */
const WEIGHED = `
  SELECT incident_id, level, term, at,
         log(1 + (1 + (SELECT count() FROM (${CANDIDATES}))) / count() OVER (PARTITION BY level, term)) AS weight,
         max(incident_id = {incident_id:String}) OVER (PARTITION BY level, term) AS own
  FROM (${TERMS})`

/** Weighted Jaccard, on each level. */
const SCORED = `
  SELECT incident_id, level, min(at) AS first_at, sum(weight) AS total, sumIf(weight, own) AS common,
         countIf(own) AS common_terms, count() AS terms,
         arrayMap(one -> one.2, arraySlice(arrayReverseSort(groupArrayIf((weight, term), own)), 1, {shared_told:UInt32})) AS shared,
         max(if(incident_id = {incident_id:String}, total, 0)) OVER (PARTITION BY level) AS own_total,
         common / (own_total + total - common) AS likeness
  FROM (${WEIGHED}) GROUP BY incident_id, level`

const NEAREST = `
  SELECT incident_id, maxIf(likeness, level = 'alert') AS similarity, maxIf(likeness, level = 'label') AS similarity_of_labels,
         maxIf(common_terms, level = 'alert') AS common_alerts, maxIf(terms, level = 'alert') AS alerts,
         anyIf(shared, level = 'alert') AS shared_alerts, anyIf(shared, level = 'label') AS shared_labels
  FROM (${SCORED}) GROUP BY incident_id
  HAVING incident_id = {incident_id:String} OR similarity > 0 OR similarity_of_labels >= {labels_min:Float64}
  ORDER BY incident_id = {incident_id:String} DESC, similarity DESC, similarity_of_labels DESC, min(first_at) DESC, incident_id
  LIMIT {rows_max:UInt32}`

interface Near {
  readonly incident_id: string
  readonly similarity: number
  readonly similarity_of_labels: number
  readonly common_alerts: number
  readonly alerts: number
  readonly shared_alerts: readonly string[]
  readonly shared_labels: readonly string[]
}

interface Told {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly opened_ms: number
  readonly resolved_ms: number
  readonly assignee: string
  readonly tickets: SimilarIncidents['incidents'][number]['tickets']
  readonly change: string
}

/**
 * Earlier incidents of the same scope that resolved, by what they have in common with one: first the alerts (alertname and entity), then
 * the values of labels. Throws what the client throws.
 */
export async function similarTo(
  client: ClickHouseClient,
  question: SimilarQuestion,
): Promise<SimilarIncidents> {
  const { incident_id, opened_at_ms, limit } = question
  const rows = await rowsOf<Near>(client, NEAREST, {
    ...question,
    from_ms: Math.max(0, opened_at_ms - LOOK_BACK_MS),
    incidents_max: INCIDENTS_MAX,
    alerts_max: ALERTS_MAX,
    labels_min: LABELS_MIN,
    shared_told: SHARED_TOLD,
    no_likeness: NO_LIKENESS,
    rows_max: limit + 1,
  })
  const own = rows.find((row) => row.incident_id === incident_id)
  const nearest = rows.filter((row) => row !== own)
  const told = nearest.length === 0 ? [] : await toldOf(client, question, nearest)
  return {
    incident_id,
    alerts_compared: own?.alerts ?? 0,
    incidents: nearest.flatMap((near) => {
      const incident = told.find(({ id }) => id === near.incident_id)
      return incident === undefined ? [] : [answerOf(near, incident)]
    }),
  }
}

/** The incidents as they are now, each with its newest change. */
function toldOf(
  client: ClickHouseClient,
  question: SimilarQuestion,
  nearest: readonly Near[],
): Promise<Told[]> {
  const query = `
    SELECT id, title, severity, toUnixTimestamp64Milli(opened_at) AS opened_ms,
           toUnixTimestamp64Milli(assumeNotNull(resolved_at)) AS resolved_ms, assignee, tickets, newest.change AS change
    FROM (SELECT * FROM incidents FINAL
          WHERE id IN {ids:Array(String)} AND opened_at < ${TIME('opened_at_ms')} AND isNotNull(resolved_at)) AS now
    INNER JOIN (SELECT incident_id, change FROM incident_changes WHERE incident_id IN {ids:Array(String)}
                ORDER BY incident_id, revision DESC LIMIT 1 BY incident_id) AS newest ON newest.incident_id = now.id`
  return rowsOf<Told>(client, query, {
    ids: nearest.map(({ incident_id }) => incident_id),
    opened_at_ms: question.opened_at_ms,
  })
}

async function rowsOf<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params,
    format: 'JSONEachRow',
    clickhouse_settings: READ_ONLY,
  })
  return result.json<Row>()
}

function answerOf(near: Near, told: Told): SimilarIncidents['incidents'][number] {
  const { incident } = JSON.parse(told.change) as { readonly incident: Pick<Change['incident'], 'timeline'> }
  return {
    id: told.id,
    title: told.title,
    severity: told.severity,
    opened_at_ms: told.opened_ms,
    resolved_at_ms: told.resolved_ms,
    time_to_resolve_ms: Math.max(0, told.resolved_ms - told.opened_ms),
    similarity: rounded(near.similarity),
    similarity_of_labels: rounded(near.similarity_of_labels),
    shared: sharedText(near),
    resolution: incident.timeline
      .filter(({ kind }) => HOW_RESOLVED.has(kind))
      .slice(-RESOLUTION_TOLD)
      .map(({ at_ms, kind, actor, text }) => ({ at_ms, kind, actor, text })),
    assignee: told.assignee === '' ? null : told.assignee,
    tickets: told.tickets,
  }
}

function sharedText({ common_alerts, shared_alerts, shared_labels }: Near): string[] {
  const more = common_alerts - shared_alerts.length
  const alerts = `${common_alerts === 1 ? 'the alert' : `${common_alerts} alerts:`} ${shared_alerts.join(', ')}`
  return [
    ...(common_alerts === 0 ? [] : [more > 0 ? `${alerts} and ${more} more` : alerts]),
    ...(shared_labels.length === 0 ? [] : [`the labels ${shared_labels.join(', ')}`]),
  ]
}

function rounded(value: number): number {
  return Number(Math.min(1, value).toFixed(3))
}
