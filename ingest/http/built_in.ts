import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SourceMessage } from '../sources/format.ts'
import type { DecodedAlerts } from '../sources/raw_alert.ts'
import type { Relabelling } from '../sources/relabel.ts'
import type { Admission, Refusal } from './admission.ts'

/** What the configuration says of a source that has an address of its own. */
export interface BuiltIn {
  /** Null: its alerts are taken as they are. */
  readonly after: Relabelling | null
  readonly admission: Admission
  /** Told when a request was not read. */
  readonly refused: (code: string) => void
}

/** By name; those that the configuration does not name are not in it. */
export interface BuiltIns {
  readonly built_in?: ReadonlyMap<string, BuiltIn>
}

/** The alerts of a request as the configuration wants them. */
export function asConfigured(
  { built_in }: BuiltIns,
  name: string,
  decoded: DecodedAlerts,
  message: SourceMessage,
): DecodedAlerts {
  return built_in?.get(name)?.after?.(decoded, message) ?? decoded
}

export function refuse(reply: FastifyReply, why: Refusal, refused?: (code: string) => void): FastifyReply {
  const { status, code, message, remedy, retry_after_s } = why
  refused?.(code)
  if (retry_after_s !== undefined) reply.header('retry-after', retry_after_s)
  return reply.code(status).send({ error: { code, message, remedy } })
}

/** Refuses, before anything of it is read, a request that the source does not take. */
export function admitting({ built_in }: BuiltIns, name: string, now: () => number) {
  const source = built_in?.get(name)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const why = source?.admission.refusal(request, now())
    return why ? refuse(reply, why, source?.refused) : undefined
  }
}
