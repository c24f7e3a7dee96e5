import { z } from 'zod'
import { silence } from '../../schemas/command.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { plannedFields, plannedOf } from '../planned.ts'
import { firingAlerts, storedSilences } from '../rows.ts'
import {
  placeSilence,
  SILENCE_STATES,
  silenceIdOf,
  silenceState,
  sortedSilences,
  type WantedSilence,
} from '../silences.ts'
import { type App, listOf } from '../validation.ts'
import { idempotencyHeaders } from './commands.ts'

const query = z.strictObject({
  state: listOf(z.enum(SILENCE_STATES)).describe('only these states'),
  hits: z
    .stringbool()
    .default(false)
    .describe('true: count the alerts that each mutes; reads every alert that fires'),
})
const shown = silence.extend({
  state: z.enum(SILENCE_STATES),
  hits: z.number().int().optional().describe('alerts that fire and that it mutes'),
})
const list = z.object({ silences: z.array(shown) })
const made = z.object({ silence_id: z.string(), command_id: z.string() })

const request = z.strictObject({
  id: z.string().max(LIMITS.id_chars).optional().describe('the silence to change'),
  ...plannedFields,
  comment: z.string().min(1).max(LIMITS.comment_chars),
})
type Request = z.infer<typeof request>

function wantedOf(body: Request, actor: string, now_ms: number): WantedSilence {
  return { id: body.id, ...plannedOf(body, now_ms), created_by: actor, comment: body.comment }
}

function unknownSilence(id: string): ApiError {
  return new ApiError('silence-unknown', `no silence ${JSON.stringify(id)} is kept`, { field: 'id' })
}

/** How many alerts that fire each silence mutes. */
async function hitsOf(log: ApiParts['log'], store: ApiParts['store']): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for await (const { silenced_by } of firingAlerts(log, store))
    for (const id of silenced_by) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

function listRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['silences'],
    summary: 'List silences',
    querystring: query,
    response: answers({ 200: list }),
  }
  app.get('/api/v1/silences', { schema, config: { role: 'viewer' } }, async ({ query: { state, hits } }) => {
    await appended.folded()
    const now_ms = clock.now()
    const counts = hits ? await hitsOf(log, store) : null
    const silences = sortedSilences(await storedSilences(store), now_ms).map((one) => ({
      ...one,
      state: silenceState(one, now_ms),
      ...(counts && { hits: counts.get(one.id) ?? 0 }),
    }))
    return { silences: state.length === 0 ? silences : silences.filter((one) => state.includes(one.state)) }
  })
}

function createRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['silences'],
    summary: 'Silence alerts, or change a silence',
    headers: idempotencyHeaders,
    body: request,
    response: answers({ 200: made }),
  }
  app.post(
    '/api/v1/silences',
    { schema, config: { role: 'responder' }, bodyLimit: 262_144 },
    async ({ body, headers, actor }) => {
      const now_ms = clock.now()
      const wanted = wantedOf(body, actor, now_ms)
      const stored =
        wanted.id === undefined ? undefined : (await storedSilences(store)).find(({ id }) => id === wanted.id)
      if (wanted.id !== undefined && !stored) throw unknownSilence(wanted.id)
      const command_id = headers['idempotency-key'] ?? clock.token()
      const placed = placeSilence(stored, wanted, silenceIdOf(command_id), now_ms)
      await appended.everywhere(command_id, actor, placed.bodies, log.partitions('alerts'))
      return { silence_id: placed.id, command_id }
    },
  )
}

function expireRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const params = z.object({ id: z.string().min(1).max(LIMITS.id_chars) })
  const schema = {
    tags: ['silences'],
    summary: 'End a silence now',
    params,
    headers: idempotencyHeaders,
    response: answers({ 200: made }),
  }
  app.delete(
    '/api/v1/silences/:id',
    { schema, config: { role: 'responder' } },
    async ({ params: { id }, headers, actor }) => {
      await appended.folded()
      const stored = (await storedSilences(store)).find((one) => one.id === id)
      if (!stored) throw unknownSilence(id)
      const command_id = headers['idempotency-key'] ?? clock.token()
      if (silenceState(stored, clock.now()) !== 'expired') {
        await appended.everywhere(
          command_id,
          actor,
          [{ kind: 'expire-silence', silence_id: id }],
          log.partitions('alerts'),
        )
      }
      return { silence_id: id, command_id }
    },
  )
}

export function silencesRoutes(app: App, parts: ApiParts, appended: Appended): void {
  listRoute(app, parts, appended)
  createRoute(app, parts, appended)
  expireRoute(app, parts, appended)
}
