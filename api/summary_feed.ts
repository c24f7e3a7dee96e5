import type { ServerResponse } from 'node:http'
import { type ReplayParts, replayChanges, type Stretch } from './changes_replay.ts'
import { encodeCursor } from './cursor.ts'
import { FeedClient, resyncFrame, RETRY_MS } from './feed_client.ts'
import { summaryOf } from './incident_summary.ts'

/** At most four states of one incident a second, however often it changes. */
const FLUSH_INTERVAL_MS = 250
const INCIDENTS_PER_EVENT = 500

/**
 * Server-sent events for screens: the newest summary of every incident that changed, a few times a second. Revisions in
 * between are left out; the cursors are those of all changes.
 */
export class SummaryFeed {
  private readonly parts: ReplayParts
  private readonly clients = new Set<FeedClient>()
  private readonly dirty = new Set<string>()
  private readonly heartbeat: NodeJS.Timeout
  private readonly unlisten: () => void
  private flushing: NodeJS.Timeout | null = null

  constructor(parts: ReplayParts) {
    this.parts = parts
    this.unlisten = parts.live.onChange(({ incident_id }) => {
      if (this.clients.size === 0) return
      this.dirty.add(incident_id)
      this.flushing ??= setTimeout(() => this.flush(), FLUSH_INTERVAL_MS)
    })
    this.heartbeat = setInterval(() => this.beat(), parts.bounds.heartbeat_ms)
  }

  get full(): boolean {
    return this.clients.size >= this.parts.bounds.clients_max
  }

  /** Serves a response whose head is sent, until the client leaves. `since` null: from now on. */
  async serve(res: ServerResponse, since: string | null): Promise<void> {
    const { live, bounds } = this.parts
    const client = new FeedClient(res, bounds)
    if (!client.open) return
    res.on('close', () => this.clients.delete(client))
    const until = live.positions()
    const here = encodeCursor(until)
    this.clients.add(client)
    client.write(`retry: ${RETRY_MS}\n\n`, here)
    if (since !== null) await this.catchUp(client, { since, until })
    client.write(`event: live\nid: ${here}\ndata: ${this.now()}\n\n`, here)
    client.goLive(live.cursor())
  }

  close(): void {
    clearInterval(this.heartbeat)
    if (this.flushing) clearTimeout(this.flushing)
    this.unlisten()
    for (const client of this.clients) client.res.end()
  }

  /** What is new is read from the live view, so a thousand revisions of one incident cost one summary. */
  private async catchUp(client: FeedClient, stretch: Stretch): Promise<void> {
    const changed = new Set<string>()
    const here = encodeCursor(stretch.until)
    const reason = await replayChanges(this.parts, stretch, ({ incident_id }) => {
      changed.add(incident_id)
      return client.open
    })
    if (reason) client.write(resyncFrame(here, reason), here)
    else for (const frame of this.frames(changed, here)) client.write(frame, here)
  }

  private flush(): void {
    this.flushing = null
    const cursor = this.parts.live.cursor()
    for (const frame of this.frames(this.dirty, cursor))
      for (const client of this.clients) client.live(frame, cursor)
    this.dirty.clear()
  }

  private beat(): void {
    const cursor = this.parts.live.cursor()
    for (const client of this.clients) client.write(`event: beat\ndata: ${this.now()}\n\n`, cursor)
  }

  private now(): string {
    return JSON.stringify({ now_ms: this.parts.clock.now() })
  }

  /** Only the last frame carries the cursor: whoever had a part of them only asks for all again. */
  private *frames(ids: ReadonlySet<string>, cursor: string): Generator<string> {
    const all = [...ids]
    for (let i = 0; i < all.length; i += INCIDENTS_PER_EVENT) {
      const part = all.slice(i, i + INCIDENTS_PER_EVENT)
      const kept = part.map((id) => this.parts.live.get(id)).filter((incident) => incident !== undefined)
      const gone = part.filter((id) => !this.parts.live.get(id))
      const id = i + INCIDENTS_PER_EVENT >= all.length ? `id: ${cursor}\n` : ''
      yield `event: incidents\n${id}data: ${JSON.stringify({ incidents: kept.map(summaryOf), gone })}\n\n`
    }
  }
}
