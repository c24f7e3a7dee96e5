import { lookup as resolve, type LookupAddress } from 'node:dns'
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Reject, Retryable } from '../runtime/errors.ts'
import { isPublicAddress } from './targets.ts'

/** The one HTTP client of sinks: bounded, without redirects, to addresses that were checked when the connection was made. */

const BODY_MAX_BYTES = 1_048_576
const CONNECTIONS_MAX = 16

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Take a connection of its own: one from the pool may be closed by the server just then, and leave open what happened. */
  readonly fresh?: boolean
}

export interface OutboundResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The body was longer than the bound, or broke off; `body` holds its beginning. */
  readonly truncated: boolean
}

/** No usable answer came. `not_sent`: the request cannot have reached the server. */
export class OutboundError extends Retryable {
  override name = 'OutboundError'
  readonly not_sent: boolean
  constructor(code: OutboundCode, message: string, not_sent: boolean, options?: ErrorOptions) {
    super(code, message, options)
    this.not_sent = not_sent
  }
}
export type OutboundCode = 'dns' | 'connect' | 'tls' | 'timeout' | 'connection-lost' | 'aborted'

/** What may be told of a URL: paths, queries and user info can hold secrets. */
export function redacted(url: URL): string {
  return `${url.protocol}//${url.host}`
}

/** Retry-After (RFC 9110, 10.2.3) in milliseconds from now; null when it is missing or unreadable. */
export function retryAfterMs(header: string | undefined, now_ms: number): number | null {
  if (header === undefined) return null
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1_000
  const at_ms = Date.parse(header)
  return Number.isNaN(at_ms) ? null : Math.max(0, at_ms - now_ms)
}

export interface OutboundOptions {
  /** Bound of one request, from looking up the name to the last byte of the answer. */
  readonly timeout_ms: number
  /** Refuse whatever is not on the public Internet. */
  readonly public_targets_only: boolean
  /** Resolver of names; the system's by default. */
  readonly resolve?: typeof resolve
}

export class Outbound {
  private readonly options: OutboundOptions
  private readonly http: HttpAgent
  private readonly https: HttpsAgent

  constructor(options: OutboundOptions) {
    this.options = options
    const settings = { keepAlive: true, maxSockets: CONNECTIONS_MAX, maxFreeSockets: 4, timeout: 60_000 }
    this.http = new HttpAgent(settings)
    this.https = new HttpsAgent(settings)
  }

  /** Throws OutboundError, or Reject `target-not-public`. Every status is an answer, redirects too: they are never followed. */
  request(request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    const { url } = request
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    // Names are checked in `lookup`, which is not called for literal addresses.
    if (isIP(literal) !== 0 && this.refuses(literal)) return Promise.reject(refused(url))
    return new Promise((done, fail) => {
      const sent = this.send(request)
      new Exchange(sent, url, done, fail).begin(request.body ?? '', this.options.timeout_ms, signal)
    })
  }

  close(): void {
    this.http.destroy()
    this.https.destroy()
  }

  private send(request: OutboundRequest): ClientRequest {
    const { url, method } = request
    const body = request.body ?? ''
    const headers = { ...request.headers, 'content-length': String(Buffer.byteLength(body)) }
    const options = { method, headers, lookup: this.lookup }
    const fresh = request.fresh === true
    if (url.protocol === 'https:')
      return httpsRequest(url, { ...options, agent: fresh ? false : this.https, rejectUnauthorized: true })
    return httpRequest(url, { ...options, agent: fresh ? false : this.http })
  }

  private refuses(address: string): boolean {
    return this.options.public_targets_only && !isPublicAddress(address)
  }

  /** Resolves a name for one connection and hands on only what was checked, so that a second answer of DNS changes nothing. */
  private readonly lookup: LookupFunction = (hostname, options, callback) => {
    const find = this.options.resolve ?? resolve
    find(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, '', 0)
      const first = found[0]
      if (first === undefined || found.some(({ address }) => this.refuses(address)))
        return callback(new TargetRefused(), '', 0)
      if (options.all === true) return callback(null, found)
      callback(null, first.address, first.family)
    })
  }
}

class TargetRefused extends Error {}

function refused(url: URL): Reject {
  return new Reject(
    'target-not-public',
    `${redacted(url)} is or resolves to an address that is not public; set public_targets_only: false to allow it`,
  )
}

/** One request and its answer: settles once, whatever of answer, error, timeout and abort comes first. */
class Exchange {
  private readonly sent: ClientRequest
  private readonly url: URL
  private readonly done: (response: OutboundResponse) => void
  private readonly fail: (error: Error) => void
  /** TCP, and TLS where it is asked for: from then on the request may have reached the server. */
  private reached = false
  private connected = false
  private ended: 'timeout' | 'aborted' | null = null

  constructor(
    sent: ClientRequest,
    url: URL,
    done: (response: OutboundResponse) => void,
    fail: (error: Error) => void,
  ) {
    this.sent = sent
    this.url = url
    this.done = done
    this.fail = fail
  }

  begin(body: string, timeout_ms: number, signal: AbortSignal): void {
    const timer = setTimeout(() => this.end('timeout'), timeout_ms)
    const deadline_ms = Date.now() + timeout_ms
    const abort = () => this.end('aborted')
    signal.addEventListener('abort', abort)
    this.sent.on('socket', (socket) => {
      // A process that stood still hears of its socket before it hears of its timers, and what is sent now may be one too many.
      const connected = () => {
        if (Date.now() < deadline_ms) this.connected = true
        else this.end('timeout')
      }
      // One of the pool. `reusedSocket` does not say so to a request that waited until another one was done with it.
      if (!socket.connecting) return connected()
      socket.once('connect', () => (this.reached = true))
      socket.once(this.url.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
    })
    this.sent.on('response', (response) => this.read(response))
    this.sent.on('error', (error: NodeJS.ErrnoException) => this.fail(this.classified(error)))
    this.sent.on('close', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    })
    if (signal.aborted) return abort()
    this.sent.end(body)
  }

  private end(why: 'timeout' | 'aborted'): void {
    this.ended ??= why
    this.sent.destroy(new Error(why))
  }

  private read(response: IncomingMessage): void {
    const chunks: Buffer[] = []
    let bytes = 0
    let whole = false
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= BODY_MAX_BYTES) chunks.push(chunk)
      else response.destroy()
    })
    response.on('end', () => (whole = true))
    // Comes after `end`, and in its place when the connection breaks or the bound is reached.
    response.on('close', () => {
      if (this.ended !== null) return this.fail(this.classified(new Error(this.ended)))
      const headers = Object.entries(response.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as const] : [],
      )
      this.done({
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(headers),
        body: Buffer.concat(chunks),
        truncated: !whole,
      })
    })
    response.on('error', () => response.destroy())
  }

  private classified(cause: NodeJS.ErrnoException): Error {
    const where = redacted(this.url)
    if (cause instanceof TargetRefused) return refused(this.url)
    const error = (code: OutboundCode, message: string) =>
      new OutboundError(code, `${where}: ${message}`, !this.connected, { cause })
    if (this.ended === 'timeout') return error('timeout', 'no complete answer in time')
    if (this.ended === 'aborted') return error('aborted', 'the attempt was given up')
    if (this.connected) return error('connection-lost', 'the connection broke before an answer came')
    if (cause.syscall === 'getaddrinfo' || cause.syscall === 'queryA')
      return error('dns', 'the name does not resolve')
    if (this.reached) return error('tls', `no trusted connection (${cause.code ?? 'unknown'})`)
    return error('connect', `no connection (${cause.code ?? 'unknown'})`)
  }
}
