import { z } from 'zod'
import { severity } from '../../schemas/alert.ts'
import { compileMatchers } from '../../schemas/matching.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { plannedFields, readMatchers } from '../planned.ts'
import { firingAlerts } from '../rows.ts'
import { silenceFault } from '../silences.ts'
import type { App } from '../validation.ts'

const EXAMPLES_MAX = 10

const request = z.strictObject({ matchers: plannedFields.matchers })
const example = z.object({ alertname: z.string(), entity: z.string(), scope: z.string(), severity })
const preview = z.object({
  firing: z.number().int().describe('alerts that fire and match'),
  muted: z.number().int().describe('of them, those that something mutes already'),
  of: z.number().int().describe('alerts that fire'),
  examples: z.array(example).describe('the first that match'),
})

/** What a silence or a maintenance window would mute now, by the matchers that would decide it. */
export function silencePreviewRoute(app: App, { log, store }: ApiParts): void {
  const schema = {
    tags: ['silences'],
    summary: 'Show which alerts a silence would mute now',
    body: request,
    response: answers({ 200: preview }),
  }
  app.post(
    '/api/v1/silences/preview',
    { schema, config: { role: 'viewer' }, bodyLimit: 262_144 },
    async ({ body }) => {
      const matchers = readMatchers(body.matchers, 'matchers')
      const fault = silenceFault({ matchers, starts_at_ms: 0, ends_at_ms: 0 })
      if (fault !== null) throw new ApiError('invalid-body', fault, { field: 'matchers' })
      const matches = compileMatchers(matchers)
      const found: z.infer<typeof preview> = { firing: 0, muted: 0, of: 0, examples: [] }
      for await (const { alert, silenced_by } of firingAlerts(log, store)) {
        found.of++
        if (!matches(alert.labels)) continue
        found.firing++
        if (silenced_by.length > 0) found.muted++
        const { labels, entity, scope, severity: how_bad } = alert
        if (found.examples.length < EXAMPLES_MAX)
          found.examples.push({ alertname: labels['alertname'] ?? '', entity, scope, severity: how_bad })
      }
      return found
    },
  )
}
