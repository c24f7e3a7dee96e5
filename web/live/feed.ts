import type { ConnectionState, FeedMessage } from './messages.ts'

const PATH = '/api/v1/changes?view=summary'
const RETRY_MS = [500, 1_000, 2_000, 5_000] as const
/** The server says something at least every 15 s; longer silence means a dead connection that nobody has told us of. */
const SILENCE_MS = 40_000

type Tell = (message: FeedMessage) => void

/**
 * The one connection that follows all changes, in a shared worker or in the page. After every break it goes on behind the
 * last event that it had; only the server's `resync` says that something is missing.
 */
export class Feed {
  private readonly tell: Tell
  private source: EventSource | null = null
  private cursor: string | null = null
  private connection: ConnectionState = { state: 'connecting' }
  private attempts = 0
  private heard_at_ms = Date.now()
  private retry: ReturnType<typeof setTimeout> | undefined
  private silence: ReturnType<typeof setTimeout> | undefined

  constructor(tell: Tell) {
    this.tell = tell
  }

  get state(): ConnectionState {
    return this.connection
  }

  start(): void {
    if (this.source) return
    clearTimeout(this.retry)
    const since = this.cursor === null ? '' : `&since=${encodeURIComponent(this.cursor)}`
    const source = new EventSource(PATH + since)
    this.source = source
    source.addEventListener('open', () => {
      this.heard()
      this.become({ state: 'catching-up' })
    })
    source.addEventListener('incidents', (event) => {
      this.heard(event)
      this.tell({ kind: 'incidents', ...(JSON.parse(event.data as string) as Told) })
    })
    source.addEventListener('live', (event) => this.clock(event))
    source.addEventListener('beat', (event) => this.clock(event))
    source.addEventListener('resync', (event) => {
      this.heard(event)
      this.tell({ kind: 'resync' })
    })
    source.addEventListener('error', () => this.broken())
    this.guard()
  }

  /** Does not wait for the next attempt: after a login, or when the network is back. */
  connectNow(): void {
    if (this.connection.state === 'live' || this.connection.state === 'catching-up') return
    this.drop()
    this.start()
  }

  stop(): void {
    clearTimeout(this.retry)
    this.drop()
  }

  private clock(event: MessageEvent): void {
    this.heard(event)
    this.attempts = 0
    this.tell({ kind: 'clock', ...(JSON.parse(event.data as string) as { now_ms: number }) })
    this.become({ state: 'live' })
  }

  private heard(event?: MessageEvent): void {
    this.heard_at_ms = Date.now()
    if (event && event.lastEventId !== '') this.cursor = event.lastEventId
    this.guard()
  }

  private guard(): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => this.broken(), SILENCE_MS)
  }

  private drop(): void {
    clearTimeout(this.silence)
    this.source?.close()
    this.source = null
  }

  private broken(): void {
    this.drop()
    const wait_ms = RETRY_MS[Math.min(this.attempts, RETRY_MS.length - 1)] ?? 0
    this.attempts++
    this.become({ state: 'stale', since_ms: this.heard_at_ms, retry_at_ms: Date.now() + wait_ms })
    this.retry = setTimeout(() => this.start(), wait_ms)
  }

  private become(next: ConnectionState): void {
    if (next.state === this.connection.state && next.state !== 'stale') return
    this.connection = next
    this.tell({ kind: 'connection', connection: next })
  }
}

type Told = Omit<Extract<FeedMessage, { kind: 'incidents' }>, 'kind'>
