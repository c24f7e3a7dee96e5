import { z } from 'zod'
import { Retryable } from '../../runtime/errors.ts'
import { similarIncidents } from '../../schemas/similar.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'
import { incidentParams, unknownIncident } from './incident.ts'

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(20).default(5).describe('how many incidents at most'),
})

/** Earlier incidents like one that is kept, from the history. It may be off or away while incidents and commands work. */
export function similarRoute(app: App, { live, similarIncidents: similar }: ApiParts): void {
  const schema = {
    tags: ['incidents'],
    summary: 'Earlier incidents like one, and how they were resolved',
    params: incidentParams,
    querystring: query,
    response: answers({ 200: similarIncidents }),
  }
  app.get(
    '/api/v1/incidents/:id/similar',
    { schema, config: { role: 'viewer' } },
    async ({ params: { id }, query: { limit } }) => {
      const incident = live.get(id)
      if (!incident) throw unknownIncident(id)
      if (!similar) throw new ApiError('history-off', 'the history is switched off')
      const { scope, opened_at_ms } = incident
      try {
        return await similar({ incident_id: id, scope, opened_at_ms, limit })
      } catch (error) {
        if (error instanceof Retryable)
          throw new ApiError('history-unavailable', `the history does not answer now (${error.code})`)
        throw error
      }
    },
  )
}
