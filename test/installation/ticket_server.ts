import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pause } from './processes.ts'

export interface Ticket {
  readonly id: number
  readonly made_at_ms: number
  readonly subject: string
  /** The address that it refers to. */
  readonly refers_to: string
  status: string
  /** Subjects of its comments, oldest first. */
  readonly comments: string[]
  version: number
}

/** What a request asks to be set or made. */
interface Body {
  readonly Subject?: string
  readonly RefersTo?: string
  readonly Status?: string
}

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const NOT_FOUND: Answer = { status: 404 }

/**
 * Tickets behind those calls of Request Tracker's REST 2.0 API that Tocsin makes, for tests that need more of them, and
 * more quickly, than a real one gives. Whatever arrived whole is carried out, even if its sender is gone by then.
 */
export class TicketServer {
  readonly tickets: Ticket[] = []
  readonly url: string
  private readonly answer_after_ms: number
  private readonly server: Server

  private constructor(server: Server, answer_after_ms: number) {
    this.server = server
    this.answer_after_ms = answer_after_ms
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => void this.receive(request, response))
  }

  static async start(answer_after_ms: number): Promise<TicketServer> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return new TicketServer(server, answer_after_ms)
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks = await request.toArray().catch(() => null)
    if (chunks === null) return
    const text = Buffer.concat(chunks as Buffer[]).toString()
    // Half of the work comes before its effect and half after it, so that a kill finds both.
    await pause(this.answer_after_ms / 2)
    const { status, body, headers } = this.answer(request, text === '' ? {} : (JSON.parse(text) as Body))
    await pause(this.answer_after_ms / 2)
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body ?? {}))
  }

  private answer(request: IncomingMessage, body: Body): Answer {
    const url = new URL(request.url ?? '', this.url)
    const [resource, id, part] = url.pathname.replace('/REST/2.0/', '').split('/')
    if (resource === 'tickets') return this.search(url.searchParams.get('query') ?? '')
    if (resource !== 'ticket') return NOT_FOUND
    if (id === undefined) return this.create(body)
    const ticket = this.tickets[Number(id) - 1]
    if (ticket === undefined) return NOT_FOUND
    if (part === 'attachments')
      return { status: 200, body: { items: ticket.comments.toReversed().map((Subject) => ({ Subject })) } }
    if (part === 'comment') {
      ticket.comments.push(body.Subject ?? '')
      return { status: 201 }
    }
    return request.method === 'PUT' ? change(ticket, body, request.headers['if-match']) : shown(ticket)
  }

  private create({ Subject = '', RefersTo = '' }: Body): Answer {
    const id = this.tickets.length + 1
    const made = { id, made_at_ms: Date.now(), subject: Subject, refers_to: RefersTo }
    this.tickets.push({ ...made, status: 'new', comments: [], version: 1 })
    return { status: 201, body: { id: String(id) } }
  }

  private search(query: string): Answer {
    const wanted = /^RefersTo = '(.*)'$/.exec(query)?.[1]
    const items = this.tickets
      .filter(({ refers_to }) => refers_to === wanted)
      .map(({ id }) => ({ id: String(id) }))
    return { status: 200, body: { items } }
  }
}

function shown(ticket: Ticket): Answer {
  const body = {
    id: ticket.id,
    Subject: ticket.subject,
    Status: ticket.status,
    Owner: { id: 'Nobody' },
    _hyperlinks: [{ ref: 'refers-to', _url: ticket.refers_to }],
  }
  return { status: 200, body, headers: { etag: `"${ticket.version}"` } }
}

function change(ticket: Ticket, body: Body, if_match: string | undefined): Answer {
  if (if_match !== undefined && if_match !== `"${ticket.version}"`) return { status: 412 }
  ticket.status = body.Status ?? ticket.status
  ticket.version++
  return { status: 200, body: ['changed'] }
}
