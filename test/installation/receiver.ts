import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A telling that was answered with 200. */
export interface Taken {
  readonly webhook_id: string
  /** What follows `io.tocsin.incident.` in the type of the event. */
  readonly kind: string
  readonly incident_id: string
  readonly revision: number
  readonly state: string
}

interface Event {
  readonly type: string
  readonly subject: string
  readonly data: { readonly revision: number; readonly state: string }
}

const FAILS_EVERY = 17
const REFUSES_EVERY = 41

/** Receives webhooks; of its answers some are 500, and some 429 with a second to wait. */
export class FlakyReceiver {
  readonly taken: Taken[] = []
  refused = 0
  readonly url: string
  private requests = 0
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    server.on('request', (request, response) => this.receive(request, response))
  }

  static async start(): Promise<FlakyReceiver> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return new FlakyReceiver(server)
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = this.status()
      if (status === 200) this.take(String(request.headers['webhook-id']), Buffer.concat(chunks))
      else this.refused++
      response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end()
    })
  }

  private status(): number {
    const n = ++this.requests
    if (n % REFUSES_EVERY === 0) return 429
    return n % FAILS_EVERY === 0 ? 500 : 200
  }

  private take(webhook_id: string, body: Buffer): void {
    const { type, subject, data } = JSON.parse(body.toString()) as Event
    const kind = type.replace('io.tocsin.incident.', '')
    this.taken.push({ webhook_id, kind, incident_id: subject, revision: data.revision, state: data.state })
  }
}
