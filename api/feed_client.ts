import type { ServerResponse } from 'node:http'

export interface FeedBounds {
  readonly heartbeat_ms: number
  /** Bytes that may wait for one slow client. */
  readonly buffer_bytes_max: number
  /** Changes that are replayed to one client; more is a resync. */
  readonly replay_entries_max: number
  readonly clients_max: number
}

export const FEED_BOUNDS: FeedBounds = {
  heartbeat_ms: 15_000,
  buffer_bytes_max: 4_194_304,
  replay_entries_max: 20_000,
  clients_max: 1_000,
}

/** How long a browser waits before it connects again. */
export const RETRY_MS = 2_000
const SLOW_GRACE_MS = 5_000

export type ResyncReason = 'cursor-unknown' | 'cursor-too-old' | 'too-far-behind' | 'too-slow'

export function resyncFrame(cursor: string, reason: ResyncReason): string {
  return `event: resync\nid: ${cursor}\ndata: ${JSON.stringify({ reason, cursor })}\n\n`
}

/** One listener. While it replays, live frames wait behind the replay. */
export class FeedClient {
  readonly res: ServerResponse
  private readonly bounds: FeedBounds
  private waiting: string[] | null = []
  private waiting_chars = 0

  constructor(res: ServerResponse, bounds: FeedBounds) {
    this.res = res
    this.bounds = bounds
  }

  get open(): boolean {
    return !this.res.writableEnded && !this.res.destroyed
  }

  live(frame: string, cursor: string): void {
    if (!this.waiting) return this.write(frame, cursor)
    this.waiting_chars += frame.length
    if (this.waiting_chars > this.bounds.buffer_bytes_max) return this.dismiss(cursor)
    this.waiting.push(frame)
  }

  /** The replay is over: what came meanwhile follows, then every change as it comes. */
  goLive(cursor: string): void {
    const waiting = this.waiting ?? []
    this.waiting = null
    for (const frame of waiting) this.write(frame, cursor)
  }

  write(frame: string, cursor: string): void {
    if (!this.open) return
    this.res.write(frame)
    if (this.res.writableLength > this.bounds.buffer_bytes_max) this.dismiss(cursor)
  }

  /** Resolves when the client has taken what was written, or is gone. */
  async drained(): Promise<void> {
    if (!this.open || !this.res.writableNeedDrain) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.res.off('drain', done).off('close', done)
        resolve()
      }
      this.res.on('drain', done).on('close', done)
    })
  }

  /** It did not keep up: it is told to read everything again, and let go. */
  dismiss(cursor: string): void {
    if (!this.open) return
    this.waiting = []
    this.res.end(resyncFrame(cursor, 'too-slow'))
    setTimeout(() => this.res.destroy(), SLOW_GRACE_MS).unref()
  }
}
