/** SQL of Grafana's panels, made of the metrics and tables of the history: what they mean is said there, once. */
import { metricNamed } from '../../analytics/metrics/catalogue.ts'
import type { Query } from '../../analytics/queries/ask.ts'
import { figureQuery } from '../../analytics/queries/metric.ts'
import { tableQuery } from '../../analytics/queries/table.ts'
import { TABLES } from '../../analytics/tables/catalogue.ts'
import { type AnalyticsQuestion, DEFAULT_SHIFTS } from '../../schemas/analytics_question.ts'

const ANY = ['any']
/** Filters that the dashboards have as variables. */
const VARIABLES = ['scope', 'service', 'severity'] as const

const QUESTION: AnalyticsQuestion = {
  period: { from_ms: 0, to_ms: 1 },
  compared: null,
  as_of_ms: 1,
  tz: 'UTC',
  by: [],
  filters: Object.fromEntries(VARIABLES.map((name) => [name, ANY])),
  labels: [],
  shifts: DEFAULT_SHIFTS,
  business_hours: null,
  target_ms: null,
  within_ms: null,
  cost_per_hour: {},
}

/** What Grafana puts in: times in milliseconds, the values of variables in quotes. */
const PUT_IN: Readonly<Record<string, string>> = {
  from_ms: '${__from}',
  to_ms: '${__to}',
  as_of_ms: 'toUnixTimestamp64Milli(now64(3))',
  tz: "'${tz}'",
  ...Object.fromEntries(VARIABLES.map((name) => [`only_${name}`, `[\${${name}:singlequote}]`])),
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  return typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`
}

/** A query without bound parameters, which Grafana has none of. */
function forGrafana({ sql, parameters }: Query): string {
  return sql.replaceAll(/\{(\w+):([^{}]+)\}/g, (_, name: string, type: string) => {
    const value = PUT_IN[name] ?? literal(parameters[name])
    return type.startsWith('Array') ? `${value}::${type}` : value
  })
}

function figure(name: string, by: AnalyticsQuestion['by']): string {
  const metric = metricNamed(name)
  if (!metric) throw new Error(`there is no metric ${name}`)
  return forGrafana(figureQuery(metric, { ...QUESTION, by }, QUESTION.period))
}

/** The median by Kaplan and Meier in seconds; nothing when it is not reached. */
export function median(name: string, by: AnalyticsQuestion['by'] = []): string {
  return `
SELECT arrayStringConcat(grouped, ' ') AS name, minIf(duration, survival <= 0.5 + 1e-9) AS median_s, max(n) AS n
FROM (
  SELECT *, exp(sum(log(greatest(1 - events / at_risk, 1e-300))) OVER (PARTITION BY grouped ORDER BY duration)) AS survival
  FROM (
    SELECT *, events + open + closed AS leaving, sum(leaving) OVER (PARTITION BY grouped) AS n,
           sum(leaving) OVER (PARTITION BY grouped ORDER BY duration DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS at_risk
    FROM (
${figure(name, by)}
    )
  )
)
GROUP BY name HAVING countIf(survival <= 0.5 + 1e-9) > 0 ORDER BY n DESC LIMIT 20`.trim()
}

/** A share with what it is a share of. */
export function share(name: string, by: AnalyticsQuestion['by'] = []): string {
  return `SELECT arrayStringConcat(grouped, ' ') AS name, hits / n AS share, n FROM (\n${figure(name, by)}\n)`
}

/** What is counted, by days. */
export function perDay(name: string, by: AnalyticsQuestion['by'] = []): string {
  const label = by.length === 0 ? '' : ", arrayStringConcat(grouped, ' ') AS name"
  return `SELECT toDateTime(day, '\${tz}') AS time${label}, numerator AS value FROM (\n${figure(name, by)}\n) ORDER BY time`
}

export function table(name: string): string {
  const found = TABLES.find((one) => one.name === name)
  if (!found) throw new Error(`there is no table ${name}`)
  return forGrafana(tableQuery(found, QUESTION))
}

/** Values of a variable that the period has. */
export function values(name: (typeof VARIABLES)[number]): string {
  return `SELECT DISTINCT toString(${name}) AS value FROM incident_facts WHERE opened_at >= fromUnixTimestamp64Milli(\${__from}, 'UTC') AND opened_at < fromUnixTimestamp64Milli(\${__to}, 'UTC') ORDER BY value LIMIT 1000`
}
