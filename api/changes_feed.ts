import type { ServerResponse } from 'node:http'
import { replayChanges, type ReplayParts } from './changes_replay.ts'
import { encodeCursor } from './cursor.ts'
import { FeedClient, resyncFrame, RETRY_MS } from './feed_client.ts'

function changeFrame(cursor: string, change_json: string): string {
  return `event: change\nid: ${cursor}\ndata: ${change_json}\n\n`
}

/** Server-sent events of every change, resumable at any cursor that the log still keeps. */
export class ChangesFeed {
  private readonly parts: ReplayParts
  private readonly clients = new Set<FeedClient>()
  private readonly heartbeat: NodeJS.Timeout
  private readonly unlisten: () => void

  constructor(parts: ReplayParts) {
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
    const client = new FeedClient(res, bounds)
    if (!client.open) return
    res.on('close', () => this.clients.delete(client))
    const until = live.positions()
    this.clients.add(client)
    const here = encodeCursor(until)
    if (since === null) client.write(`retry: ${RETRY_MS}\nid: ${here}\n\n`, here)
    else {
      client.write(`retry: ${RETRY_MS}\n\n`, here)
      const reason = await replayChanges(this.parts, { since, until }, async (change, cursor) => {
        client.write(changeFrame(cursor, JSON.stringify(change)), cursor)
        await client.drained()
        return client.open
      })
      if (reason) client.write(resyncFrame(here, reason), here)
    }
    client.goLive(live.cursor())
  }

  close(): void {
    clearInterval(this.heartbeat)
    this.unlisten()
    for (const client of this.clients) client.res.end()
  }
}
