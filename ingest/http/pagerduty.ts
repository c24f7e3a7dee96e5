import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Unreadable } from '../sources/format.ts'
import type { SourceMessage } from '../sources/format.ts'
import type { DecodedAlerts } from '../sources/raw_alert.ts'
import { alertsOf, InvalidEvent, readChange, readEvent, rejectedEvent } from '../sources/pagerduty.ts'
import { admitting, asConfigured } from './built_in.ts'
import { plainHeaders, take, takeBodiesRaw, type TakingParts } from './take.ts'

/**
 * PagerDuty's Events API v2: a sender changes its host name and nothing else. Its routing key takes the place of a token of role
 * `ingest`, as senders know no other way.
 */
export interface PagerDutyParts extends TakingParts {
  /** May whoever knows this key send alerts? */
  readonly maySend: (routing_key: string) => boolean
  readonly expire_after_ms: number
}

const SOURCE = 'pagerduty'
/** 512 KB, as there. */
const BODY_BYTES = 524_288

const done = z.object({ status: z.literal('success'), message: z.string(), dedup_key: z.string() })
const invalid = z.object({ status: z.string(), message: z.string(), errors: z.array(z.string()) })
const refusals = { 400: invalid.describe('The event is invalid.'), 413: invalid.describe('It is too large.') }
const SCHEMAS = {
  enqueue: {
    tags: ['ingest'],
    summary: 'Take an event in the form of PagerDuty’s Events API v2',
    response: { 202: done.describe('Taken: the event is durable.'), ...refusals },
  },
  change: {
    tags: ['ingest'],
    summary: 'Take a change event in the form of PagerDuty’s Events API v2',
    response: { 202: done.omit({ dedup_key: true }).describe('Taken: the event is durable.'), ...refusals },
  },
} as const

function refuse(reply: FastifyReply, errors: readonly string[], status = 400): FastifyReply {
  return reply.code(status).send({ status: 'invalid event', message: 'Event object is invalid', errors })
}

interface Read {
  readonly routing_key: string
  readonly decoded: DecodedAlerts
  readonly answer: Readonly<Record<string, string>>
}

/** Reads the body, checks who sends it, and answers once it is durable. */
async function accept(
  parts: PagerDutyParts,
  request: FastifyRequest,
  reply: FastifyReply,
  read: (message: SourceMessage) => Read,
): Promise<FastifyReply> {
  const route = request.routeOptions.url ?? ''
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const at_ms = parts.clock.now()
  try {
    const message = { body, headers: plainHeaders(request.headers), at_ms }
    const { routing_key, decoded: told, answer } = read(message)
    // Nothing of a stranger is kept, not even as a dead letter.
    if (!parts.maySend(routing_key)) return await refuse(reply, ['Invalid routing key'])
    const decoded = asConfigured(parts, SOURCE, told, message)
    await take(parts, { source: SOURCE, route, at_ms, decoded })
    return await reply.code(202).send({ status: 'success', ...answer })
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    if (parts.maySend(keyIn(body)))
      await take(parts, { source: SOURCE, route, at_ms, decoded: rejectedEvent(body, error) })
    return refuse(reply, error instanceof InvalidEvent ? error.problems : [error.message])
  }
}

/** The routing key of a body that cannot be read as an event. */
function keyIn(body: Buffer): string {
  return /"routing_key"\s*:\s*"([^"\\]*)"/.exec(body.toString('latin1'))?.[1] ?? ''
}

function tooLarge(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')) throw error
  return refuse(reply, [`the event is larger than ${BODY_BYTES} bytes`], 413)
}

/** `POST /v2/enqueue` and `/v2/change/enqueue`. Register it in a scope of its own. */
export function pagerdutyIngest(parts: PagerDutyParts): FastifyPluginAsync {
  const config = { role: 'ingest', verifies_sender: () => true } as const
  return async (scope: FastifyInstance) => {
    takeBodiesRaw(scope, BODY_BYTES)
    scope.setErrorHandler(tooLarge)
    scope.addHook(
      'onRequest',
      admitting(parts, SOURCE, () => parts.clock.now()),
    )
    scope.post('/v2/enqueue', { schema: SCHEMAS.enqueue, config }, (request, reply) =>
      accept(parts, request, reply, (message) => {
        const event = readEvent(message)
        const { routing_key, dedup_key } = event
        const decoded = alertsOf(event, message, { expire_after_ms: parts.expire_after_ms })
        return { routing_key, decoded, answer: { message: 'Event processed', dedup_key } }
      }),
    )
    scope.post('/v2/change/enqueue', { schema: SCHEMAS.change, config }, (request, reply) =>
      accept(parts, request, reply, (message) => ({
        ...readChange(message),
        answer: { message: 'Change event processed' },
      })),
    )
  }
}
