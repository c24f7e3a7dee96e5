import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { z } from 'zod'
import { isVersion2, remoteWrite } from '../samples/remote_write.ts'
import { builtInSamples, type SampleProtocol, type SampleTakingParts } from './samples.ts'

/** `POST /api/v1/write`: Prometheus remote write 1.0 and 2.0. */

const CONTENT_TYPE = /^\s*application\/x-protobuf\s*(?:;|$)/i
const PROTO = /;\s*proto\s*=\s*"?([^";\s]*)"?/i
const VERSION_1 = 'prometheus.WriteRequest'
/** Reasons told in one answer: the sender writes them into its log. */
const REASONS_TOLD = 3

/** The headers by which version 2.0 tells how much was taken. */
function written(reply: FastifyReply, samples: number): FastifyReply {
  return reply.headers({
    'x-prometheus-remote-write-samples-written': String(samples),
    'x-prometheus-remote-write-histograms-written': '0',
    'x-prometheus-remote-write-exemplars-written': '0',
  })
}

const unsupported = (reason: string) => ({ status: 415, code: 'content-type', reason }) as const

/** 400 tells a sender to go on with what comes next, any 5xx to send the same again. */
export const REMOTE_WRITE: SampleProtocol = {
  reads_compressed: true,
  refusal({ headers }) {
    const { 'content-type': type = '', 'content-encoding': encoding = '' } = headers
    if (!CONTENT_TYPE.test(type)) return unsupported('only application/x-protobuf is taken')
    const proto = PROTO.exec(type)?.[1] ?? VERSION_1
    if (proto !== VERSION_1 && !isVersion2(type)) return unsupported(`the message ${proto} is not known`)
    if (encoding !== '' && encoding !== 'snappy') return unsupported('only the encoding snappy is taken')
    return null
  },
  refuse: (_request, reply, { status, reason }) => reply.code(status).type('text/plain').send(reason),
  answer({ headers }, reply, { accepted, rejects }) {
    if (isVersion2(headers['content-type'] ?? '')) written(reply, accepted)
    if (rejects.length === 0) return reply.code(204).send()
    const reasons = rejects.slice(0, REASONS_TOLD).map(({ reason }) => reason)
    const text = `${accepted} samples were taken, ${rejects.length} series or requests were not: ${reasons.join('; ')}`
    return reply.code(400).type('text/plain').send(text)
  },
}

const text = z.string()
const schema = {
  tags: ['ingest'],
  summary: 'Take samples of Prometheus: remote write 1.0 and 2.0',
  response: {
    204: z.null().describe('Taken: every sample is durable.'),
    400: text.describe(
      'Something was refused and is in the dead letters; the rest is durable. Do not repeat it.',
    ),
    415: text.describe('It is no remote write of a version that is known.'),
  },
}

/** Register it in a scope of its own. */
export function remoteWriteIngest({ sample_intake, clock }: SampleTakingParts): FastifyPluginAsync {
  const source = { name: 'remote-write', decode: remoteWrite(), protocol: REMOTE_WRITE, sample_intake, clock }
  return builtInSamples(source, '/api/v1/write', schema)
}
