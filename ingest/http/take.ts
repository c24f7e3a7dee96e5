import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../runtime/ports.ts'
import type { Acknowledger } from '../acknowledger.ts'
import type { BuiltIns } from './built_in.ts'
import type { DecodedMessage } from '../batch.ts'
import type { Received } from '../dead_letters/letters.ts'
import type { Intake } from '../intake.ts'
import type { SourceMessage } from '../sources/format.ts'
import type { DecodedAlerts, RejectedAlert } from '../sources/raw_alert.ts'

export interface TakingParts extends BuiltIns {
  readonly intake: Intake
  readonly clock: Clock
  readonly acknowledger: Pick<Acknowledger, 'settle'>
}

/** Reasons told in one answer; the rest is counted. */
const REASONS_TOLD = 20

/** Bodies come as they were sent: signatures are made over these bytes, and decoders read them. */
export function takeBodiesRaw(scope: FastifyInstance, body_bytes: number): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: body_bytes }, (_request, body, done) =>
    done(null, body),
  )
}

export const bodyOf = ({ body }: Pick<FastifyRequest, 'body'>): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.alloc(0)

/** What one request brought, and where. */
export interface Brought {
  readonly source: string
  readonly route: string
  readonly at_ms: number
  readonly decoded: DecodedAlerts
  /** Kept where something of it is rejected; left out where it must not be. */
  readonly received?: Received
}

/** Resolves with what was not taken once everything of one request is durable. Throws Retryable. */
export async function take(parts: TakingParts, brought: Brought): Promise<readonly RejectedAlert[]> {
  const { intake, acknowledger, clock } = parts
  const { source, route, at_ms, decoded, received } = brought
  const accept = (message: Pick<DecodedMessage, 'decoded' | 'received'>) =>
    intake.accept({
      source,
      origin: null,
      received_at_ms: at_ms,
      messages: [{ offset: null, ...message }],
      locate: (_offset, ordinal) => `http:POST ${route}#${ordinal}`,
    })
  const { rejects } = await accept({ decoded, ...(received && { received }) })
  const unknown = await acknowledger.settle(decoded.acknowledgements ?? [], () => clock.token())
  if (unknown.length > 0) await accept({ decoded: { alerts: [], rejects: unknown } })
  return [...rejects, ...unknown]
}

/** Everything that a request brought, taken or not. */
export function countOf({ alerts, rejects, acknowledgements = [] }: DecodedAlerts): number {
  return alerts.length + rejects.length + acknowledgements.length
}

/** Headers with one value each, which decoders may look at. */
export function plainHeaders(headers: Readonly<Record<string, unknown>>): SourceMessage['headers'] {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

const STATUS_OF: Readonly<Record<string, number>> = {
  empty: 400,
  'json-syntax': 400,
  'json-depth': 400,
  'too-many-alerts': 413,
  'too-many-samples': 413,
}

/** 200 when everything was taken; else what was refused and why, which is in the dead letters too. */
export function answer(reply: FastifyReply, taken: number, rejects: readonly RejectedAlert[]): FastifyReply {
  if (rejects.length === 0) return reply.send({ accepted: taken, rejected: 0 })
  const status = taken === 0 ? (STATUS_OF[rejects[0]?.code ?? ''] ?? 422) : 422
  return reply.code(status).send({
    accepted: taken,
    rejected: rejects.length,
    reasons: rejects.slice(0, REASONS_TOLD).map(({ ordinal, code, reason }) => ({ ordinal, code, reason })),
  })
}
