import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../schemas/limits.ts'
import type { TrySamples } from '../samples/trial.ts'
import type { SourceDecoder } from '../source_decoder.ts'
import { tryMessage } from '../trial.ts'
import { plainHeaders, takeBodiesRaw, type TakingParts } from './take.ts'
import { sampleMessage } from './samples.ts'
import { unknownSource } from './sources.ts'

const params = z.object({ name: z.string().describe('a source of the configuration, or a built-in format') })
const trial = z.object({
  alerts: z.array(z.looseObject({ ordinal: z.number().int(), fingerprint: z.string(), scope: z.string() })),
  rejects: z.array(z.object({ ordinal: z.number().int(), code: z.string(), reason: z.string() })),
  acknowledgements: z.array(z.looseObject({ ordinal: z.number().int() })),
  dropped: z.number().int().describe('items that the configuration leaves out'),
})
const sample_trial = z.object({
  series: z.array(z.looseObject({ scope: z.string(), labels: z.record(z.string(), z.string()) })),
  rejects: z.array(z.object({ ordinal: z.number().int(), code: z.string(), reason: z.string() })),
  dropped: z.number().int().describe('readings that are no numbers'),
})
const schema = {
  tags: ['sources'],
  summary: 'Show what a message would come to, without taking it',
  params,
  response: { 200: z.union([trial, sample_trial]).describe('Nothing was appended.') },
}

/** `POST /api/v1/sources/{name}/try`. Register it in a scope of its own. */
export function trialRoute(
  { intake, clock }: Pick<TakingParts, 'intake' | 'clock'>,
  sources: ReadonlyMap<string, SourceDecoder>,
  sample_sources: ReadonlyMap<string, TrySamples> = new Map(),
): FastifyPluginAsync {
  return async (scope) => {
    takeBodiesRaw(scope, LIMITS.http_body_bytes)
    scope.post<{ Params: { name: string } }>(
      '/api/v1/sources/:name/try',
      { schema, config: { role: 'responder' } },
      async (request: FastifyRequest<{ Params: { name: string } }>, reply) => {
        const { name } = request.params
        const trySamples = sample_sources.get(name)
        if (trySamples !== undefined) return reply.send(trySamples(sampleMessage(request, clock.now())))
        const decode = sources.get(name)
        if (decode === undefined) return unknownSource(reply, name)
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const message = {
          body,
          headers: plainHeaders(request.headers),
          at_ms: clock.now(),
          token: request.token_name,
        }
        return reply.send(tryMessage({ name, decode }, intake.normalise, message))
      },
    )
  }
}
