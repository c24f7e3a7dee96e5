import { z } from 'zod'
import { Retryable } from '../../runtime/errors.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const query = z.looseObject({})

export function analyticsRoute(app: App, { analyticsSummary }: ApiParts): void {
  const schema = { tags: ['analytics'], summary: 'How long things take', querystring: query, response: answers({ 200: z.looseObject({}) }) }
  app.get('/api/v1/analytics/summary', { schema, config: { role: 'viewer' } }, async (request) => {
    if (!analyticsSummary) throw new ApiError('history-off', 'the history is switched off')
    try {
      return { ...(await analyticsSummary(request.query)) }
    } catch (error) {
      if (error instanceof Retryable) throw new ApiError('history-unavailable', 'ClickHouse does not answer now')
      throw error
    }
  })
}
