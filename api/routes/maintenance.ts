import { z } from 'zod'
import { timeMs } from '../../schemas/alert.ts'
import { isWithin, nextTurn } from '../../schemas/calendar.ts'
import { maintenanceWindow, onceWindow } from '../../schemas/maintenance.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { plannedFields, plannedOf } from '../planned.ts'
import { storedMaintenance } from '../rows.ts'
import type { App } from '../validation.ts'
import { idempotencyHeaders } from './commands.ts'

const shown = z.object({
  window: maintenanceWindow,
  created_by: z.string().nullable().describe('null: it stands in the configuration'),
  active: z.boolean(),
  turns_at_ms: timeMs.nullable().describe('when it begins or ends next; null: never'),
})
const list = z.object({ maintenance: z.array(shown) })
const made = z.object({ name: z.string(), command_id: z.string() })

const request = z.strictObject({
  name: onceWindow.shape.name,
  ...plannedFields,
  comment: onceWindow.shape.comment.default(''),
})

async function refuseConfigured(store: ApiParts['store'], name: string) {
  const found = (await storedMaintenance(store)).find(({ window }) => window.name === name)
  if (found?.created_by === null)
    throw new ApiError('not-possible', `maintenance ${name} stands in the configuration and is changed there`)
  return found
}

function listRoute(app: App, { store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['maintenance'],
    summary: 'List maintenance windows',
    response: answers({ 200: list }),
  }
  app.get('/api/v1/maintenance', { schema, config: { role: 'viewer' } }, async () => {
    await appended.folded()
    const now_ms = clock.now()
    const maintenance = (await storedMaintenance(store)).map((row) => ({
      ...row,
      active: isWithin(row.window, now_ms),
      turns_at_ms: nextTurn(row.window, now_ms),
    }))
    return { maintenance: maintenance.sort((a, b) => (a.window.name < b.window.name ? -1 : 1)) }
  })
}

function createRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['maintenance'],
    summary: 'Open a maintenance window, or change one that was opened here',
    headers: idempotencyHeaders,
    body: request,
    response: answers({ 200: made }),
  }
  app.post(
    '/api/v1/maintenance',
    { schema, config: { role: 'responder' }, bodyLimit: 262_144 },
    async ({ body, headers, actor }) => {
      const { matchers: match, ...stretch } = plannedOf(body, clock.now())
      await refuseConfigured(store, body.name)
      const command_id = headers['idempotency-key'] ?? clock.token()
      const window = { kind: 'once' as const, name: body.name, match, ...stretch, comment: body.comment }
      await appended.everywhere(
        command_id,
        actor,
        [{ kind: 'maintenance', window }],
        log.partitions('alerts'),
      )
      return { name: body.name, command_id }
    },
  )
}

function endRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['maintenance'],
    summary: 'End a maintenance window now',
    params: z.object({ name: onceWindow.shape.name }),
    headers: idempotencyHeaders,
    response: answers({ 200: made }),
  }
  app.delete(
    '/api/v1/maintenance/:name',
    { schema, config: { role: 'responder' } },
    async ({ params: { name }, headers, actor }) => {
      await appended.folded()
      if (!(await refuseConfigured(store, name)))
        throw new ApiError('maintenance-unknown', `no maintenance ${JSON.stringify(name)} is kept`, {
          field: 'name',
        })
      const command_id = headers['idempotency-key'] ?? clock.token()
      await appended.everywhere(
        command_id,
        actor,
        [{ kind: 'end-maintenance', name }],
        log.partitions('alerts'),
      )
      return { name, command_id }
    },
  )
}

export function maintenanceRoutes(app: App, parts: ApiParts, appended: Appended): void {
  listRoute(app, parts, appended)
  createRoute(app, parts, appended)
  endRoute(app, parts, appended)
}
