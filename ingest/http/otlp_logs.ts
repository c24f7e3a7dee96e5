import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../schemas/limits.ts'
import { EXPIRE_AFTER_MS } from '../../schemas/source_formats.ts'
import { otlpLogs } from '../sources/otlp_logs.ts'
import type { RejectedAlert } from '../sources/raw_alert.ts'
import { admitting, asConfigured } from './built_in.ts'
import { exportResponse, PROTOBUF, rpcStatus } from './otlp_answer.ts'
import { plainBody, UNCOMPRESSIBLE } from './plain_body.ts'
import { plainHeaders, take, takeBodiesRaw, type TakingParts } from './take.ts'

/** `POST /v1/logs` of OTLP over HTTP, in protobuf or JSON, plain or compressed with gzip. */

const SOURCE = 'otlp-logs'
const ROUTE = '/v1/logs'

const done = z.object({
  partialSuccess: z.object({ rejectedLogRecords: z.string(), errorMessage: z.string() }).optional(),
})
const status = z.object({ code: z.number().int(), message: z.string() })
const schema = {
  tags: ['ingest'],
  summary: 'Take logs of OpenTelemetry (OTLP in protobuf or JSON): errors become alerts',
  response: {
    200: done.describe('Taken: every alert is durable.'),
    400: status.describe('The request cannot be read; do not repeat it.'),
    415: status.describe('It is in neither encoding.'),
  },
}

/** Codes of google.rpc, which OTLP answers with. */
const INVALID_ARGUMENT = 3

/** In the encoding of the request; in JSON where that is none of OTLP. */
function refuse(reply: FastifyReply, type: string, http: number, message: string): FastifyReply {
  reply.code(http)
  return type === PROTOBUF
    ? reply.type(PROTOBUF).send(rpcStatus(INVALID_ARGUMENT, message))
    : reply.send({ code: INVALID_ARGUMENT, message })
}

function answer(reply: FastifyReply, type: string, rejects: readonly RejectedAlert[]): FastifyReply {
  const [first] = rejects
  if (type === PROTOBUF) return reply.type(PROTOBUF).send(exportResponse(rejects.length, first?.reason ?? ''))
  return reply.send(
    first === undefined
      ? {}
      : { partialSuccess: { rejectedLogRecords: String(rejects.length), errorMessage: first.reason } },
  )
}

async function takeLogs(
  parts: TakingParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json' && type !== PROTOBUF)
    return refuse(reply, type, 415, `only OTLP in ${PROTOBUF} or application/json is taken`)
  const body = await plainBody(request)
  if (body === null) return refuse(reply, type, 400, UNCOMPRESSIBLE)
  const at_ms = parts.clock.now()
  const message = {
    body,
    headers: { ...plainHeaders(request.headers), 'content-type': type },
    at_ms,
    token: request.token_name,
  }
  const told = otlpLogs(message, { expire_after_ms: EXPIRE_AFTER_MS })
  const decoded = asConfigured(parts, SOURCE, told, message)
  const rejects = await take(parts, { source: SOURCE, route: ROUTE, at_ms, decoded, received: message })
  const read = decoded.alerts.length + (decoded.dropped ?? 0)
  const [first] = decoded.rejects
  if (first !== undefined && read === 0 && decoded.rejects.length === 1)
    return refuse(reply, type, 400, first.reason)
  return answer(reply, type, rejects)
}

/** Register it in a scope of its own. */
export function otlpLogsIngest(parts: TakingParts): FastifyPluginAsync {
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    scope.addHook(
      'onRequest',
      admitting(parts, SOURCE, () => parts.clock.now()),
    )
    scope.post(ROUTE, { schema, config: { role: 'ingest' } }, (request, reply) =>
      takeLogs(parts, request, reply),
    )
  }
}
