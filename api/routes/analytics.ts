import { z } from 'zod'
import { Retryable } from '../../runtime/errors.ts'
import { summary, summaryQuestion } from '../../schemas/analytics.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const PERIOD_DEFAULT_MS = 30 * 86_400_000

const time = z.coerce.number().int().min(0).max(LIMITS.time_ms_max).optional()
const { scope, severity, rule } = summaryQuestion.shape
const query = z.strictObject({
  from_ms: time.describe('begin of the period; left out: 30 days before its end'),
  to_ms: time.describe('end of the period, not in it; left out: now'),
  scope: scope.describe('only this scope'),
  severity: severity.describe('only this severity'),
  rule: rule.describe('only incidents that this grouping rule opened'),
})

/** Figures of the history. It may be off or away while incidents and commands work. */
export function analyticsRoute(app: App, { analyticsSummary, clock }: ApiParts): void {
  const schema = {
    tags: ['analytics'],
    summary: 'How long it takes to acknowledge, mitigate and resolve',
    querystring: query,
    response: answers({ 200: summary }),
  }
  app.get(
    '/api/v1/analytics/summary',
    { schema, config: { role: 'viewer' } },
    async ({ query: { from_ms, to_ms, ...about } }) => {
      if (!analyticsSummary) throw new ApiError('history-off', 'the history is switched off')
      const now_ms = clock.now()
      const until_ms = to_ms ?? now_ms
      const since_ms = from_ms ?? Math.max(0, until_ms - PERIOD_DEFAULT_MS)
      if (since_ms >= until_ms)
        throw new ApiError('invalid-parameter', 'to_ms is not after from_ms', { field: 'to_ms' })
      try {
        return await analyticsSummary({ ...about, from_ms: since_ms, to_ms: until_ms, as_of_ms: now_ms })
      } catch (error) {
        if (error instanceof Retryable)
          throw new ApiError('history-unavailable', `the history does not answer now (${error.code})`)
        throw error
      }
    },
  )
}
