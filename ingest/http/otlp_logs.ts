import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../schemas/limits.ts'
import { EXPIRE_AFTER_MS } from '../../schemas/source_formats.ts'
import { otlpLogs } from '../sources/otlp_logs.ts'
import { plainHeaders, take, takeBodiesRaw, type TakingParts } from './take.ts'

/** `POST /v1/logs` of OTLP over HTTP, in JSON, plain or compressed with gzip. */

const SOURCE = 'otlp-logs'
const ROUTE = '/v1/logs'

const done = z.object({
  partialSuccess: z.object({ rejectedLogRecords: z.string(), errorMessage: z.string() }).optional(),
})
const status = z.object({ code: z.number().int(), message: z.string() })
const schema = {
  tags: ['ingest'],
  summary: 'Take logs of OpenTelemetry (OTLP in JSON): errors become alerts',
  response: {
    200: done.describe('Taken: every alert is durable.'),
    400: status.describe('The request cannot be read; do not repeat it.'),
    415: status.describe('It is not in JSON.'),
  },
}

/** Codes of google.rpc, which OTLP answers with. */
const INVALID_ARGUMENT = 3

const refuse = (reply: FastifyReply, http: number, message: string): FastifyReply =>
  reply.code(http).send({ code: INVALID_ARGUMENT, message })

const inflate = promisify(gunzip)

/** The body without its compression; null when it cannot be had, or is larger than any body may be. */
async function plainBody({ body, headers }: FastifyRequest): Promise<Buffer | null> {
  const given = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return given
  if (encoding !== 'gzip') return null
  try {
    return await inflate(given, { maxOutputLength: LIMITS.http_body_bytes })
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

async function takeLogs(
  parts: TakingParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    return refuse(reply, 415, 'only OTLP in JSON is taken: set the encoding of the exporter to json')
  const body = await plainBody(request)
  if (body === null)
    return refuse(
      reply,
      400,
      `the body is no gzip, or larger than ${LIMITS.http_body_bytes} bytes without it`,
    )
  const at_ms = parts.clock.now()
  const message = { body, headers: plainHeaders(request.headers), at_ms }
  const decoded = otlpLogs(message, { expire_after_ms: EXPIRE_AFTER_MS })
  const rejects = await take(parts, { source: SOURCE, route: ROUTE, at_ms, decoded, received: message })
  const [first] = rejects
  if (first === undefined) return reply.send({})
  const read = decoded.alerts.length + (decoded.dropped ?? 0)
  if (read === 0 && decoded.rejects.length === 1) return refuse(reply, 400, first.reason)
  return reply.send({
    partialSuccess: { rejectedLogRecords: String(rejects.length), errorMessage: first.reason },
  })
}

/** Register it in a scope of its own. */
export function otlpLogsIngest(parts: TakingParts): FastifyPluginAsync {
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    scope.post(ROUTE, { schema, config: { role: 'ingest' } }, (request, reply) =>
      takeLogs(parts, request, reply),
    )
  }
}
