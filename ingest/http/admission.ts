import { BlockList, isIP, isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { RateLimit } from '../../runtime/rate_limit.ts'
import type { HttpSourceConfig } from '../../schemas/config.ts'

/** Why a request of a source is not read at all. */
export interface Refusal {
  readonly status: 403 | 413 | 429
  readonly code: 'address' | 'too-large' | 'too-many-requests'
  readonly message: string
  readonly remedy: string
  readonly retry_after_s?: number
}

type Limits = Pick<HttpSourceConfig, 'name' | 'allow_from' | 'max_body_bytes' | 'rate_limit'>

/** Of IPv4 within IPv6 the IPv4 address. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/')
    const family = isIPv4(net) ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(net, family)
    else list.addSubnet(net, Number(prefix), family)
  }
  return list
}

/** Decides before the body is read: by the sender's address, the size it names, and how often it comes. */
export class Admission {
  private readonly limits: Limits
  private readonly allowed: BlockList | null
  private readonly rates: RateLimit | null

  constructor(limits: Limits) {
    this.limits = limits
    this.allowed = limits.allow_from === undefined ? null : listOf(limits.allow_from)
    this.rates = limits.rate_limit === undefined ? null : new RateLimit(limits.rate_limit)
  }

  /** Null: it may be read. A request that passes counts. */
  refusal(request: FastifyRequest, now_ms: number): Refusal | null {
    if (this.allowed !== null) {
      const address = plainAddress(request.socket.remoteAddress ?? '')
      if (isIP(address) === 0 || !this.allowed.check(address, isIPv4(address) ? 'ipv4' : 'ipv6'))
        return {
          status: 403,
          code: 'address',
          message: `the source ${this.limits.name} takes nothing from ${address}`,
          remedy: 'Add the address of the sender (or of the proxy in front) to `allow_from` of the source.',
        }
    }
    const wait_ms = this.rates?.waitMs(request.token_name ?? '', now_ms) ?? 0
    if (wait_ms === 0) return this.sizeRefusal(Number(request.headers['content-length'] ?? 0))
    return {
      status: 429,
      code: 'too-many-requests',
      message: `the source ${this.limits.name} takes ${this.limits.rate_limit?.requests_per_s} requests a second`,
      remedy: 'Send again after Retry-After, or send more alerts in one request.',
      retry_after_s: Math.ceil(wait_ms / 1_000),
    }
  }

  /** Also of a body whose size nobody named. */
  sizeRefusal(bytes: number): Refusal | null {
    const { max_body_bytes, name } = this.limits
    if (bytes <= max_body_bytes) return null
    return {
      status: 413,
      code: 'too-large',
      message: `the body is larger than the ${max_body_bytes} bytes that the source ${name} takes`,
      remedy: 'Send less at once, or raise `max_body_bytes` of the source.',
    }
  }
}
