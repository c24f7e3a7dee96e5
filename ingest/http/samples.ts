import type { Admission } from './admission.ts'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../runtime/ports.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { DecodeSamples, RejectedSample, SampleMessage } from '../samples/format.ts'
import type { SampleIntake } from '../samples/intake.ts'
import { plainBody, UNCOMPRESSIBLE } from './plain_body.ts'
import { answer, bodyOf, plainHeaders, takeBodiesRaw } from './take.ts'
import type { Proof } from './verify.ts'

export interface SampleTakingParts {
  readonly sample_intake: SampleIntake
  readonly clock: Clock
}

/** What became of one request. */
export interface TakenSamples {
  /** Readings that are durable. */
  readonly accepted: number
  readonly rejects: readonly RejectedSample[]
}

/** Why a request is refused before it is read. */
export interface Refusal {
  readonly status: 400 | 415
  readonly code: string
  readonly reason: string
}

/** What a format wants over HTTP beyond its body. */
export interface SampleProtocol {
  /** What the headers say against it, or null. */
  refusal(request: FastifyRequest): Refusal | null
  /** The decoder undoes the compression itself. */
  readonly reads_compressed?: true
  refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply
  answer(request: FastifyRequest, reply: FastifyReply, taken: TakenSamples): FastifyReply
}

/** As sources of alerts are answered. */
export const PLAIN: SampleProtocol = {
  refusal: () => null,
  refuse: (_request, reply, { status, code, reason }) =>
    reply.code(status).send({ accepted: 0, rejected: 1, reasons: [{ ordinal: 0, code, reason }] }),
  answer: (_request, reply, { accepted, rejects }) => answer(reply, accepted, rejects),
}

/** A source that sends readings over HTTP. */
export interface SampleSource extends SampleTakingParts {
  readonly name: string
  readonly decode: DecodeSamples
  readonly protocol: SampleProtocol
}

export interface SampleHttpSource extends SampleSource {
  readonly admission?: Admission
  /** Told when a request was not read. */
  readonly refused?: (code: string) => void
  /** Null: senders need a token with the role ingest, as everywhere. */
  readonly proof: Proof | null
}

/** Answers once everything of the request is durable. Throws Retryable. */
export async function takeSampleRequest(
  { name, decode, protocol, sample_intake, clock }: SampleSource,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const refusal = protocol.refusal(request)
  if (refusal !== null) return protocol.refuse(request, reply, refusal)
  const body = protocol.reads_compressed ? bodyOf(request) : await plainBody(request)
  if (body === null)
    return protocol.refuse(request, reply, { status: 400, code: 'compression', reason: UNCOMPRESSIBLE })
  const at_ms = clock.now()
  const route = routeOf(request)
  const decoded = decode({ ...sampleMessage(request, at_ms), body })
  const prepared = sample_intake.prepare({
    source: name,
    received_at_ms: at_ms,
    messages: [{ offset: null, decoded }],
    locate: (_offset, ordinal) => `http:POST ${route}#${ordinal}`,
  })
  const rejects = await sample_intake.take(prepared)
  return protocol.answer(request, reply, { accepted: prepared.samples_total, rejects })
}

const routeOf = ({ url }: { readonly url: string }): string => url.split('?', 1)[0] ?? ''

/** What a decoder is given of a request, its body as it was sent. */
export function sampleMessage(
  request: Pick<FastifyRequest, 'body' | 'headers' | 'query' | 'url'>,
  at_ms: number,
): SampleMessage {
  return {
    body: bodyOf(request),
    headers: plainHeaders(request.headers),
    topic: routeOf(request),
    key: null,
    query: plainHeaders(request.query as Readonly<Record<string, unknown>>),
    at_ms,
  }
}

/** A source that needs no entry in the configuration, at an address of its own. Register it in a scope of its own. */
export function builtInSamples(
  source: SampleSource,
  route: string,
  schema: Readonly<Record<string, unknown>>,
): FastifyPluginAsync {
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    scope.post(route, { schema, config: { role: 'ingest' } }, (request, reply) =>
      takeSampleRequest(source, request, reply),
    )
  }
}
