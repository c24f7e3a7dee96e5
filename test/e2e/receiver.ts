import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pause } from './processes.ts'

export interface Received {
  readonly webhook_id: string
  /** What follows `io.tocsin.incident.` in the type of the event. */
  readonly kind: string
  readonly incident_id: string
  readonly revision: number
}

interface Event {
  readonly type: string
  readonly subject: string
  readonly data: { readonly revision: number }
}

/** Receives webhooks, slowly enough that a kill finds some under way. */
export class Receiver {
  readonly received: Received[] = []
  readonly url: string
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  static async start(answer_after_ms: number): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { type, subject, data } = JSON.parse(Buffer.concat(chunks).toString()) as Event
        const webhook_id = String(request.headers['webhook-id'])
        receiver.received.push({
          webhook_id,
          kind: type.replace('io.tocsin.incident.', ''),
          incident_id: subject,
          revision: data.revision,
        })
        void pause(answer_after_ms).then(() => response.end())
      })
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const receiver = new Receiver(server)
    return receiver
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}
