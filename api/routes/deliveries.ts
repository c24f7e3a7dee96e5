import { z } from 'zod'
import { DELIVERY_STATES } from '../../notify/delivery.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const query = z.strictObject({
  incident_id: z.string().max(LIMITS.id_chars).optional().describe('only those of this incident'),
  sink: z.string().max(LIMITS.source_chars).optional().describe('only those to this sink'),
  state: z.enum(DELIVERY_STATES).optional().describe('only those in this state'),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
})
const list = z.object({
  deliveries: z.array(z.looseObject({})).describe('newest step first'),
  total: z.number().int().describe('deliveries that match, shown or not'),
})

export function deliveriesRoute(app: App, { listDeliveries }: ApiParts): void {
  const schema = {
    tags: ['deliveries'],
    summary: 'List what sinks were told',
    querystring: query,
    response: answers({ 200: list }),
  }
  app.get(
    '/api/v1/deliveries',
    { schema, config: { role: 'viewer' } },
    async ({ query: { limit, incident_id, sink, state } }) => {
      const filter = {
        ...(incident_id !== undefined && { incident_id }),
        ...(sink !== undefined && { sink }),
        ...(state !== undefined && { state }),
      }
      const { total, deliveries } = await listDeliveries(filter, limit)
      return { deliveries: deliveries.map((row) => ({ ...row })), total }
    },
  )
}
