import type { World } from './world.ts'

interface Event {
  readonly event: string
  readonly id: string
  readonly data: string
}

/** A client of server-sent events as a browser is one: it remembers the last id. */
export class Follower {
  readonly events: Event[] = []
  last_id: string
  private readonly stop = new AbortController()
  private running: Promise<void> = Promise.resolve()

  private constructor(since: string) {
    this.last_id = since
  }

  static async open(
    world: World,
    since: string,
    { how = 'header', view = 'full' }: { how?: 'header' | 'query'; view?: 'full' | 'summary' } = {},
  ): Promise<Follower> {
    const follower = new Follower(since)
    const headers = how === 'header' && since !== '' ? { 'last-event-id': since } : undefined
    const query = new URLSearchParams({ view, ...(how === 'query' && { since }) })
    const response = await fetch(`${world.url}/api/v1/changes?${query.toString()}`, {
      signal: follower.stop.signal,
      ...(headers && { headers }),
    })
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream'))
      throw new Error(`no events: ${response.status}`)
    follower.running = follower.read(response).catch(() => undefined)
    return follower
  }

  /** What events of one name said. */
  told<Data>(event: string): Data[] {
    return this.events.filter((one) => one.event === event).map(({ data }) => JSON.parse(data) as Data)
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.running
  }

  private async read(response: Response): Promise<void> {
    let rest = ''
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) this.take(block)
    }
  }

  private take(block: string): void {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const id = fields.get('id')
    if (id !== undefined) this.last_id = id
    const data = fields.get('data')
    if (data !== undefined)
      this.events.push({ event: fields.get('event') ?? 'message', id: this.last_id, data })
  }
}
