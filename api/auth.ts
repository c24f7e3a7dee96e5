import { hash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Config, ROLES } from '../schemas/config.ts'
import { LIMITS } from '../schemas/limits.ts'
import { RateLimit } from '../runtime/rate_limit.ts'
import { ApiError } from './errors.ts'
import type { ApiParts } from './parts.ts'
import { secretInCookie } from './session_cookie.ts'

export type Token = Config['api']['tokens'][number]
type Role = Token['role']

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The role that a route needs; `open`: anybody. A route that names none is for administrators. */
    role?: Role | 'open'
    /** True: the route itself checks who sends (a signature over the body, a key in it), so that no token is needed. */
    verifies_sender?: (request: FastifyRequest) => boolean
  }
  interface FastifyRequest {
    /** In whose name a command is written: the token's name, or who an open installation says it is. */
    actor: string
    /** Of the token that it was sent with; empty when it needed none. */
    token_name: string
  }
}

/** Which roles satisfy a need. Ingest stands apart: who sends alerts reads nothing, and who reads sends none. */
const SATISFIED_BY: Readonly<Record<Role, readonly Role[]>> = {
  ingest: ['ingest', 'admin'],
  viewer: ['viewer', 'responder', 'admin'],
  responder: ['responder', 'admin'],
  admin: ['admin'],
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const BEARER = /^(?:Bearer|GenieKey) +([\x21-\x7e]+) *$/i
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i
const ACTOR = /^[\p{L}\p{N}\p{P}\p{S} ]+$/u
const DEFAULT_ACTOR = 'operator'

/**
 * The token of a header: a bearer token (whom Opsgenie's senders name a genie's key), or the password of a login, of which the user does
 * not matter; many senders can give nothing else.
 */
function secretOf(header: string): string | undefined {
  const login = BASIC.exec(header)?.[1]
  if (login === undefined) return BEARER.exec(header)?.[1]
  const text = Buffer.from(login, 'base64').toString()
  return text.includes(':') ? text.slice(text.indexOf(':') + 1) : undefined
}

/** Whose token it is, compared in constant time with every one that is configured. */
export function holderOf(tokens: readonly Token[], secret: string): Token | undefined {
  const digest = hash('sha256', secret, 'buffer')
  let found: Token | undefined
  for (const token of tokens) if (timingSafeEqual(digest, Buffer.from(token.sha256, 'hex'))) found = token
  return found
}

/** May whoever shows this send alerts? For routes that find the secret in a body. */
export function maySendAlerts(tokens: readonly Token[], secret: string): boolean {
  if (tokens.length === 0) return true
  const token = holderOf(tokens, secret)
  return token !== undefined && SATISFIED_BY.ingest.includes(token.role)
}

/** The token that was presented: in the header, else in the cookie that a login set. Throws ApiError. */
export function presented(tokens: readonly Token[], { headers, method }: FastifyRequest): Token {
  const given = headers.authorization === undefined ? undefined : secretOf(headers.authorization)
  const secret = given ?? secretInCookie(headers.cookie)
  if (secret === undefined) throw new ApiError('unauthenticated', 'this installation needs a token')
  // A browser sends the cookie by itself and always says where a command comes from; checkSameSite has compared it.
  if (given === undefined && !SAFE_METHODS.has(method) && headers.origin === undefined)
    throw new ApiError('cross-site', 'a command with a session cookie needs an Origin', { field: 'origin' })
  const found = holderOf(tokens, secret)
  if (!found) throw new ApiError('unauthenticated', 'the token is not known')
  return found
}

/** Without tokens a page of another site must not reach the API through a name that it controls (DNS rebinding). */
function checkHost(request: FastifyRequest): void {
  const match = HOST.exec(request.headers.host ?? '')
  const name = (match?.[1] ?? match?.[2] ?? '').toLowerCase()
  if (isIP(name) > 0 || name === 'localhost' || name.endsWith('.localhost')) return
  throw new ApiError(
    'host-not-allowed',
    `requests for the host ${JSON.stringify(name)} are refused while no tokens are configured`,
    { field: 'host' },
  )
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null
}

/** A browser says where a request comes from; other programs say nothing and pass. */
function checkSameSite(request: FastifyRequest, public_host: string | null): void {
  if (SAFE_METHODS.has(request.method)) return
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new ApiError('cross-site', `a request from another site is refused (Sec-Fetch-Site: ${site})`, {
      field: 'sec-fetch-site',
    })
  const { origin } = request.headers
  if (origin === undefined) return
  const host = hostOf(origin)
  if (host === null || (host !== request.headers.host && host !== public_host))
    throw new ApiError('cross-site', 'a request from another origin is refused', { field: 'origin' })
}

/** An installation without tokens trusts its only machine, also in who acts. */
export function namedActor(request: FastifyRequest): string {
  const header = request.headers['x-tocsin-actor']
  if (header === undefined) return DEFAULT_ACTOR
  // Node reads header bytes as Latin-1; names are sent as UTF-8.
  const name = typeof header === 'string' ? Buffer.from(header, 'latin1').toString('utf8').trim() : ''
  if (ACTOR.test(name) && name.length <= LIMITS.source_chars && !name.includes('\ufffd')) return name
  throw new ApiError(
    'invalid-parameter',
    `expected a name of 1 to ${LIMITS.source_chars} printable characters`,
    { field: 'x-tocsin-actor' },
  )
}

function authorise(tokens: readonly Token[], request: FastifyRequest, need: Role): string {
  if (tokens.length === 0) {
    checkHost(request)
    return namedActor(request)
  }
  if (request.routeOptions.config.verifies_sender?.(request)) return DEFAULT_ACTOR
  const token = presented(tokens, request)
  request.token_name = token.name
  if (request.is404 || SATISFIED_BY[need].includes(token.role)) return token.name
  const able = ROLES.filter((role) => SATISFIED_BY[need].includes(role))
  throw new ApiError(
    'forbidden',
    `this needs the role ${able.join(' or ')}; the token ${token.name} has the role ${token.role}`,
  )
}

/** Throws ApiError when a token sends alerts more often than it may. */
function checkRate(rates: ReadonlyMap<string, RateLimit>, token: string, now_ms: number): void {
  const wait_ms = rates.get(token)?.waitMs(token, now_ms) ?? 0
  if (wait_ms > 0)
    throw new ApiError('too-many-requests', `the token ${token} sends more often than it may`, {
      retry_after_s: Math.ceil(wait_ms / 1_000),
    })
}

/** Checks every request before its body is read. `public_url` is where browsers see this installation, behind a proxy perhaps. */
export function installAuth(
  app: FastifyInstance,
  { tokens, public_url, clock }: Pick<ApiParts, 'tokens' | 'public_url' | 'clock'>,
): void {
  const public_host = hostOf(public_url)
  const rates = new Map(
    tokens.flatMap(({ name, rate_limit }) =>
      rate_limit ? [[name, new RateLimit(rate_limit)] as const] : [],
    ),
  )
  app.decorateRequest('actor', DEFAULT_ACTOR)
  app.decorateRequest('token_name', '')
  app.addHook('onRequest', (request, _reply, done) => {
    checkSameSite(request, public_host)
    const need = request.routeOptions.config.role ?? 'admin'
    if (need !== 'open') request.actor = authorise(tokens, request, need)
    if (need === 'ingest') checkRate(rates, request.token_name, clock.now())
    done()
  })
}
