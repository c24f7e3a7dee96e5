import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Silence } from '../../schemas/command.ts'
import { fromApiMatcher, toApiMatcher } from '../../schemas/matcher_syntax.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import type { ApiParts } from '../parts.ts'
import { storedSilences } from '../rows.ts'
import {
  boundFault,
  placeSilence,
  silenceFault,
  silenceIdOf,
  silenceState,
  sortedSilences,
  type WantedSilence,
} from '../silences.ts'
import type { App } from '../validation.ts'
import { BadRequest, sendText } from './errors.ts'
import { parseFilters, saysAll, silencesQuery } from './filters.ts'
import {
  type GettableSilence,
  gettableSilence,
  postableSilence,
  silenceParams,
  silencePosted,
} from './shapes.ts'

function toGettableSilence(silence: Silence, now_ms: number): GettableSilence {
  const time = (time_ms: number) => new Date(time_ms).toISOString()
  return {
    id: silence.id,
    status: { state: silenceState(silence, now_ms) },
    updatedAt: time(silence.updated_at_ms),
    annotations: {},
    comment: silence.comment,
    createdBy: silence.created_by,
    endsAt: time(silence.ends_at_ms),
    matchers: silence.matchers.map((matcher) => ({
      ...toApiMatcher(matcher),
      isEqual: matcher.op === '=' || matcher.op === '=~',
    })),
    startsAt: time(silence.starts_at_ms),
  }
}

/** Throws BadRequest in the words and the order of Alertmanager. */
function wantedOf(posted: z.infer<typeof postableSilence>, now_ms: number): WantedSilence {
  const starts_at_ms = Date.parse(posted.startsAt)
  const ends_at_ms = Date.parse(posted.endsAt)
  if (starts_at_ms >= ends_at_ms)
    throw new BadRequest('Failed to create silence: start time must be before end time')
  if (ends_at_ms < now_ms) throw new BadRequest("Failed to create silence: end time can't be in the past")
  const matchers = posted.matchers.map(fromApiMatcher)
  const wanted = {
    id: posted.id,
    matchers,
    starts_at_ms,
    ends_at_ms,
    created_by: posted.createdBy,
    comment: posted.comment,
  }
  const fault = silenceFault(wanted) ?? boundFault(wanted)
  if (fault !== null) throw new BadRequest(`invalid silence: ${fault}`)
  return wanted
}

function listRoute(app: App, { store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alertmanager'],
    summary: 'List silences (Alertmanager)',
    querystring: silencesQuery,
    response: answers({ 200: z.array(gettableSilence) }),
  }
  app.get('/api/v2/silences', { schema, config: { role: 'viewer' } }, async ({ query }) => {
    const filters = parseFilters(query.filter)
    await appended.folded()
    const now_ms = clock.now()
    const found = (await storedSilences(store)).filter(
      (silence) => query[silenceState(silence, now_ms)] && saysAll(silence.matchers, filters),
    )
    return sortedSilences(found, now_ms).map((silence) => toGettableSilence(silence, now_ms))
  })
}

function readRoute(app: App, { store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alertmanager'],
    summary: 'Read one silence (Alertmanager)',
    params: silenceParams,
    response: answers({ 200: gettableSilence }),
  }
  app.get('/api/v2/silence/:silenceID', { schema, config: { role: 'viewer' } }, async ({ params }, reply) => {
    await appended.folded()
    const found = (await storedSilences(store)).find(({ id }) => id === params.silenceID)
    return found ? toGettableSilence(found, clock.now()) : nothing(reply, 404)
  })
}

function nothing(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).send()
}

function postRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alertmanager'],
    summary: 'Silence alerts, or change a silence (Alertmanager)',
    body: postableSilence,
    response: answers({ 200: silencePosted }),
  }
  app.post(
    '/api/v2/silences',
    { schema, config: { role: 'responder' }, bodyLimit: 262_144 },
    async ({ body, actor }, reply) => {
      await appended.folded()
      const now_ms = clock.now()
      const wanted = wantedOf(body, now_ms)
      const named = body.id !== undefined && body.id !== ''
      const stored = named ? (await storedSilences(store)).find(({ id }) => id === body.id) : undefined
      if (named && !stored) return sendText(reply, 404, 'silence not found')
      const command_id = clock.token()
      const placed = placeSilence(stored, wanted, silenceIdOf(command_id), now_ms)
      await appended.everywhere(command_id, actor, placed.bodies, log.partitions('alerts'))
      return { silenceID: placed.id }
    },
  )
}

function expireRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alertmanager'],
    summary: 'End a silence now (Alertmanager)',
    params: silenceParams,
    response: answers({ 200: z.string() }),
  }
  app.delete(
    '/api/v2/silence/:silenceID',
    { schema, config: { role: 'responder' } },
    async ({ params: { silenceID }, actor }, reply) => {
      await appended.folded()
      const stored = (await storedSilences(store)).find(({ id }) => id === silenceID)
      if (!stored) return nothing(reply, 404)
      if (silenceState(stored, clock.now()) !== 'expired') {
        await appended.everywhere(
          clock.token(),
          actor,
          [{ kind: 'expire-silence', silence_id: silenceID }],
          log.partitions('alerts'),
        )
      }
      return nothing(reply, 200)
    },
  )
}

export function silenceRoutes(app: App, parts: ApiParts, appended: Appended): void {
  for (const install of [listRoute, readRoute, postRoute, expireRoute]) install(app, parts, appended)
}
