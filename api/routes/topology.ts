import { z } from 'zod'
import { readTopology, TopologyError, topologyParts } from '../../ingest/topology/read.ts'
import { encodeRecord } from '../../schemas/codec.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { storedRelations } from '../rows.ts'
import type { App } from '../validation.ts'

const source = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'expected lower-case letters, digits, - and _')
  .max(LIMITS.source_chars)
  .describe('who says so; what it said before and does not repeat is gone')
const relation = z.object({
  to: z.string(),
  kind: z.string(),
  toward: z.enum(['dependency', 'dependent']),
  source: z.string(),
})
const scope = z
  .string()
  .max(LIMITS.scope_chars)
  .default('')
  .describe('the scope that it holds in; left out: all')
const accepted = z.object({ source: z.string(), version: z.string(), edges: z.number().int() })

export function topologyRoutes(app: App, parts: ApiParts): void {
  putRoute(app, parts)
  readRoute(app, parts)
}

function putRoute(app: App, { log }: ApiParts): void {
  const schema = {
    tags: ['topology'],
    summary: 'Declare what depends on what',
    description:
      'The body is `{"edges": [{"from", "to", "kind"}]}`, a list of Kubernetes objects, or the answer of Prometheus to a query of a service graph.',
    params: z.object({ source }),
    querystring: z.strictObject({ scope }),
    body: z.unknown(),
    response: answers({ 200: accepted }),
  }
  app.put(
    '/api/v1/topology/:source',
    { schema, config: { role: 'admin' }, bodyLimit: LIMITS.http_body_bytes },
    async ({ params, query, body }) => {
      const edges = edgesOf(body)
      const all = topologyParts(params.source, query.scope, edges)
      const partitions = Array.from({ length: log.partitions('alerts') }, (_, partition) => partition)
      // One part after the other: an entry that is not taken leaves a beginning, which the next attempt repeats.
      for (const topology of all) {
        const value = encodeRecord({ kind: 'topology', topology })
        await log.append(partitions.map((partition) => ({ topic: 'alerts' as const, partition, value })))
      }
      return { source: params.source, version: all[0]?.version ?? '', edges: edges.length }
    },
  )
}

function edgesOf(body: unknown) {
  try {
    return readTopology(body)
  } catch (error) {
    if (error instanceof TopologyError) throw new ApiError('invalid-body', error.message, { field: 'edges' })
    throw error
  }
}

function readRoute(app: App, { store }: ApiParts): void {
  const schema = {
    tags: ['topology'],
    summary: 'What an entity depends on, and what depends on it',
    querystring: z.strictObject({ entity: z.string().min(1).max(LIMITS.label_value_chars), scope }),
    response: answers({
      200: z.object({ entity: z.string(), hub: z.boolean(), relations: z.array(relation) }),
    }),
  }
  app.get('/api/v1/topology', { schema, config: { role: 'viewer' } }, async ({ query }) => ({
    entity: query.entity,
    ...(await storedRelations(store, query.scope, query.entity)),
  }))
}
