import { z } from 'zod'
import { readEvidence, readSeries } from '../../ingest/series_view.ts'
import { fingerprint, labels } from '../../schemas/alert.ts'
import { encodeDetectRecord } from '../../schemas/detect.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { QUALITIES } from '../../schemas/sample.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { plannedFields, readMatchers } from '../planned.ts'
import type { App } from '../validation.ts'
import { idempotencyHeaders } from './commands.ts'

const condition = z.object({ condition: z.string(), told: z.boolean(), since_ms: z.number() })
const seen = z.object({
  scope: z.string(),
  labels,
  device: z.string(),
  at_ms: z.number().nullable(),
  value: z.number(),
  quality: z.enum(QUALITIES),
  detectors: z.array(z.object({ rule: z.string(), detector: z.string(), holds: z.array(condition) })),
  resting: z.string().nullable(),
})
const point = z
  .tuple([z.number(), z.number(), z.number().nullable(), z.number().nullable()])
  .describe('from and to (ms), least and greatest value in between; null where nobody vouches for it')
const evidence = z.object({
  fingerprint,
  scope: z.string(),
  labels,
  alertname: z.string(),
  detector: z.string(),
  condition: z.string(),
  unit: z.string(),
  value: z.number().nullable(),
  limit: z.number().nullable(),
  score: z.number(),
  band: z.tuple([z.number(), z.number()]).nullable().describe('what was usual: least and greatest'),
  raised_at_ms: z.number(),
  cleared_at_ms: z.number().nullable(),
  points: z.array(point).describe('in order of time; where there is none for a while, nothing was read'),
})

export function seriesRoutes(app: App, parts: ApiParts): void {
  listRoute(app, parts)
  evidenceRoute(app, parts)
  acceptRoute(app, parts)
}

const query = z.strictObject({
  match: z
    .union([z.string(), z.array(z.string()).max(LIMITS.matchers_per_silence)])
    .default([])
    .describe('matchers such as `equipment=~"acme/hall1/.*"`, all of which must hold'),
  alerting: z.enum(['true', 'false']).default('false').describe('only those with a condition that holds'),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
})

function listRoute(app: App, { store, log }: ApiParts): void {
  const schema = {
    tags: ['series'],
    summary: 'List the series that detectors watch, with their last value',
    querystring: query,
    response: answers({ 200: z.object({ series: z.array(seen), total: z.number().int() }) }),
  }
  app.get(
    '/api/v1/series',
    { schema, config: { role: 'viewer' } },
    async ({ query: { match, alerting, limit } }) => {
      const filter = { match: readMatchers([match].flat(), 'match'), alerting: alerting === 'true' }
      const { series, total } = await readSeries(store, log.partitions('samples'), filter, limit)
      return { series, total }
    },
  )
}

function evidenceRoute(app: App, { store, log }: ApiParts): void {
  const schema = {
    tags: ['series'],
    summary: 'The readings around an alert of a detector, with its limit and what was usual',
    querystring: z.strictObject({ fingerprint }),
    response: answers({ 200: evidence }),
  }
  app.get('/api/v1/series/evidence', { schema, config: { role: 'viewer' } }, async ({ query: asked }) => {
    const found = await readEvidence(store, log.partitions('samples'), asked.fingerprint)
    if (found === null)
      throw new ApiError(
        'evidence-unknown',
        'no detector told an alert with this fingerprint, or it is long over',
        {
          field: 'fingerprint',
        },
      )
    return found
  })
}

function acceptRoute(app: App, { log, clock }: ApiParts): void {
  const schema = {
    tags: ['series'],
    summary: 'What these series show now is their new usual: detectors that learn begin anew',
    body: z.strictObject({ matchers: plannedFields.matchers }),
    headers: idempotencyHeaders,
    response: answers({ 200: z.object({ command_id: z.string() }) }),
  }
  app.post(
    '/api/v1/series/accept',
    { schema, config: { role: 'responder' }, bodyLimit: 262_144 },
    async ({ body, headers, actor }) => {
      const command_id = headers['idempotency-key'] ?? clock.token()
      const match = readMatchers(body.matchers, 'matchers')
      const value = encodeDetectRecord({ kind: 'accept', id: command_id, actor, match })
      const partitions = Array.from({ length: log.partitions('samples') }, (_, partition) => partition)
      await log.append(partitions.map((partition) => ({ topic: 'samples' as const, partition, value })))
      return { command_id }
    },
  )
}
