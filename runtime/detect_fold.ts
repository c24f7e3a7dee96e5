import { CodecError, encodeRecord } from '../schemas/codec.ts'
import { deadLetterOf } from '../schemas/deadletter.ts'
import {
  decodeDetectRecord,
  type DetectRules,
  encodeDetectRecord,
  isDetectRecord,
} from '../schemas/detect.ts'
import { partitionOf } from '../schemas/ids.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { AlertsRecord } from '../schemas/record.ts'
import { decodeSamples } from '../schemas/samples_codec.ts'
import {
  emptyOutcome,
  foldSamples,
  HEARTBEAT_MS,
  nextDue,
  type Outcome,
  type ToldAt,
} from '../ingest/detect/fold/fold.ts'
import { Restoring } from '../ingest/detect/fold/rows.ts'
import { takeSnapshot } from '../ingest/detect/fold/snapshot.ts'
import { emptyState, type State } from '../ingest/detect/fold/state.ts'
import { DETECT_SOURCE } from '../ingest/detect/fold/told.ts'
import { EMPTY_STEP, type PartitionFold, type Step } from './fold.ts'
import type { Append, LogEntry, Position } from './ports.ts'

/** How often what changed is stored, and how much at once: a replay after a crash is as long as what is not stored. */
const SNAPSHOT_INTERVAL_MS = 1_000
const SNAPSHOT_BYTES = 2 * 1024 * 1024
/** An orderly stop stores so much more, to begin without a replay. */
const LAST_SNAPSHOT_BYTES = 16 * 1024 * 1024
/** Ticks are no closer than this, should the log's clock lag behind ours. */
const TICK_INTERVAL_MS = 1_000
/** What falls due next is known so long after something was folded. */
const FIND_DUE_INTERVAL_MS = 200

export interface DetectFoldParts {
  readonly partition: number
  /** The rules of the configuration: appended when others are in force. */
  readonly rules: DetectRules
  readonly alerts_partitions: number
  readonly deadletters_partitions: number
  readonly now: () => number
  /** The first position that the log still has. */
  readonly begin: () => Promise<Position>
  readonly detected: (outcome: Outcome) => void
  readonly watching: (state: State) => void
}

/**
 * The fold of ingest/detect/ over one partition of the samples log. Alerts are published at once; what the detectors know is stored every
 * second, a part of it at a time, with the position at which a replay comes to the same. What that publishes again has the places that it had.
 */
export class DetectFold implements PartitionFold {
  private readonly parts: DetectFoldParts
  private readonly state: State
  private readonly restoring = new Restoring()
  /** Plots of alerts that are over, the oldest first. */
  private readonly over = new Map<string, number>()
  private rules_wanted = false
  private stored: Position = 0
  private snapshot_at_ms = 0
  private ticked_ms = 0
  /** By our clock, when something is due by the log's. */
  private due_ms = Number.POSITIVE_INFINITY
  /** When to find that anew, since something was folded: it looks at every device. Null: it is known. */
  private find_due_at_ms: number | null = null

  constructor(parts: DetectFoldParts) {
    this.parts = parts
    this.state = emptyState(parts.partition)
  }

  restore(key: string, value: Buffer): void {
    this.restoring.row(key, value)
  }

  async restored(position: Position | null): Promise<Position> {
    const over = this.restoring.into(this.state)
    for (const [fingerprint, cleared_at_ms] of over.toSorted((a, b) => a[1] - b[1]))
      this.over.set(fingerprint, cleared_at_ms)
    this.rules_wanted = this.state.plan.rules.version !== this.parts.rules.version
    this.stored = position ?? (await this.parts.begin())
    this.snapshot_at_ms = this.parts.now() + SNAPSHOT_INTERVAL_MS
    this.findDue()
    this.parts.watching(this.state)
    return this.stored
  }

  fold(entries: readonly LogEntry[]): Step | null {
    const outcome = emptyOutcome()
    const publish: Append[] = []
    for (const entry of entries) {
      try {
        const record = isDetectRecord(entry.value)
          ? decodeDetectRecord(entry.value)
          : decodeSamples(entry.value)
        foldSamples(this.state, { position: entry.position, time_ms: entry.time_ms, record }, outcome)
      } catch (error) {
        if (!(error instanceof CodecError)) throw error
        publish.push(this.deadLetter(entry, error))
      }
    }
    publish.push(...this.alertEntries(outcome.told))
    this.find_due_at_ms ??= this.parts.now() + FIND_DUE_INTERVAL_MS
    this.parts.detected(outcome)
    this.parts.watching(this.state)
    // The position stays where a replay has to begin: what is published is not stored yet.
    return publish.length === 0 ? null : { ...EMPTY_STEP, publish, position: this.stored }
  }

  dueAt(): number | null {
    if (this.rules_wanted) return 0
    const find_ms = this.find_due_at_ms ?? Number.POSITIVE_INFINITY
    const due_ms = Math.min(this.due_ms, find_ms, this.snapshotDue())
    return Number.isFinite(due_ms) ? due_ms : null
  }

  onDue(now_ms: number, idle: boolean): Step | null {
    const { partition, rules } = this.parts
    if (this.rules_wanted) {
      this.rules_wanted = false
      return {
        ...EMPTY_STEP,
        publish: [this.ownEntry({ kind: 'detect-rules', rules })],
        position: this.stored,
      }
    }
    if ((this.find_due_at_ms ?? Number.POSITIVE_INFINITY) <= now_ms) this.findDue()
    if (this.snapshotDue() <= now_ms) return this.snapshot(SNAPSHOT_BYTES, now_ms)
    // While entries flow they carry the time; a tick is for silence only, so that a lagging reader finds nothing silent.
    if (!idle || this.due_ms > now_ms) return null
    this.ticked_ms = now_ms
    this.due_ms = now_ms + TICK_INTERVAL_MS
    return {
      ...EMPTY_STEP,
      publish: [{ topic: 'samples', partition, value: encodeDetectRecord({ kind: 'tick' }) }],
      position: this.stored,
    }
  }

  /** Most of it is stored when the process ends in good order. */
  async finish(): Promise<Step> {
    return this.snapshot(LAST_SNAPSHOT_BYTES, this.parts.now())
  }

  async close(): Promise<void> {
    this.parts.watching(emptyState(this.parts.partition))
  }

  private snapshotDue(): number {
    const { dirty, context } = this.state
    return dirty.size > 0 || context.position > this.stored ? this.snapshot_at_ms : Number.POSITIVE_INFINITY
  }

  private snapshot(bytes_max: number, now_ms: number): Step {
    this.snapshot_at_ms = now_ms + SNAPSHOT_INTERVAL_MS
    const { put, delete: gone, position } = takeSnapshot(this.state, this.over, bytes_max)
    this.stored = Math.max(this.stored, position)
    return { publish: [], put, delete: gone, position: this.stored }
  }

  private findDue(): void {
    this.find_due_at_ms = null
    const due_ms = nextDue(this.state)
    const heartbeat_ms = Number.isFinite(due_ms)
      ? this.state.context.time_ms + HEARTBEAT_MS
      : Number.POSITIVE_INFINITY
    this.due_ms = Math.max(this.ticked_ms + TICK_INTERVAL_MS, Math.min(due_ms, heartbeat_ms))
  }

  private ownEntry(record: Parameters<typeof encodeDetectRecord>[0]): Append {
    return { topic: 'samples', partition: this.parts.partition, value: encodeDetectRecord(record) }
  }

  /** One entry for each partition of the alerts log, more where there are many; places ascend. */
  private alertEntries(all: readonly ToldAt[]): Append[] {
    const { partition, alerts_partitions } = this.parts
    const shares = new Map<number, { alerts: AlertsRecord['alerts']; places: AlertsRecord['places'] }[]>()
    for (const { position, told } of all) {
      for (const { ordinal, alert } of told) {
        const to = partitionOf(alert.scope, alerts_partitions)
        const list = shares.get(to) ?? []
        shares.set(to, list)
        if ((list.at(-1)?.alerts.length ?? ALERTS_PER_ENTRY) >= ALERTS_PER_ENTRY)
          list.push({ alerts: [], places: [] })
        list.at(-1)?.alerts.push(alert)
        list.at(-1)?.places.push([position, ordinal])
      }
    }
    const received_at_ms = this.state.context.time_ms
    const origin = { source: DETECT_SOURCE, partition }
    return [...shares].flatMap(([to, list]) =>
      list.map(
        ({ alerts, places }): Append => ({
          topic: 'alerts',
          partition: to,
          value: encodeRecord({ kind: 'alerts', received_at_ms, origin, places, alerts }),
        }),
      ),
    )
  }

  private deadLetter(entry: LogEntry, error: CodecError): Append {
    const letter = deadLetterOf({
      at_ms: entry.time_ms,
      source: 'tocsin.samples',
      origin: `samples/${this.parts.partition}@${entry.position}`,
      code: error.code,
      reason: error.message,
      payload: entry.value,
    })
    return {
      topic: 'deadletters',
      partition: partitionOf(letter.id, this.parts.deadletters_partitions),
      value: Buffer.from(JSON.stringify(letter)),
    }
  }
}

/** So that even alerts with long texts stay within an entry. */
const ALERTS_PER_ENTRY = Math.min(100, LIMITS.alerts_per_entry)
