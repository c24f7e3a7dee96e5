import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { otlpMetrics } from '../samples/otlp.ts'
import { builtInSamples, type SampleProtocol, type SampleTakingParts } from './samples.ts'

/** `POST /v1/metrics` of OTLP over HTTP, in JSON or protobuf, plain or compressed with gzip. */

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
/** Codes of google.rpc, which OTLP answers with. */
const INVALID_ARGUMENT = 3
const MESSAGE_CHARS = 1_000

function typeOf({ headers }: FastifyRequest): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 0x80)
  }
}

/** A field of protobuf that has a length. */
function lengthField(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content])
}

/** A message of a number in field 1 and a text in field 2. */
function numberAndText(number: number, text: string): Buffer {
  return Buffer.concat([varint(1 << 3), varint(number), lengthField(2, Buffer.from(text))])
}

/** In the encoding of the request. */
function send(request: FastifyRequest, reply: FastifyReply, json: object, protobuf: Buffer): FastifyReply {
  if (typeOf(request) === PROTOBUF) return reply.type(PROTOBUF).send(protobuf)
  return reply.type(JSON_TYPE).send(json)
}

/** 400 tells a sender not to repeat the request, any 5xx to send it again. */
export const OTLP_METRICS: SampleProtocol = {
  refusal(request) {
    const type = typeOf(request)
    if (type === JSON_TYPE || type === PROTOBUF) return null
    const reason = `only ${PROTOBUF} and ${JSON_TYPE} are taken, not ${JSON.stringify(type)}`
    return { status: 415, code: 'content-type', reason }
  },
  refuse(request, reply, { status, reason }) {
    const json = { code: INVALID_ARGUMENT, message: reason }
    return send(request, reply.code(status), json, numberAndText(INVALID_ARGUMENT, reason))
  },
  answer(request, reply, { accepted, rejects }) {
    const [first] = rejects
    if (first === undefined) return send(request, reply, {}, Buffer.alloc(0))
    const message = first.reason.slice(0, MESSAGE_CHARS).toWellFormed()
    if (accepted === 0 && rejects.length === 1) return this.refuse(request, reply, { status: 400, ...first })
    const partialSuccess = { rejectedDataPoints: String(rejects.length), errorMessage: message }
    return send(request, reply, { partialSuccess }, lengthField(1, numberAndText(rejects.length, message)))
  },
}

const status = z.object({ code: z.number().int(), message: z.string() })
const done = z.object({
  partialSuccess: z.object({ rejectedDataPoints: z.string(), errorMessage: z.string() }).optional(),
})
const schema = {
  tags: ['ingest'],
  summary: 'Take metrics of OpenTelemetry (OTLP in JSON or protobuf)',
  response: {
    200: done.describe('Taken: every reading is durable.'),
    400: status.describe('The request cannot be read; do not repeat it.'),
    415: status.describe('It is in neither encoding.'),
  },
}

/** Register it in a scope of its own. */
export function otlpMetricsIngest({ sample_intake, clock }: SampleTakingParts): FastifyPluginAsync {
  const source = { name: 'otlp-metrics', decode: otlpMetrics(), protocol: OTLP_METRICS, sample_intake, clock }
  return builtInSamples(source, '/v1/metrics', schema)
}
