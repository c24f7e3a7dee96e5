import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const HEAD_END = '\r\n\r\n'

/** One keep-alive connection, one request at a time: a client that costs as little as it can. */
export class Connection {
  private readonly socket: Socket
  private readonly head: string
  private received = ''
  private waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | null = null

  private constructor(socket: Socket, target: URL, headers: Readonly<Record<string, string>>) {
    this.socket = socket
    const lines = Object.entries({ host: target.host, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    this.head = `POST ${target.pathname} HTTP/1.1\r\n${lines.join('')}content-length: `
    socket.on('data', (data) => this.take(data.toString('latin1')))
    const gone = () => this.waiting?.reject(new Error(`${target.host} closed the connection`))
    socket.on('close', gone)
    socket.on('error', (error) => this.waiting?.reject(error))
  }

  static async open(
    target: URL,
    headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
  ): Promise<Connection> {
    const socket = connect({ host: target.hostname, port: Number(target.port || 80), noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket, target, headers)
  }

  /** Resolves with the status once the answer is there as a whole. */
  post(parts: readonly Buffer[], bytes: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      this.socket.cork()
      this.socket.write(`${this.head}${bytes}${HEAD_END}`, 'latin1')
      for (const part of parts) this.socket.write(part)
      this.socket.uncork()
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private take(text: string): void {
    this.received += text
    const head_end = this.received.indexOf(HEAD_END)
    if (head_end < 0) return
    const head = this.received.slice(0, head_end).toLowerCase()
    const body = this.received.slice(head_end + HEAD_END.length)
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
    const whole =
      length === undefined
        ? head.startsWith('http/1.1 204') ||
          !head.includes('\r\ntransfer-encoding: chunked') ||
          body.endsWith('0\r\n\r\n')
        : body.length >= Number(length)
    if (!whole) return
    this.received = ''
    const { waiting } = this
    this.waiting = null
    waiting?.resolve(Number(head.slice(9, 12)))
  }
}
