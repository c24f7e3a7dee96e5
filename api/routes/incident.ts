import { z } from 'zod'
import { incident } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

export const incidentParams = z.object({
  id: z.string().min(1).max(LIMITS.id_chars).describe('id of the incident'),
})

export function unknownIncident(id: string): ApiError {
  return new ApiError('incident-unknown', `no incident ${JSON.stringify(id)} is kept here`, { field: 'id' })
}

export function incidentRoute(app: App, { live }: ApiParts): void {
  const schema = {
    tags: ['incidents'],
    summary: 'Read one incident',
    params: incidentParams,
    response: answers({ 200: incident }),
  }
  app.get('/api/v1/incidents/:id', { schema, config: { role: 'viewer' } }, async ({ params: { id } }) => {
    const found = live.get(id)
    if (!found) throw unknownIncident(id)
    return found
  })
}
