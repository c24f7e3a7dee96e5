import { z } from 'zod'
import { importBatch } from '../../schemas/imported.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

/** What changes the history beside its log: incidents of other systems, and the end of a tenant. */
export function historyRoutes(app: App, parts: ApiParts): void {
  importRoute(app, parts)
  forgetRoute(app, parts)
}

function forgetRoute(app: App, parts: ApiParts): void {
  const schema = {
    tags: ['analytics'],
    summary: 'Delete everything that the history knows of a scope',
    description:
      'It answers when the rows are gone from disk. Dead letters have no scope and stay; what is logged later is recorded again.',
    params: z.object({ scope: z.string().min(1).max(LIMITS.scope_chars) }),
    response: answers({ 200: z.object({ scope: z.string() }) }),
  }
  app.delete(
    '/api/v1/analytics/scopes/:scope',
    { schema, config: { role: 'admin' } },
    async ({ params: { scope } }) => {
      if (!parts.forgetScope) throw new ApiError('history-off', 'the history is switched off')
      await parts.forgetScope(scope)
      return { scope }
    },
  )
}

function importRoute(app: App, parts: ApiParts): void {
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
