import { z } from 'zod'
import { timeMs } from '../../schemas/alert.ts'
import { changeEvent } from '../../schemas/change_event.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'
import { idempotencyHeaders } from './commands.ts'

const { scope, entity, text } = changeEvent.shape
const request = z.strictObject({
  entity: entity.describe('what was changed, as alerts name it: a service, a host, a machine'),
  text: text.describe('what was done, as operators read it: `checkout 2.14.0 deployed`'),
  at_ms: timeMs.optional().describe('when; left out: now'),
  scope: scope.default('').describe('the scope that it concerns; left out: all'),
})
const made = z.object({ command_id: z.string() })

/** `POST /api/v1/change-events`: deployments and other changes, which are suspects when what they touched alerts soon after. */
export function changeEventsRoute(app: App, { log, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['ingest'],
    summary: 'Tell of a deployment or another change: a suspect when something breaks',
    headers: idempotencyHeaders,
    body: request,
    response: answers({ 200: made }),
  }
  app.post(
    '/api/v1/change-events',
    { schema, config: { role: 'ingest' }, bodyLimit: 65_536 },
    async ({ body: { at_ms = clock.now(), ...told }, headers, actor }) => {
      const id = headers['idempotency-key'] ?? clock.token()
      const body = { kind: 'change-event' as const, change: { ...told, at_ms } }
      const partitions = log.partitions('alerts')
      if (told.scope === '') await appended.everywhere(id, actor, [body], partitions)
      else await appended.command({ id, actor, body }, [partitionOf(told.scope, partitions)])
      return { command_id: id }
    },
  )
}
