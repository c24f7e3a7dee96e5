import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** How a source proves that a request is its own. */
export interface Proof {
  /** The header that carries it, in lower case: nothing keeps that. */
  readonly header?: string
  /** Does the request prove it? Throws Retryable when that cannot be found out now. */
  isGiven(presented: Presented): boolean | Promise<boolean>
  /** What a request that proved itself asks for beside its alerts. Throws Retryable. */
  prepare?(body: Buffer): Promise<void>
}

/** A secret that both know. */
export type Verification =
  | {
      readonly scheme: 'hmac-sha256'
      readonly secret: string
      readonly header: string
      readonly prefix: string
      readonly encoding: 'hex' | 'base64'
    }
  | {
      readonly scheme: 'token'
      readonly secret: string
      readonly header: string | null
      readonly prefix: string
      readonly query: string | null
    }

export interface Presented {
  readonly headers: IncomingHttpHeaders
  readonly query: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

/** Neither the length nor the place of the first difference shows in the time that it takes. */
function same(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}

function headerOf(headers: IncomingHttpHeaders, name: string, prefix: string): string | null {
  const value = headers[name.toLowerCase()]
  if (typeof value !== 'string' || !value.startsWith(prefix)) return null
  return value.slice(prefix.length).trim()
}

/** The request carries the secret, or a signature of its body that was made with it. */
export function secretProof(how: Verification): Proof {
  const isGiven = (presented: Presented) => isVerified(how, presented)
  return how.header === null ? { isGiven } : { isGiven, header: how.header.toLowerCase() }
}

function isVerified(how: Verification, { headers, query, body }: Presented): boolean {
  if (how.scheme === 'token') {
    const shown = how.header === null ? null : headerOf(headers, how.header, how.prefix)
    const asked = how.query === null ? null : query[how.query]
    const given = shown ?? (typeof asked === 'string' ? asked : null)
    return given !== null && same(given, how.secret)
  }
  const given = headerOf(headers, how.header, how.prefix)
  const wanted = createHmac('sha256', how.secret).update(body).digest(how.encoding)
  if (given === null) return false
  return same(how.encoding === 'hex' ? given.toLowerCase() : given, wanted)
}
