import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pause } from './processes.ts'

/** A telling that was answered with 200, or was about to be. */
export interface Taken {
  readonly webhook_id: string
  /** What follows `io.tocsin.incident.` in the type of the event. */
  readonly kind: string
  readonly incident_id: string
  readonly revision: number
  readonly state: string
  readonly severity: string
  readonly members_total: number
}

interface Event {
  readonly type: string
  readonly subject: string
  readonly data: Pick<Taken, 'revision' | 'state' | 'severity' | 'members_total'>
}

export interface ReceiverOptions {
  /** Slow enough, and a kill finds some under way. */
  readonly answer_after_ms?: number
  /** Status of the answer to the `n`-th request, from 1; what is not 200 is not taken. */
  readonly statusOf?: (n: number) => number
}

const FAILS_EVERY = 17
const REFUSES_EVERY = 41

/** Of the answers some are 500, and some 429 with a second to wait. */
export function flaky(n: number): number {
  if (n % REFUSES_EVERY === 0) return 429
  return n % FAILS_EVERY === 0 ? 500 : 200
}

/** Receives webhooks. */
export class Receiver {
  readonly taken: Taken[] = []
  refused = 0
  readonly url: string
  private requests = 0
  private readonly server: Server
  private readonly options: ReceiverOptions

  private constructor(server: Server, options: ReceiverOptions) {
    this.server = server
    this.options = options
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    server.on('request', (request, response) => void this.receive(request, response))
  }

  static async start(options: ReceiverOptions = {}): Promise<Receiver> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return new Receiver(server, options)
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A sender that is killed in the middle of a request has told nothing.
    const chunks = await request.toArray().catch(() => null)
    if (chunks === null) return
    const status = this.options.statusOf?.(++this.requests) ?? 200
    if (status === 200) this.take(String(request.headers['webhook-id']), Buffer.concat(chunks as Buffer[]))
    else this.refused++
    await pause(this.options.answer_after_ms ?? 0)
    response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end()
  }

  private take(webhook_id: string, body: Buffer): void {
    const { type, subject, data } = JSON.parse(body.toString()) as Event
    const { revision, state, severity, members_total } = data
    const kind = type.replace('io.tocsin.incident.', '')
    this.taken.push({ webhook_id, kind, incident_id: subject, revision, state, severity, members_total })
  }
}
