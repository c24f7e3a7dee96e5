import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../schemas/limits.ts'
import type { SourceDecoder } from '../source_decoder.ts'
import { answer, countOf, plainHeaders, refused, take, takeBodiesRaw, type TakingParts } from './take.ts'
import { isVerified, type Verification } from './verify.ts'

/** A source of the configuration that sends over HTTP. */
export interface HttpSource {
  readonly name: string
  readonly decode: SourceDecoder
  /** Null: senders need a token with the role ingest, as everywhere. */
  readonly verification: Verification | null
}

const ROUTE = '/api/v1/sources/:name'

const params = z.object({ name: z.string().describe('name of the source in the configuration') })
const taken = z.object({
  accepted: z.number().int().describe('alerts that were taken and are durable'),
  rejected: z.number().int().describe('alerts that were refused; they are in the dead letters'),
})
const refusal = taken.extend({
  reasons: z.array(z.object({ ordinal: z.number().int(), code: z.string(), reason: z.string() })),
})
const schema = {
  tags: ['ingest'],
  summary: 'Take alerts of a configured source, in its format',
  params,
  response: {
    200: taken.describe('Taken: every alert is durable.'),
    '4xx': refusal.describe('Something was refused; what was accepted is durable.'),
  },
}

const nameOf = ({ params: { name } }: FastifyRequest<{ Params: { name: string } }>): string => name

/** The name says nothing of what was sent: a request that is not verified is not kept. */
function unverified(reply: FastifyReply): FastifyReply {
  const error = {
    code: 'unauthenticated',
    message: 'the request does not prove that it comes from this source',
    remedy: 'Compare the secret and `verify` of the source with what the sender uses.',
  }
  return reply.code(401).send({ error })
}

function unknown(reply: FastifyReply, name: string): FastifyReply {
  const error = {
    code: 'not-found',
    message: `there is no source ${JSON.stringify(name)} with \`kind: http\` in the configuration`,
    remedy: 'Add it under `sources`, or mend the address at the sender.',
  }
  return reply.code(404).send({ error })
}

/** `POST /api/v1/sources/{name}`: 200 once every alert is durable. Register it in a scope of its own. */
export function httpSources(parts: TakingParts, sources: readonly HttpSource[]): FastifyPluginAsync {
  const by_name = new Map(sources.map((source) => [source.name, source]))
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    const verifies_sender = (request: FastifyRequest) =>
      (by_name.get(nameOf(request as Parameters<typeof nameOf>[0]))?.verification ?? null) !== null
    scope.post<{ Params: { name: string } }>(
      ROUTE,
      { schema, config: { role: 'ingest', verifies_sender } },
      async (request, reply) => {
        const source = by_name.get(nameOf(request))
        if (source === undefined) return unknown(reply, nameOf(request))
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const { verification } = source
        const query = request.query as Readonly<Record<string, unknown>>
        if (verification && !isVerified(verification, { headers: request.headers, query, body }))
          return unverified(reply)
        const at_ms = parts.clock.now()
        const decoded =
          body.length === 0
            ? refused(body, 'empty', 'the request has no body')
            : source.decode({ body, headers: plainHeaders(request.headers), at_ms })
        const route = ROUTE.replace(':name', source.name)
        const rejects = await take(parts, { source: source.name, route, at_ms, decoded })
        return answer(reply, countOf(decoded) - rejects.length, rejects)
      },
    )
  }
}
