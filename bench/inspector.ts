import { freePort } from '../test/services/runner.ts'

/** Bytes of one process after everything that nobody needs was freed. */
export interface Memory {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

/** Asks a Node process that was started with `arguments_of_node` about its memory, through its debugger. */
export class Inspector {
  readonly arguments_of_node: readonly string[]
  private readonly port: number

  private constructor(port: number) {
    this.port = port
    this.arguments_of_node = [`--inspect=127.0.0.1:${port}`, '--inspect-publish-uid=http']
  }

  static async onFreePort(): Promise<Inspector> {
    return new Inspector(await freePort())
  }

  /** Collects garbage first. */
  async memory(): Promise<Memory> {
    const list = await fetch(`http://127.0.0.1:${this.port}/json/list`)
    const [target] = (await list.json()) as { readonly webSocketDebuggerUrl: string }[]
    if (target === undefined) throw new Error('the process has no debugger')
    const socket = new WebSocket(target.webSocketDebuggerUrl)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('the debugger does not answer')))
    })
    try {
      for (let n = 0; n < 3; n++) await ask(socket, 'HeapProfiler.collectGarbage', {})
      const expression = 'JSON.stringify(process.memoryUsage())'
      const { result } = await ask(socket, 'Runtime.evaluate', { expression })
      return JSON.parse(String(result?.value)) as Memory
    } finally {
      socket.close()
    }
  }
}

interface Answer {
  readonly result?: { readonly value?: unknown }
}

function ask(socket: WebSocket, method: string, params: Readonly<Record<string, unknown>>): Promise<Answer> {
  return new Promise((resolve) => {
    socket.addEventListener(
      'message',
      ({ data }) => resolve((JSON.parse(String(data)) as { result: Answer }).result),
      { once: true },
    )
    socket.send(JSON.stringify({ id: 1, method, params }))
  })
}
