import { z } from 'zod'
import { Misconfigured } from '../../runtime/errors.ts'
import type { SinkConfig } from '../../schemas/config.ts'
import type { Action, Result, SinkPolicy } from '../delivery.ts'
import { Outbound, type OutboundRequest, type OutboundResponse } from '../outbound.ts'
import { description, news, subject } from '../templates.ts'
import {
  incidentLink,
  resultOfError,
  retryAfterAnswer,
  type Sink,
  type SinkWorld,
  type Telling,
} from './sink.ts'

/** Tickets of Request Tracker 5 through its REST 2.0 API. How they are found again: docs/adr/0005-finding-tickets-again.md. */

export type RequestTrackerConfig = Extract<SinkConfig, { kind: 'request-tracker' }>

const UPDATE_INTERVAL_MS = 5_000
/** A slow server may carry out what it was sent after the client gave up. */
const SETTLE_MS = 30_000
/** Requests of one attempt at most, and how often a ticket that somebody else changes meanwhile is read again. */
const REQUESTS_MAX = 8
const CONFLICTS_MAX = 3
/** Comments looked through for the one that an attempt without an answer may have left. */
const COMMENTS_READ = 50

const createdShape = z.object({ id: z.coerce.string().regex(/^\d+$/) })
const foundShape = z.object({ items: z.array(z.object({ id: z.coerce.string().regex(/^\d+$/) })) })
const attachmentsShape = z.object({ items: z.array(z.object({ Subject: z.string().nullish() })) })
const ticketShape = z.object({
  Status: z.string(),
  Owner: z.object({ id: z.string() }),
  _hyperlinks: z.array(z.object({ ref: z.string(), _url: z.string().nullish(), to: z.string().nullish() })),
})
type RtTicket = z.infer<typeof ticketShape>

const INACTIVE = new Set(['resolved', 'rejected'])

/** Ends an attempt from the middle of it. */
class Ending extends Error {
  readonly result: Result
  constructor(result: Result) {
    super(result.kind)
    this.result = result
  }
}

/** The same for an incident for ever, wherever Tocsin is reached: a ticket refers to it by a link. */
export function incidentUrn(incident_id: string): string {
  return `urn:tocsin:incident:${encodeURIComponent(incident_id).replaceAll("'", '%27')}`
}

export class RequestTrackerSink implements Sink {
  readonly policy: SinkPolicy
  private readonly config: RequestTrackerConfig
  private readonly base: string
  private readonly authorization: string
  private readonly outbound: Outbound
  private readonly world: SinkWorld

  constructor(config: RequestTrackerConfig, world: SinkWorld) {
    this.config = config
    this.base = config.url.replace(/\/+$/, '')
    this.authorization = authorization(config, world)
    this.outbound = new Outbound(config)
    this.world = world
    this.policy = {
      sink: config.name,
      min_severity: config.min_severity,
      update_interval_ms: UPDATE_INTERVAL_MS,
      create_timeout_ms: config.timeout_ms,
      attempt_timeout_ms: config.timeout_ms * REQUESTS_MAX,
      settle_ms: SETTLE_MS,
      idempotent: false,
      silent: ['command-refused', 'ticket-linked'],
    }
  }

  async deliver(action: Action, telling: Telling, signal: AbortSignal): Promise<Result> {
    try {
      if (action === 'create') return await this.create(telling, signal)
      if (action === 'look-up') return await this.lookUp(telling, signal)
      return await this.change(action, telling, signal)
    } catch (error) {
      return error instanceof Ending ? error.result : resultOfError(error)
    }
  }

  close(): void {
    this.outbound.close()
  }

  private async create({ summary }: Telling, signal: AbortSignal): Promise<Result> {
    const ticket = {
      Queue: this.config.queue,
      Subject: subject(summary),
      Content: description(summary, this.link(summary.incident_id)),
      ContentType: 'text/plain',
      RefersTo: incidentUrn(summary.incident_id),
    }
    const response = await this.call('POST', 'ticket', signal, { body: ticket, fresh: true })
    return this.ticketOf(this.read(response, createdShape).id)
  }

  /** The oldest ticket that refers to the incident; deleted ones are not found, and of merged ones the one that is left is. */
  private async lookUp({ summary }: Telling, signal: AbortSignal): Promise<Result> {
    const urn = incidentUrn(summary.incident_id)
    const search = new URLSearchParams({
      query: `RefersTo = '${urn}'`,
      orderby: 'id',
      order: 'ASC',
      per_page: '1',
    })
    const id = this.read(await this.call('GET', `tickets?${search.toString()}`, signal), foundShape).items[0]
      ?.id
    if (id === undefined) return { kind: 'absent' }
    // A search that ignored its condition would find anything.
    const { ticket } = await this.ticket(id, signal)
    if (ticket._hyperlinks.some((link) => link.ref === 'refers-to' && link._url === urn))
      return this.ticketOf(id)
    return { kind: 'refused', code: 'search-not-exact', status: null }
  }

  private async change(
    action: 'update' | 'close' | 'reopen',
    telling: Telling,
    signal: AbortSignal,
  ): Promise<Result> {
    const id = telling.external_id ?? ''
    if (!/^\d+$/.test(id)) return { kind: 'refused', code: 'ticket-id', status: null }
    await this.setFields(id, action, telling, signal)
    await this.comment(id, telling, signal)
    return this.ticketOf(id)
  }

  /** Sets what differs, only while nobody changed the ticket in between, and looks whether the state was taken. */
  private async setFields(
    id: string,
    action: 'update' | 'close' | 'reopen',
    telling: Telling,
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; attempt <= CONFLICTS_MAX; attempt++) {
      const { ticket, etag } = await this.ticket(id, signal)
      if (ticket.Status === 'deleted')
        throw new Ending({ kind: 'gone', code: 'ticket-deleted', status: null })
      const wanted = {
        ...wantedStatus(action, ticket, telling),
        ...wantedOwner(ticket, telling),
        ...wantedLink(telling),
      }
      if (Object.keys(wanted).length === 0) return
      const response = await this.outbound.request(
        this.request('PUT', `ticket/${id}`, { body: wanted, etag }),
        signal,
      )
      if (response.status === 412) continue
      this.expectSuccess(response)
      if (wanted.Status === undefined) return
      // Request Tracker answers 200 to a status that it did not take.
      if ((await this.ticket(id, signal)).ticket.Status === wanted.Status) return
      throw new Ending({ kind: 'refused', code: 'status-not-taken', status: response.status })
    }
    throw new Ending({ kind: 'retry', code: 'conflict', status: 412, retry_after_ms: null, not_done: true })
  }

  private async comment(id: string, telling: Telling, signal: AbortSignal): Promise<void> {
    const { summary, told } = telling
    const link = (incident_id: string) => this.link(incident_id)
    const marker = `Tocsin ${summary.change_id}`
    if (telling.repeated && (await this.hasComment(id, marker, signal))) return
    const text = told === null ? description(summary, link(summary.incident_id)) : news(summary, told, link)
    this.expectSuccess(
      await this.call('POST', `ticket/${id}/comment`, signal, {
        body: { Subject: marker, Content: text, ContentType: 'text/plain' },
        fresh: true,
      }),
    )
  }

  private async hasComment(id: string, marker: string, signal: AbortSignal): Promise<boolean> {
    const search = new URLSearchParams({
      fields: 'Subject',
      orderby: 'id',
      order: 'DESC',
      per_page: String(COMMENTS_READ),
    })
    const { items } = this.read(
      await this.call('GET', `ticket/${id}/attachments?${search.toString()}`, signal),
      attachmentsShape,
    )
    return items.some((item) => item.Subject === marker)
  }

  private async ticket(id: string, signal: AbortSignal): Promise<{ ticket: RtTicket; etag: string | null }> {
    const response = await this.call('GET', `ticket/${id}`, signal)
    return { ticket: this.read(response, ticketShape), etag: response.headers['etag'] ?? null }
  }

  private async call(
    method: OutboundRequest['method'],
    path: string,
    signal: AbortSignal,
    extra: Extra = {},
  ): Promise<OutboundResponse> {
    const response = await this.outbound.request(this.request(method, path, extra), signal)
    this.expectSuccess(response)
    return response
  }

  private request(
    method: OutboundRequest['method'],
    path: string,
    { body, etag, fresh }: Extra,
  ): OutboundRequest {
    const headers = { accept: 'application/json', authorization: this.authorization, 'user-agent': 'tocsin' }
    const url = new URL(`${this.base}/REST/2.0/${path}`)
    const conditional = etag == null ? {} : { 'if-match': etag }
    if (body === undefined) return { method, url, headers }
    return {
      method,
      url,
      headers: { ...headers, ...conditional, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      fresh: fresh ?? false,
    }
  }

  /**
   * 401, 403 and 404 are tried again: access and address are the sink's fault, not the ticket's, and Request Tracker
   * answers 404 as well when its database is busy.
   */
  private expectSuccess(response: OutboundResponse): void {
    const { status } = response
    if (status >= 200 && status < 300) return
    const passing = status < 400 || status >= 500 || [401, 403, 404, 408, 429].includes(status)
    throw new Ending(
      passing
        ? retryAfterAnswer(response, this.world.now())
        : { kind: 'refused', code: `http-${status}`, status },
    )
  }

  /** An answer that cannot be read leaves open what was done. */
  private read<T>(response: OutboundResponse, shape: z.ZodType<T>): T {
    const parsed = shape.safeParse(response.truncated ? undefined : json(response.body))
    if (parsed.success) return parsed.data
    throw new Ending({
      kind: 'retry',
      code: 'answer-unreadable',
      status: response.status,
      retry_after_ms: null,
      not_done: false,
    })
  }

  private ticketOf(id: string): Result {
    return { kind: 'ok', external_id: id, url: `${this.base}/Ticket/Display.html?id=${id}` }
  }

  private link(incident_id: string): string {
    return incidentLink(this.world, incident_id)
  }
}

interface Extra {
  readonly body?: unknown
  readonly etag?: string | null
  readonly fresh?: boolean
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function authorization(config: RequestTrackerConfig, world: SinkWorld): string {
  if (config.token !== undefined) return `token ${world.secret(config.token).trim()}`
  if (config.username !== undefined && config.password !== undefined) {
    return `Basic ${Buffer.from(`${config.username}:${world.secret(config.password)}`).toString('base64')}`
  }
  throw new Misconfigured(
    'sink-login',
    `sink ${config.name} has no login: set \`token\`, or \`username\` and \`password\``,
  )
}

/** Operators may have moved the ticket on: it is opened when it is closed or new, closed when it is not, else left alone. */
function wantedStatus(
  action: 'update' | 'close' | 'reopen',
  ticket: RtTicket,
  { summary }: Telling,
): { Status?: string } {
  const inactive = INACTIVE.has(ticket.Status)
  if (action === 'close') return inactive ? {} : { Status: 'resolved' }
  if (action === 'reopen') return inactive ? { Status: 'open' } : {}
  return ticket.Status === 'new' && summary.state !== 'open' ? { Status: 'open' } : {}
}

/** An assignee whom Request Tracker does not know changes nothing there; the comment names them all the same. */
function wantedOwner(ticket: RtTicket, { summary, told }: Telling): { Owner?: string } {
  if (
    summary.assignee === null ||
    summary.assignee === told?.assignee ||
    summary.assignee === ticket.Owner.id
  )
    return {}
  return { Owner: summary.assignee }
}

/** A ticket that was linked by hand is found again from now on like the others. */
function wantedLink({ summary, told }: Telling): { AddRefersTo?: string } {
  return told === null ? { AddRefersTo: incidentUrn(summary.incident_id) } : {}
}
