import type { ServerResponse } from 'node:http'
import type { Clock, Log, LogEntry, Position, Subscription } from '../runtime/ports.ts'
import { decodeChange } from '../schemas/codec.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { LiveView } from './live_view.ts'

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

const RETRY_MS = 2_000
const REPLAY_WAIT_MS = 10_000
const SLOW_GRACE_MS = 5_000

export type ResyncReason = 'cursor-unknown' | 'cursor-too-old' | 'too-far-behind' | 'too-slow'

function resyncFrame(cursor: string, reason: ResyncReason): string {
  return `event: resync\nid: ${cursor}\ndata: ${JSON.stringify({ reason, cursor })}\n\n`
}

function changeFrame(cursor: string, change_json: string): string {
  return `event: change\nid: ${cursor}\ndata: ${change_json}\n\n`
}

/** One listener. While it replays, live frames wait behind the replay. */
class Client {
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

export interface FeedParts {
  readonly log: Log
  readonly live: LiveView
  readonly clock: Clock
  readonly bounds: FeedBounds
}

/** Server-sent events of every change, resumable at any cursor that the log still keeps. */
export class ChangesFeed {
  private readonly parts: FeedParts
  private readonly clients = new Set<Client>()
  private readonly heartbeat: NodeJS.Timeout
  private readonly unlisten: () => void

  constructor(parts: FeedParts) {
    this.parts = parts
    this.unlisten = parts.live.onChange((change) => {
      if (this.clients.size === 0) return
      const cursor = parts.live.cursor()
      const frame = changeFrame(cursor, JSON.stringify(change))
      for (const client of this.clients) client.live(frame, cursor)
    })
    this.heartbeat = setInterval(() => {
      for (const client of this.clients) client.write(':\n\n', parts.live.cursor())
    }, parts.bounds.heartbeat_ms)
  }

  get full(): boolean {
    return this.clients.size >= this.parts.bounds.clients_max
  }

  /** Serves a response whose head is sent, until the client leaves. `since` null: from now on. */
  async serve(res: ServerResponse, since: string | null): Promise<void> {
    const { live, bounds } = this.parts
    const client = new Client(res, bounds)
    if (!client.open) return
    res.on('close', () => this.clients.delete(client))
    const until = live.positions()
    this.clients.add(client)
    const here = encodeCursor(until)
    if (since === null) client.write(`retry: ${RETRY_MS}\nid: ${here}\n\n`, here)
    else {
      client.write(`retry: ${RETRY_MS}\n\n`, here)
      const reason = await this.replay(client, since, until)
      if (reason) client.write(resyncFrame(here, reason), here)
    }
    client.goLive(live.cursor())
  }

  close(): void {
    clearInterval(this.heartbeat)
    this.unlisten()
    for (const client of this.clients) client.res.end()
  }

  /** Writes all changes from `since` to `until`; or says why that cannot be. */
  private async replay(
    client: Client,
    since: string,
    until: readonly Position[],
  ): Promise<ResyncReason | null> {
    const { log, bounds } = this.parts
    const from = decodeCursor(since, until.length)
    const kept = await log.bounds('incidents')
    if (!from || from.some((position, i) => position > (kept[i]?.next ?? 0))) return 'cursor-unknown'
    if (from.some((position, i) => position < (kept[i]?.first ?? 0))) return 'cursor-too-old'
    const missed = from.reduce((sum, position, i) => sum + Math.max(0, (until[i] ?? 0) - position), 0)
    if (missed > bounds.replay_entries_max) return 'too-far-behind'
    if (missed === 0) return null
    const replay = new Replay(client, from, until)
    const subscription: Subscription = await log.tail('incidents', from, (partition, entries) =>
      replay.take(partition, entries),
    )
    const complete = await this.finished(replay)
    await subscription.close()
    return complete ? null : 'too-far-behind'
  }

  /** False when the log did not give everything in time (positions may have gaps where nothing will ever come). */
  private async finished(replay: Replay): Promise<boolean> {
    const over = new AbortController()
    const late = this.parts.clock.sleep(REPLAY_WAIT_MS, over.signal).then(() => false)
    const complete = await Promise.race([replay.complete.then(() => true), late])
    over.abort()
    return complete
  }
}

/** Follows the log from a client's cursor up to where the live view took over. */
class Replay {
  readonly complete: Promise<void>
  private readonly client: Client
  private readonly at: Position[]
  private readonly until: readonly Position[]
  private readonly finish: () => void

  constructor(client: Client, from: readonly Position[], until: readonly Position[]) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.complete = promise
    this.finish = resolve
    this.client = client
    this.at = [...from]
    this.until = until
  }

  async take(partition: number, entries: readonly LogEntry[]): Promise<void> {
    const until = this.until[partition] ?? 0
    for (const entry of entries) {
      this.at[partition] = Math.max(this.at[partition] ?? 0, Math.min(until, entry.position + 1))
      if (entry.position >= until) break
      const cursor = encodeCursor(this.at)
      this.client.write(changeFrame(cursor, JSON.stringify(decodeChange(entry.value))), cursor)
      await this.client.drained()
    }
    if (!this.client.open || this.at.every((position, i) => position >= (this.until[i] ?? 0))) this.finish()
  }
}
