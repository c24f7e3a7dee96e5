import { Retryable } from '../runtime/errors.ts'
import type { Clock, Log, LogEntry, Position, Store, Subscription } from '../runtime/ports.ts'
import type { Change } from '../schemas/change.ts'
import { CodecError, decodeChange } from '../schemas/codec.ts'
import type { Incident } from '../schemas/incident.ts'
import { encodeCursor } from './cursor.ts'
import { correlateShard, incidentRows, rulesInForce } from './rows.ts'

export interface LiveViewParts {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  /** Resolved, reviewed and merged incidents kept at most; the oldest leave first and are counted. */
  readonly closed_max: number
}

/** Called for every change that the view took; `position` is the change's place in its partition. */
export type ChangeListener = (change: Change, partition: number, position: Position) => void

const SETTLE_WAIT_MS = 1_000
const SETTLE_POLL_MS = 20
const SWEEP_INTERVAL_MS = 60_000
const ANSWERS_KEPT = 2_000
/** How long a closed incident stays before the rules say otherwise. */
const RETAIN_DEFAULT_MS = 86_400_000

function closedAt(incident: Incident): number | null {
  switch (incident.state) {
    case 'open':
    case 'acknowledged':
    case 'mitigated':
      return null
    case 'resolved':
    case 'reviewed':
      return incident.reviewed_at_ms ?? incident.resolved_at_ms ?? incident.updated_at_ms
    case 'merged':
      return incident.updated_at_ms
  }
}

/** All incidents that operators act on: the correlator's rows at the start, the incidents log from then on. */
export class LiveView {
  private readonly parts: LiveViewParts
  private readonly incidents = new Map<string, Incident>()
  /** Closed incidents by when they closed, oldest first as far as they closed here. */
  private readonly closed = new Map<string, number>()
  private readonly next: Position[]
  private readonly listeners = new Set<ChangeListener>()
  /** Command and incident → the change that answered it, newest last. */
  private readonly answers = new Map<string, Change>()
  private readonly awaited = new Map<string, Set<(change: Change) => void>>()
  private readonly stopping = new AbortController()
  private subscription: Subscription | null = null
  private retain_ms = RETAIN_DEFAULT_MS
  private evicted = 0
  private unreadable = 0

  private constructor(parts: LiveViewParts, next: readonly Position[]) {
    this.parts = parts
    this.next = [...next]
  }

  /** Throws Retryable when log or store cannot be reached. */
  static async start(parts: LiveViewParts): Promise<LiveView> {
    const bounds = await parts.log.bounds('incidents')
    await settle(parts)
    const view = new LiveView(
      parts,
      bounds.map((bound) => bound.next),
    )
    await view.load()
    view.subscription = await parts.log.tail('incidents', view.next, (partition, entries) =>
      view.take(partition, entries),
    )
    void view.sweeping()
    return view
  }

  get(id: string): Incident | undefined {
    return this.incidents.get(id)
  }

  all(): IterableIterator<Incident> {
    return this.incidents.values()
  }

  /** Incidents that left because there were too many (not because of their age), and changes that could not be read. */
  get losses(): { readonly evicted: number; readonly unreadable: number } {
    return { evicted: this.evicted, unreadable: this.unreadable }
  }

  /** The next position of every partition of the incidents log; all before is in the view. */
  positions(): readonly Position[] {
    return [...this.next]
  }

  cursor(): string {
    return encodeCursor(this.next)
  }

  /** Returns the function that ends it. */
  onChange(listener: ChangeListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** The change that a command made (or its refusal), waiting up to `wait_ms` for it; null when it has not come. */
  async answerTo(command_id: string, incident_id: string, wait_ms: number): Promise<Change | null> {
    const key = answerKey(command_id, incident_id)
    const answer = this.answers.get(key)
    if (answer || wait_ms === 0) return answer ?? null
    const over = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Change>()
    const waiting = this.awaited.get(key) ?? new Set()
    this.awaited.set(key, waiting.add(resolve))
    try {
      return await Promise.race([promise, this.parts.clock.sleep(wait_ms, over.signal).then(() => null)])
    } finally {
      over.abort()
      waiting.delete(resolve)
      if (waiting.size === 0) this.awaited.delete(key)
    }
  }

  async close(): Promise<void> {
    this.stopping.abort()
    await this.subscription?.close()
  }

  private async load(): Promise<void> {
    const { log, store } = this.parts
    const found: Incident[] = []
    for (let partition = 0; partition < log.partitions('alerts'); partition++) {
      // A row that was opened but not told yet has revision 0; its first change brings it.
      for (const row of await incidentRows(store, partition))
        if (row.incident.revision > 0) found.push(row.incident)
    }
    found.sort((a, b) => (closedAt(a) ?? 0) - (closedAt(b) ?? 0))
    for (const incident of found) this.put(incident)
    await this.sweep()
  }

  private take(partition: number, entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.next[partition] = entry.position + 1
      const change = this.decoded(entry)
      if (!change) continue
      this.remember(change)
      if ((this.incidents.get(change.incident_id)?.revision ?? 0) >= change.revision) continue
      this.put(change.incident)
      for (const listener of this.listeners) listener(change, partition, entry.position)
    }
  }

  private decoded(entry: LogEntry): Change | null {
    try {
      return decodeChange(entry.value)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      this.unreadable++
      return null
    }
  }

  private put(incident: Incident): void {
    this.incidents.set(incident.id, incident)
    this.closed.delete(incident.id)
    const closed_at_ms = closedAt(incident)
    if (closed_at_ms === null) return
    this.closed.set(incident.id, closed_at_ms)
    if (this.closed.size <= this.parts.closed_max) return
    const [oldest] = this.closed.keys()
    this.remove(oldest as string)
    this.evicted++
  }

  private remove(id: string): void {
    this.incidents.delete(id)
    this.closed.delete(id)
  }

  private remember(change: Change): void {
    if (change.command_id === null) return
    const key = answerKey(change.command_id, change.incident_id)
    if (this.answers.has(key)) return
    this.answers.set(key, change)
    if (this.answers.size > ANSWERS_KEPT) this.answers.delete(this.answers.keys().next().value as string)
    for (const resolve of this.awaited.get(key) ?? []) resolve(change)
  }

  private async sweeping(): Promise<void> {
    const { clock } = this.parts
    for (;;) {
      await clock.sleep(SWEEP_INTERVAL_MS, this.stopping.signal)
      if (this.stopping.signal.aborted) return
      try {
        await this.sweep()
      } catch (error) {
        // The store is away: the next sweep is soon enough, what is kept too long does no harm.
        if (!(error instanceof Retryable)) throw error
      }
    }
  }

  /** Closed incidents leave once they are as old as the rules in force say. */
  private async sweep(): Promise<void> {
    const rules = await rulesInForce(this.parts.store)
    this.retain_ms = rules?.retain_resolved_ms ?? this.retain_ms
    const before_ms = this.parts.clock.now() - this.retain_ms
    for (const [id, closed_at_ms] of this.closed) if (closed_at_ms <= before_ms) this.remove(id)
  }
}

function answerKey(command_id: string, incident_id: string): string {
  return `${incident_id} ${command_id}`
}

/**
 * Waits until every change that was published before now is in the rows. Changes are published before they are
 * committed, so a row read in between would miss one that no tail from the log's end brings. A partition is settled when
 * its position moves or has reached the end; one without an owner never is, but its next owner publishes again.
 */
async function settle({ log, store, clock }: LiveViewParts): Promise<void> {
  const ends = await log.bounds('alerts')
  const began = await Promise.all(ends.map((_, partition) => store.position(correlateShard(partition))))
  const open = new Set(ends.keys())
  for (let waited_ms = 0; waited_ms < SETTLE_WAIT_MS; waited_ms += SETTLE_POLL_MS) {
    for (const partition of open) {
      const position = await store.position(correlateShard(partition))
      if (position !== began[partition] || (position ?? 0) >= (ends[partition]?.next ?? 0))
        open.delete(partition)
    }
    if (open.size === 0) return
    await clock.sleep(SETTLE_POLL_MS)
  }
}
