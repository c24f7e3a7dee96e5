import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { EXPIRE_AFTER_MS } from '../../schemas/source_formats.ts'
import { shownBody, Unreadable } from '../sources/format.ts'
import { type AlertRequest, alertRequest } from '../sources/opsgenie.ts'
import { admitting, asConfigured } from './built_in.ts'
import { plainHeaders, take, takeBodiesRaw, type TakingParts } from './take.ts'

/** Opsgenie's Alert API as far as monitoring uses it: create, close, acknowledge. `Authorization: GenieKey <token>` names a token. */

const SOURCE = 'opsgenie'
const BODY_BYTES = 1_048_576

const accepted = z.object({ result: z.string(), took: z.number(), requestId: z.string(), alias: z.string() })
const refused = z.object({
  message: z.string(),
  errors: z.record(z.string(), z.string()),
  took: z.number(),
  requestId: z.string(),
})
const response = {
  202: accepted.describe('Taken: it is durable.'),
  422: refused.describe('The request cannot be processed.'),
}
const params = z.object({ identifier: z.string().describe('alias of the alert') })

const CREATE = { tags: ['ingest'], summary: 'Create an alert in the form of Opsgenie’s Alert API', response }
const CLOSE = {
  tags: ['ingest'],
  summary: 'Close an alert in the form of Opsgenie’s Alert API',
  params,
  response,
}
const ACKNOWLEDGE = {
  tags: ['ingest'],
  summary: 'Acknowledge the incident of an alert in the form of Opsgenie’s Alert API',
  params,
  response,
}

async function handle(
  parts: TakingParts,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: AlertRequest,
): Promise<FastifyReply> {
  const route = request.routeOptions.url ?? ''
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const at_ms = parts.clock.now()
  const message = { body, headers: plainHeaders(request.headers), at_ms, token: request.token_name }
  const told = () => ({ took: Math.round(reply.elapsedTime) / 1_000, requestId: request.id })
  try {
    const { alias, decoded: told_of } = alertRequest(asked, message, { expire_after_ms: EXPIRE_AFTER_MS })
    const decoded = asConfigured(parts, SOURCE, told_of, message)
    await take(parts, { source: SOURCE, route, at_ms, decoded })
    return await reply.code(202).send({ result: 'Request will be processed', alias, ...told() })
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    const reject = { ordinal: 0, code: error.code, reason: error.message, payload: shownBody(body) }
    await take(parts, { source: SOURCE, route, at_ms, decoded: { alerts: [], rejects: [reject] } })
    const refusal = {
      message: 'Request body is not processable. Please check the errors.',
      errors: { body: error.message },
    }
    return reply.code(422).send({ ...refusal, ...told() })
  }
}

/** Register it in a scope of its own. */
export function opsgenieIngest(parts: TakingParts): FastifyPluginAsync {
  const config = { role: 'ingest' } as const
  type Route = { Params: { identifier: string } }
  return async (scope) => {
    takeBodiesRaw(scope, BODY_BYTES)
    scope.addHook(
      'onRequest',
      admitting(parts, SOURCE, () => parts.clock.now()),
    )
    scope.post('/v2/alerts', { schema: CREATE, config }, (request, reply) =>
      handle(parts, request, reply, { action: 'create', alias: null }),
    )
    scope.post<Route>('/v2/alerts/:identifier/close', { schema: CLOSE, config }, (request, reply) =>
      handle(parts, request, reply, { action: 'close', alias: request.params.identifier }),
    )
    scope.post<Route>(
      '/v2/alerts/:identifier/acknowledge',
      { schema: ACKNOWLEDGE, config },
      (request, reply) =>
        handle(parts, request, reply, { action: 'acknowledge', alias: request.params.identifier }),
    )
  }
}
