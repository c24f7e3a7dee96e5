import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../schemas/limits.ts'
import type { SourceDecoder } from '../source_decoder.ts'
import type { Admission } from './admission.ts'
import { admitting, asConfigured, refuse } from './built_in.ts'
import { type SampleHttpSource, takeSampleRequest } from './samples.ts'
import { answer, bodyOf, countOf, plainHeaders, take, takeBodiesRaw, type TakingParts } from './take.ts'
import type { Proof } from './verify.ts'

/** A source of the configuration that sends over HTTP. */
export interface HttpSource {
  readonly name: string
  readonly decode: SourceDecoder
  /** Null: senders need a token with the role ingest, as everywhere. */
  readonly proof: Proof | null
  /** Its messages hold a secret, and are not kept when they are rejected. */
  readonly has_secrets?: boolean
  readonly admission?: Admission
  /** Told when a request was not read. */
  readonly refused?: (code: string) => void
}

const ROUTE = '/api/v1/sources/:name'

const params = z.object({ name: z.string().describe('name of the source in the configuration') })
const taken = z.object({
  accepted: z.number().int().describe('alerts or readings that were taken and are durable'),
  rejected: z
    .number()
    .int()
    .describe('what was refused: alerts, or series of readings; it is in the dead letters'),
})
const refusal = taken.extend({
  reasons: z.array(z.object({ ordinal: z.number().int(), code: z.string(), reason: z.string() })),
})
const schema = {
  tags: ['ingest'],
  summary: 'Take alerts or readings of a configured source, in its format',
  params,
  response: {
    200: taken.describe('Taken: everything is durable.'),
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

export function unknownSource(reply: FastifyReply, name: string): FastifyReply {
  const error = {
    code: 'not-found',
    message: `there is no such source: ${JSON.stringify(name)}`,
    remedy: 'Add it under `sources` with `kind: http`, or mend the address at the sender.',
  }
  return reply.code(404).send({ error })
}

async function takeRequest(
  parts: TakingParts,
  { name, decode, proof, has_secrets }: Omit<HttpSource, 'proof'> & Partial<Pick<HttpSource, 'proof'>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const at_ms = parts.clock.now()
  const message = {
    body: bodyOf(request),
    headers: plainHeaders(request.headers),
    at_ms,
    token: request.token_name,
  }
  const decoded = decode(message)
  const secret_headers = proof?.header === undefined ? [] : [proof.header]
  const route = request.url.split('?', 1)[0] ?? ''
  const rejects = await take(parts, {
    source: name,
    route,
    at_ms,
    decoded,
    ...(!has_secrets && { received: { ...message, secret_headers } }),
  })
  return answer(reply, countOf(decoded) - rejects.length, rejects)
}

/** A source that needs no entry in the configuration, at an address of its own. */
export interface BuiltInSource extends Pick<HttpSource, 'name' | 'decode'> {
  readonly route: string
  readonly summary: string
}

/** Answers as configured sources do. Register it in a scope of its own. */
export function builtInSource(parts: TakingParts, source: BuiltInSource): FastifyPluginAsync {
  const { tags, response } = schema
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    const options = {
      schema: { tags, summary: source.summary, response },
      config: { role: 'ingest' } as const,
    }
    scope.addHook(
      'onRequest',
      admitting(parts, source.name, () => parts.clock.now()),
    )
    const decode: SourceDecoder = (message) =>
      asConfigured(parts, source.name, source.decode(message), message)
    scope.post(source.route, options, (request, reply) =>
      takeRequest(parts, { name: source.name, decode }, request, reply),
    )
  }
}

/** `POST /api/v1/sources/{name}`: 200 once everything is durable. Register it in a scope of its own. */
export function httpSources(
  parts: TakingParts,
  sources: readonly (HttpSource | SampleHttpSource)[],
): FastifyPluginAsync {
  const by_name = new Map(sources.map((source) => [source.name, source]))
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    const verifies_sender = (request: FastifyRequest) =>
      (by_name.get(nameOf(request as Parameters<typeof nameOf>[0]))?.proof ?? null) !== null
    scope.post<{ Params: { name: string } }>(
      ROUTE,
      {
        schema,
        config: { role: 'ingest', verifies_sender },
        onRequest: async (request, reply) => {
          const source = by_name.get(nameOf(request))
          const refused = source?.admission?.refusal(request, parts.clock.now())
          return source && refused ? refuse(reply, refused, source.refused) : undefined
        },
      },
      async (request, reply) => {
        const source = by_name.get(nameOf(request))
        if (source === undefined) return unknownSource(reply, nameOf(request))
        const body = bodyOf(request)
        const too_large = source.admission?.sizeRefusal(body.length)
        if (too_large) return refuse(reply, too_large, source.refused)
        const { proof } = source
        const query = request.query as Readonly<Record<string, unknown>>
        if (proof && !(await proof.isGiven({ headers: request.headers, query, body })))
          return unverified(reply)
        await proof?.prepare?.(body)
        return 'protocol' in source
          ? takeSampleRequest(source, request, reply)
          : takeRequest(parts, source, request, reply)
      },
    )
  }
}
