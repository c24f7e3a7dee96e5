import { createContext, use, useSyncExternalStore } from 'react'
import type { IncidentSummary } from '../../schemas/incident_summary.ts'
import { request, ServerError } from '../server/request.ts'
import { connect, type Connection } from './connection.ts'
import type { ConnectionState, FeedMessage } from './messages.ts'

interface Page {
  readonly incidents: readonly IncidentSummary[]
  readonly next_cursor: string | null
}

export interface LiveStatus {
  readonly connection: ConnectionState
  /** Everything that the server keeps has been read once. */
  readonly loaded: boolean
  /** Why reading failed; what was read before stays. */
  readonly error: ServerError | null
}

/** All incidents at one moment; another object after every change. */
export class LiveIncidents {
  private readonly incidents: ReadonlyMap<string, IncidentSummary>
  readonly size: number

  constructor(incidents: ReadonlyMap<string, IncidentSummary>) {
    this.incidents = incidents
    this.size = incidents.size
  }

  values(): IterableIterator<IncidentSummary> {
    return this.incidents.values()
  }
}

const PAGE = 2_000
/** With more incidents, lists are put in order once in this time. */
const MANY = 2_000
const MANY_INTERVAL_MS = 1_000
const HIDDEN_FLUSH_MS = 1_000
const LOAD_RETRY_MS = 3_000
/** Beyond this many a browser is the wrong tool: the oldest closed incidents are left out. */
const INCIDENTS_MAX = 60_000

/**
 * All incidents that the server keeps, as lists show them. Whoever reads is told of changes at most once a frame; an older
 * revision never replaces a newer one.
 */
export class LiveStore {
  private readonly incidents = new Map<string, IncidentSummary>()
  private readonly listeners = new Set<() => void>()
  private connection: Connection | null = null
  private status: LiveStatus = { connection: { state: 'connecting' }, loaded: false, error: null }
  private snapshot = new LiveIncidents(this.incidents)
  private flush_due = false
  private snapshot_due: ReturnType<typeof setTimeout> | undefined
  private snapshot_at_ms = 0
  private loading = false
  /** What was read is complete: the stream was open before. */
  private synced = false
  /** Incidents that the stream told while all were being read. */
  private readonly told_meanwhile = new Set<string>()
  private load_again = false
  private clock_offset_ms = 0

  start(): void {
    this.connection ??= connect((message) => this.take(message))
  }

  /** After a login, or because somebody asks for it. */
  retryNow(): void {
    this.connection?.connectNow()
    void this.load()
  }

  stop(): void {
    this.connection?.close()
    this.connection = null
  }

  get(id: string): IncidentSummary | undefined {
    return this.incidents.get(id)
  }

  all(): IterableIterator<IncidentSummary> {
    return this.incidents.values()
  }

  /** The server's time as this browser knows it. */
  now(): number {
    return Date.now() + this.clock_offset_ms
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly readSnapshot = (): LiveIncidents => this.snapshot
  readonly readStatus = (): LiveStatus => this.status

  private take(message: FeedMessage): void {
    switch (message.kind) {
      case 'connection':
        return this.connected(message.connection)
      case 'incidents':
        for (const incident of message.incidents) {
          this.put(incident)
          if (this.loading) this.told_meanwhile.add(incident.id)
        }
        for (const id of message.gone) this.incidents.delete(id)
        return this.touch()
      case 'resync':
        this.synced = false
        return void this.load()
      case 'clock':
        this.clock_offset_ms = message.now_ms - Date.now()
    }
  }

  private connected(connection: ConnectionState): void {
    this.setStatus({ connection })
    // From here on nothing is missed, so what is read now is complete.
    if (connection.state === 'live' && !this.synced) void this.load()
    // A stream that is refused says no reason; a request does.
    if (connection.state === 'stale' && !this.status.loaded) void this.load()
  }

  private put(incident: IncidentSummary): void {
    const known = this.incidents.get(incident.id)
    if (known && known.revision >= incident.revision) return
    this.incidents.set(incident.id, incident)
  }

  /** Reads everything. Called while it is at work, it begins once more afterwards. */
  private async load(): Promise<void> {
    if (this.loading) {
      this.load_again = true
      return
    }
    this.loading = true
    this.told_meanwhile.clear()
    const complete = this.status.connection.state === 'live'
    try {
      await this.readAll()
      this.synced ||= complete
      this.setStatus({ loaded: true, error: null })
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      this.setStatus({ error })
      if (error.status !== 401) setTimeout(() => void this.load(), LOAD_RETRY_MS)
    } finally {
      this.loading = false
    }
    if (!this.load_again) return
    this.load_again = false
    await this.load()
  }

  private async readAll(): Promise<void> {
    const seen = new Set<string>()
    let cursor = ''
    for (;;) {
      const page = await request<Page>(`/api/v1/incidents?view=summary&limit=${PAGE}${cursor}`)
      for (const incident of page.incidents) {
        seen.add(incident.id)
        this.put(incident)
      }
      this.touch()
      if (page.next_cursor === null || seen.size >= INCIDENTS_MAX) break
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`
    }
    // What the server no longer keeps: known before, and neither read nor told meanwhile.
    for (const id of this.incidents.keys()) {
      if (!seen.has(id) && !this.told_meanwhile.has(id)) this.incidents.delete(id)
    }
  }

  private setStatus(changes: Partial<LiveStatus>): void {
    this.status = { ...this.status, ...changes }
    for (const listener of this.listeners) listener()
  }

  /** Rows follow every change; what is computed from all incidents follows less often when there are many. */
  private renewSnapshot(): void {
    if (this.snapshot_due !== undefined) return
    const since_ms = performance.now() - this.snapshot_at_ms
    const interval_ms = this.incidents.size > MANY ? MANY_INTERVAL_MS : 0
    if (since_ms >= interval_ms) {
      this.snapshot_at_ms = performance.now()
      this.snapshot = new LiveIncidents(this.incidents)
      return
    }
    this.snapshot_due = setTimeout(() => {
      this.snapshot_due = undefined
      this.snapshot_at_ms = 0
      this.touch()
    }, interval_ms - since_ms)
  }

  /** Hidden pages draw no frames, and need none. */
  private touch(): void {
    if (this.flush_due) return
    this.flush_due = true
    const flush = () => {
      this.flush_due = false
      this.renewSnapshot()
      for (const listener of this.listeners) listener()
    }
    if (document.hidden) setTimeout(flush, HIDDEN_FLUSH_MS)
    else requestAnimationFrame(flush)
  }
}

export const LiveContext = createContext<LiveStore | null>(null)

export function useLive(): LiveStore {
  const live = use(LiveContext)
  if (!live) throw new Error('outside of LiveContext')
  return live
}

/** Another object whenever any incident changed, at most once a frame; once a second when there are thousands. */
export function useLiveIncidents(): LiveIncidents {
  const live = useLive()
  return useSyncExternalStore(live.subscribe, live.readSnapshot)
}

export function useLiveStatus(): LiveStatus {
  const live = useLive()
  return useSyncExternalStore(live.subscribe, live.readStatus)
}

export function useLiveIncident(id: string): IncidentSummary | undefined {
  const live = useLive()
  return useSyncExternalStore(live.subscribe, () => live.get(id))
}
