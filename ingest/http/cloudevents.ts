import type { FastifyPluginAsync } from 'fastify'
import { EXPIRE_AFTER_MS } from '../../schemas/source_formats.ts'
import { cloudevents } from '../sources/cloudevents.ts'
import { builtInSource } from './sources.ts'
import type { TakingParts } from './take.ts'

/** `POST /api/v1/events`: CloudEvents in structured, binary and batch mode. */
export function cloudeventsIngest(parts: TakingParts): FastifyPluginAsync {
  return builtInSource(parts, {
    name: 'cloudevents',
    route: '/api/v1/events',
    summary: 'Take CloudEvents 1.0: structured, binary or batched',
    decode: (message) => cloudevents(message, { expire_after_ms: EXPIRE_AFTER_MS }),
  })
}
