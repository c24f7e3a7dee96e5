import { z } from 'zod'
import { labels, severity, timeMs } from '../../schemas/alert.ts'
import { answers } from '../answers.ts'
import type { ApiParts } from '../parts.ts'
import { rulesInForce, storedHeartbeats } from '../rows.ts'
import type { App } from '../validation.ts'

const shown = z.object({
  name: z.string(),
  every_ms: z.number().int(),
  grace_ms: z.number().int(),
  severity,
  heard: z
    .array(
      z.object({
        labels,
        source: z.string(),
        scope: z.string(),
        heard_at_ms: timeMs,
        lost: z.boolean().describe('an alert says so'),
      }),
    )
    .describe('empty: never heard, and so not expected yet'),
})

/** What should be heard periodically, and when each was. */
export function heartbeatsRoute(app: App, { log, store }: ApiParts): void {
  const schema = {
    tags: ['sources'],
    summary: 'List the heartbeats that are declared, and when each was heard',
    response: answers({ 200: z.object({ heartbeats: z.array(shown) }) }),
  }
  app.get('/api/v1/heartbeats', { schema, config: { role: 'viewer' } }, async () => {
    const rows = await storedHeartbeats(log, store)
    const declared = (await rulesInForce(store))?.heartbeats ?? []
    return {
      heartbeats: declared.map(({ name, every_ms, grace_ms, severity: of_alert }) => ({
        name,
        every_ms,
        grace_ms,
        severity: of_alert,
        heard: rows
          .filter((row) => row.name === name)
          .map(({ alert, heard_at_ms, due_at_ms }) => ({
            labels: alert.labels,
            source: alert.source,
            scope: alert.scope,
            heard_at_ms,
            lost: due_at_ms === null,
          })),
      })),
    }
  })
}
