import type { Change } from '../../schemas/change.ts'
import { pause } from './processes.ts'

const RECONNECT_MS = 100

/** A client of `GET /api/v1/changes` as a browser is one: it connects again for ever, from the last event that it had. */
export class Follower {
  readonly changes: Change[] = []
  /** Times that it was told to read everything again. */
  resyncs = 0
  /** Times that it connected. */
  connections = 0
  private last_id = ''
  private readonly stopping = new AbortController()
  private readonly url: string
  private readonly running: Promise<void>

  constructor(url: string) {
    this.url = `${url}/api/v1/changes`
    this.running = this.run()
  }

  /** It has a place to resume from. */
  get placed(): boolean {
    return this.last_id !== ''
  }

  async close(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // The server is killed in the middle of it: every end is one to come back from.
      await this.follow().catch(() => {})
      await pause(RECONNECT_MS)
    }
  }

  private async follow(): Promise<void> {
    const headers = this.last_id === '' ? {} : { 'last-event-id': this.last_id }
    const response = await fetch(this.url, { headers, signal: this.stopping.signal })
    if (response.status !== 200 || response.body === null) return
    this.connections++
    let rest = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) this.take(event)
    }
  }

  private take(event: string): void {
    const fields = new Map(
      event
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    )
    if (fields.get('event') === 'change') this.changes.push(JSON.parse(fields.get('data') ?? '') as Change)
    if (fields.get('event') === 'resync') this.resyncs++
    this.last_id = fields.get('id') ?? this.last_id
  }
}
