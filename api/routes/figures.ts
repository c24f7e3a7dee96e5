import { z } from 'zod'
import { DURATIONS } from '../../analytics/metrics/durations.ts'
import { dimensionsOf, metricNamed, METRICS } from '../../analytics/metrics/catalogue.ts'
import type { Metric } from '../../analytics/metrics/metric.ts'
import { type Query, type RowFormat, streamOf } from '../../analytics/queries/ask.ts'
import { askMetric, figureQuery, pointsQuery } from '../../analytics/queries/metric.ts'
import { askSurvival } from '../../analytics/queries/survival.ts'
import { askTable, tableQuery } from '../../analytics/queries/table.ts'
import { TABLES } from '../../analytics/tables/catalogue.ts'
import type { Table } from '../../analytics/tables/table.ts'
import {
  metricAnswer,
  metricDescription,
  survivalAnswer,
  tableAnswer,
  tableDescription,
} from '../../schemas/analytics_answer.ts'
import type { AnalyticsQuestion } from '../../schemas/analytics_question.ts'
import { analyticsQuery, checkDimensions, questionOf } from '../analytics_query.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts, AskHistory } from '../parts.ts'
import type { App } from '../validation.ts'
import type { FastifyReply } from 'fastify'

const CONTENT_TYPES: Readonly<Record<RowFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  arrow: 'application/vnd.apache.arrow.stream',
  parquet: 'application/vnd.apache.parquet',
}

const config = { role: 'viewer' } as const
const format = z
  .enum(['json', 'csv', 'arrow', 'parquet'])
  .default('json')
  .describe('json: the figure; the others: every row that it is made of, as ClickHouse writes them')

/** Figures of the history (analytics/metrics) and the rows behind panels (analytics/tables). */
export function figuresRoutes(app: App, parts: ApiParts): void {
  catalogueRoute(app)
  metricRoute(app, parts)
  survivalRoute(app, parts)
  for (const table of TABLES) tableRoute(app, parts, table)
}

function asked({ askHistory }: ApiParts): AskHistory {
  if (!askHistory) throw new ApiError('history-off', 'the history is switched off')
  return askHistory
}

async function rows(reply: FastifyReply, ask: AskHistory, name: string, query: Query, as: RowFormat) {
  const stream = await ask((client) => streamOf(client, query, as))
  reply.type(CONTENT_TYPES[as]).header('content-disposition', `attachment; filename="${name}.${as}"`)
  return stream
}

function catalogueRoute(app: App): void {
  const response = answers({
    200: z.object({ metrics: z.array(metricDescription), tables: z.array(tableDescription) }),
  })
  app.get(
    '/api/v1/analytics/metrics',
    {
      schema: {
        tags: ['analytics'],
        summary: 'What can be asked of the history, and what it means',
        response,
      },
      config,
    },
    async () => ({
      metrics: METRICS.map(({ name, kind, unit, better, about, title, definition, traps }) => {
        return {
          name,
          kind,
          unit,
          better,
          about,
          title,
          definition,
          traps: [...traps],
          dimensions: [...dimensionsOf(about)],
        }
      }),
      tables: TABLES.map(({ name, title, definition }) => ({ name, title, definition })),
    }),
  )
}

function metricOf(name: string): Metric {
  const metric = metricNamed(name)
  if (!metric) throw new ApiError('metric-unknown', `there is no metric ${name}`, { field: 'name' })
  return metric
}

/** The question, with nothing in it that the metric does not have. */
function aboutMetric(
  metric: Metric,
  query: z.output<typeof analyticsQuery>,
  now_ms: number,
): AnalyticsQuestion {
  const question = questionOf(query, now_ms)
  checkDimensions(question, dimensionsOf(metric.about), metric.name)
  return question
}

function metricRoute(app: App, parts: ApiParts): void {
  const schema = {
    tags: ['analytics'],
    summary: 'One figure of the history by its groups, with intervals, compared with another period if asked',
    params: z.object({ name: z.string().max(64).describe('as /api/v1/analytics/metrics lists them') }),
    querystring: analyticsQuery.extend({ format }),
    response: answers({ 200: metricAnswer }),
  }
  app.get('/api/v1/analytics/metrics/:name', { schema, config }, async ({ params, query }, reply) => {
    const metric = metricOf(params.name)
    const ask = asked(parts)
    const question = aboutMetric(metric, query, parts.clock.now())
    if (query.format !== 'json')
      return rows(reply, ask, metric.name, pointsQuery(metric, question), query.format) as never
    const answer = await ask((client) => askMetric(client, metric, question))
    if (query.explain === 'false') return answer
    return { ...answer, explain: figureQuery(metric, question, question.period) }
  })
}

function survivalRoute(app: App, parts: ApiParts): void {
  const names = DURATIONS.map(({ name }) => name)
  const schema = {
    tags: ['analytics'],
    summary: 'Curves of Kaplan and Meier: which share takes longer than a time',
    querystring: analyticsQuery.extend({
      metric: z.enum(names).default('time_to_resolve').describe('a metric of kind duration'),
    }),
    response: answers({ 200: survivalAnswer }),
  }
  app.get('/api/v1/analytics/survival', { schema, config }, async ({ query }) => {
    const metric = metricOf(query.metric)
    if (metric.kind !== 'duration') throw new Error(`${metric.name} is no duration`)
    const question = aboutMetric(metric, query, parts.clock.now())
    const answer = await asked(parts)((client) => askSurvival(client, metric, question))
    if (query.explain === 'false') return answer
    return { ...answer, explain: figureQuery(metric, question, question.period) }
  })
}

function tableRoute(app: App, parts: ApiParts, table: Table): void {
  const schema = {
    tags: ['analytics'],
    summary: table.title.en,
    description: table.definition.en,
    querystring: analyticsQuery.extend({ format }),
    response: answers({ 200: tableAnswer }),
  }
  app.get(`/api/v1/analytics/${table.name}`, { schema, config }, async ({ query }, reply) => {
    const ask = asked(parts)
    const question = questionOf(query, parts.clock.now())
    checkDimensions(question, dimensionsOf(table.about), table.name)
    if (query.format !== 'json')
      return rows(reply, ask, table.name, tableQuery(table, question), query.format) as never
    const answer = await ask((client) => askTable(client, table, question))
    return query.explain === 'false' ? answer : { ...answer, explain: tableQuery(table, question) }
  })
}
