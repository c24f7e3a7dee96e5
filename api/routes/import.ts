import { z } from 'zod'
import { importBatch } from '../../schemas/imported.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

/** Incidents of other systems, into the history only. */
export function importRoute(app: App, parts: ApiParts): void {
  const schema = {
    tags: ['analytics'],
    summary: 'Write incidents of another system into the history',
    description:
      'To send one again changes nothing; of two with the same source and external_id the one with the newer updated_ms holds.',
    body: importBatch,
    response: answers({ 200: z.object({ imported: z.number().int() }) }),
  }
  app.post(
    '/api/v1/analytics/import',
    { schema, config: { role: 'admin' }, bodyLimit: LIMITS.http_body_bytes },
    async ({ body }) => {
      if (!parts.importIncidents) throw new ApiError('history-off', 'the history is switched off')
      await parts.importIncidents(body.incidents)
      return { imported: body.incidents.length }
    },
  )
}
