import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Retryable } from '../../runtime/errors.ts'
import type { Clock } from '../../runtime/ports.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Batch, DecodedMessage } from '../batch.ts'
import type { Intake } from '../intake.ts'
import { readBody } from '../read_body.ts'
import { decodeAlerts, RefusedBody } from '../sources/alertmanager.ts'
import type { RejectedAlert } from '../sources/raw_alert.ts'
import { admitting, type BuiltIns } from './built_in.ts'
import { contentTypeFault } from './content_type.ts'

export interface AlertmanagerIngestParts extends BuiltIns {
  readonly intake: Intake
  readonly clock: Clock
  readonly resolve_timeout_ms: number
}

const SOURCE = 'alertmanager'
const RETRY_AFTER_S = 1
/** Reasons told in one answer; the rest is counted. */
const REASONS_TOLD = 1_000

/** Errors in the JSON of go-openapi, which Alertmanager answers with. */
function sendCode(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).type('application/json').send(JSON.stringify({ code, message }))
}

function sendReasons(reply: FastifyReply, rejects: readonly RejectedAlert[]): FastifyReply {
  const reasons = rejects.slice(0, REASONS_TOLD).map(({ reason }) => reason)
  if (rejects.length > REASONS_TOLD) reasons.push(`and ${rejects.length - REASONS_TOLD} more`)
  return reply
    .code(400)
    .type('application/json')
    .send(`${JSON.stringify(reasons.join('\n'))}\n`)
}

function batchOf(message: DecodedMessage, received_at_ms: number): Batch {
  return {
    source: SOURCE,
    origin: null,
    received_at_ms,
    messages: [message],
    locate: (_offset, ordinal) => `http:POST /api/v2/alerts#${ordinal}`,
  }
}

/** A body that is refused goes to the dead letters as a whole, as far as they keep it. */
function refusedMessage(body: Buffer, { code, message }: RefusedBody, at_ms: number): DecodedMessage {
  const payload = body.subarray(0, LIMITS.dead_letter_payload_bytes + 1).toString()
  const rejects = [{ ordinal: 0, code, reason: message, payload }]
  return { offset: null, decoded: { alerts: [], rejects }, received: { body, headers: {}, at_ms } }
}

async function takeAlerts(
  parts: AlertmanagerIngestParts,
  domain: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  if (body.length === 0) return sendCode(reply, 422, 602, 'alerts in body is required')
  const fault = contentTypeFault(request.headers['content-type'])
  if (fault !== null) throw fault
  const received_at_ms = parts.clock.now()
  try {
    const context = { resolve_timeout_ms: parts.resolve_timeout_ms, lone_alert: false }
    const origin = { now_ms: received_at_ms, at_ms: received_at_ms, domain, offset: null }
    const received = {
      body,
      headers: {},
      at_ms: received_at_ms,
      token: request.token_name,
      items_stand_alone: true as const,
    }
    const after = parts.built_in?.get(SOURCE)?.after
    const inFull = () => decodeAlerts(body, received_at_ms, context)
    // What is changed is not recognised when it comes again.
    const read = after
      ? { decoded: after(inFull(), received) }
      : { decoded: readBody(parts.intake.recogniser, body, origin, context), inFull }
    const message = { offset: null, ...read, received }
    const { rejects } = await parts.intake.accept(batchOf(message, received_at_ms))
    return await (rejects.length > 0 ? sendReasons(reply, rejects) : reply.code(200).send())
  } catch (error) {
    if (error instanceof RefusedBody)
      await parts.intake.accept(batchOf(refusedMessage(body, error, received_at_ms), received_at_ms))
    throw error
  }
}

/** Fastify's own refusals, before the handler saw the request. */
function refusalOf(error: unknown, content_type: string | undefined): RefusedBody | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return contentTypeFault(content_type)
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return null
  return new RefusedBody(
    'body-bytes',
    413,
    `the body is larger than ${LIMITS.http_body_bytes} bytes; send the alerts in smaller batches`,
  )
}

/** Answers in Alertmanager's form; what is not ours goes on to the server's own handler. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refused = error instanceof RefusedBody ? error : refusalOf(error, request.headers['content-type'])
  if (refused !== null) return sendCode(reply, refused.status, refused.answer_code, refused.message)
  if (!(error instanceof Retryable)) throw error
  return sendCode(
    reply.header('retry-after', RETRY_AFTER_S),
    503,
    503,
    `the alerts were not taken: ${error.message}`,
  )
}

/** `POST /api/v2/alerts` of Alertmanager: 200 once every alert is durable. Register it in a scope of its own. */
export function alertmanagerIngest(parts: AlertmanagerIngestParts): FastifyPluginAsync {
  const domain = parts.intake.recogniser.newDomain()
  return async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: LIMITS.http_body_bytes },
      (_request, body, done) => done(null, body),
    )
    scope.setErrorHandler(answerError)
    scope.addHook(
      'onRequest',
      admitting(parts, SOURCE, () => parts.clock.now()),
    )
    scope.post('/api/v2/alerts', (request, reply) => takeAlerts(parts, domain, request, reply))
  }
}
