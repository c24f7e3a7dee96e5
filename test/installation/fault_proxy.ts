import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to one request instead of being passed on and answered. */
export type Fault =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'drop' }
  /** Passed on; the connection breaks once the target answered. */
  | { readonly kind: 'drop-after' }
  /** Passed on and answered, with another body. */
  | { readonly kind: 'body'; readonly body: string }
  /** Passed on after something else was done. */
  | { readonly kind: 'after'; readonly act: () => Promise<unknown> }

export interface Seen {
  readonly method: string
  readonly path: string
}

/** A proxy in front of a sink: `faults` are taken by the next requests whose method matches, one each. */
export class FaultProxy {
  readonly seen: Seen[] = []
  private readonly target: URL
  private readonly server: Server
  private faults: { readonly method: string; readonly fault: Fault }[] = []
  private choose: () => Fault | null = () => null

  private constructor(target: string) {
    this.target = new URL(target)
    this.server = createServer((incoming, outgoing) => void this.handle(incoming, outgoing))
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>((done) => proxy.server.listen(0, '127.0.0.1', done))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  inject(method: string, ...faults: Fault[]): void {
    this.faults.push(...faults.map((fault) => ({ method, fault })))
  }

  /** Asked what befalls each request that no injected fault waits for, until `reset`. */
  storm(choose: () => Fault | null): void {
    this.choose = choose
  }

  reset(): void {
    this.faults = []
    this.choose = () => null
    this.seen.length = 0
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((done) => this.server.close(done))
  }

  private async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const method = incoming.method ?? ''
    this.seen.push({ method, path: incoming.url ?? '' })
    const index = this.faults.findIndex((each) => each.method === method)
    const fault = index < 0 ? this.choose() : (this.faults.splice(index, 1)[0]?.fault ?? null)
    const chunks = await incoming.toArray().catch(() => null)
    if (chunks === null) return
    const body = Buffer.concat(chunks as Buffer[])
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'drop') return void incoming.socket.destroy()
    if (fault?.kind === 'answer')
      return void outgoing.writeHead(fault.status, fault.headers).end(fault.body ?? '')
    if (fault?.kind === 'after') await fault.act()
    const answer = await this.passOn(incoming, body)
    if (fault?.kind === 'drop-after') return void incoming.socket.destroy()
    if (fault?.kind === 'body')
      return void outgoing.writeHead(answer.status, { 'content-type': 'text/html' }).end(fault.body)
    outgoing.writeHead(answer.status, answer.headers).end(answer.body)
  }

  private async passOn(
    incoming: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
    const { 'transfer-encoding': _chunked, connection: _hop, ...headers } = incoming.headers
    const options = {
      method: incoming.method,
      path: incoming.url,
      host: this.target.hostname,
      port: this.target.port,
      headers,
    }
    const response = await new Promise<IncomingMessage>((done, fail) =>
      request(options, done).on('error', fail).end(body),
    )
    const { etag, 'content-type': type = '' } = response.headers
    const kept = { 'content-type': type, ...(etag === undefined ? {} : { etag }) }
    return {
      status: response.statusCode ?? 0,
      headers: kept,
      body: Buffer.concat((await response.toArray()) as Buffer[]),
    }
  }
}
