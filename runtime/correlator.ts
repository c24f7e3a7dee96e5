import { dueAt, emptyOutcome, foldRecord, type Outcome } from '../correlate/fold.ts'
import { restored, restoreRow, storedKey } from '../correlate/apply.ts'
import { emptyState, type State } from '../correlate/state.ts'
import { CodecError, decodeRecord, encodeChange, encodeRecord } from '../schemas/codec.ts'
import type { Change } from '../schemas/change.ts'
import { deadLetterOf } from '../schemas/deadletter.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Rules } from '../schemas/rules.ts'
import type { TopologyPart } from '../schemas/topology.ts'
import { EMPTY_STEP, type PartitionFold, type Step } from './fold.ts'
import { FILE_SOURCE, type Topology } from './topology_files.ts'
import { topologyParts } from '../ingest/topology/read.ts'
import type { Append, LogEntry, Position } from './ports.ts'

/** The version of a topology without edges. */
const NO_EDGES = topologyParts('', '', [])[0]?.version

/** Ticks are no closer than this, should the log's clock lag behind ours. */
const TICK_INTERVAL_MS = 200

export interface CorrelatorParts {
  readonly partition: number
  /** The rules of the configuration: appended when others are in force. */
  readonly rules: Rules
  /** The topologies of the configuration: appended when other versions are in force. */
  readonly topologies: readonly Topology[]
  /** Partitions of the incidents log. */
  readonly incidents_partitions: number
  readonly deadletters_partitions: number
  readonly told: (outcome: Outcome) => void
  readonly sized: (state: State) => void
}

/** The fold of correlate/ over one partition of the alerts log: bytes in, bytes out, and the clock's ticks. */
export class Correlator implements PartitionFold {
  private readonly parts: CorrelatorParts
  private readonly state: State
  private rules_wanted = false
  private topologies_wanted: readonly TopologyPart[] = []
  private ticked_ms = 0

  constructor(parts: CorrelatorParts) {
    this.parts = parts
    this.state = emptyState(parts.partition)
  }

  restore(key: string, value: Buffer): void {
    restoreRow(this.state, key, value.toString())
  }

  async restored(position: Position | null): Promise<Position> {
    restored(this.state)
    this.rules_wanted = this.state.rules.version !== this.parts.rules.version
    this.topologies_wanted = this.missingTopologies()
    this.parts.sized(this.state)
    return position ?? 0
  }

  fold(entries: readonly LogEntry[]): Step {
    const outcome = emptyOutcome()
    const publish: Append[] = []
    for (const entry of entries) {
      try {
        foldRecord(
          this.state,
          { position: entry.position, time_ms: entry.time_ms, record: decodeRecord(entry.value) },
          outcome,
        )
      } catch (error) {
        if (!(error instanceof CodecError)) throw error
        publish.push(this.deadLetter(entry, error))
      }
    }
    for (const change of outcome.changes) publish.push(this.entryOf(change))
    this.parts.told(outcome)
    this.parts.sized(this.state)
    return { publish, ...storedRows(outcome) }
  }

  dueAt(): number | null {
    if (this.rules_wanted || this.topologies_wanted.length > 0) return 0
    const due_ms = dueAt(this.state)
    return due_ms === null ? null : Math.max(due_ms, this.ticked_ms + TICK_INTERVAL_MS)
  }

  onDue(now_ms: number, idle: boolean): Step | null {
    const { partition } = this.parts
    if (this.rules_wanted) {
      this.rules_wanted = false
      const value = encodeRecord({ kind: 'rules', rules: this.parts.rules })
      return { ...EMPTY_STEP, publish: [{ topic: 'alerts', partition, value }] }
    }
    if (this.topologies_wanted.length > 0) {
      const publish = this.topologies_wanted.map(
        (topology): Append => ({
          topic: 'alerts',
          partition,
          value: encodeRecord({ kind: 'topology', topology }),
        }),
      )
      this.topologies_wanted = []
      return { ...EMPTY_STEP, publish }
    }
    // While entries flow they carry the time; a tick is for silence only, so that a lagging reader never expires anything.
    if (!idle) return null
    this.ticked_ms = now_ms
    return { ...EMPTY_STEP, publish: [{ topic: 'alerts', partition, value: encodeRecord({ kind: 'tick' }) }] }
  }

  async close(): Promise<void> {
    this.parts.sized(emptyState(this.parts.partition))
  }

  /** Files of the configuration that changed, and files that are no longer in it, which say nothing any more. */
  private missingTopologies(): readonly TopologyPart[] {
    const { topologies } = this.parts
    const changed = topologies.filter(({ source, version }) => this.state.topologies.get(source) !== version)
    const gone = [...this.state.topologies].filter(
      ([source, version]) =>
        source.startsWith(FILE_SOURCE) &&
        version !== NO_EDGES &&
        !topologies.some((one) => one.source === source),
    )
    return [
      ...changed.flatMap(({ parts }) => parts),
      ...gone.flatMap(([source]) => topologyParts(source, '', [])),
    ]
  }

  private entryOf(change: Change): Append {
    return {
      topic: 'incidents',
      partition: partitionOf(change.incident_id, this.parts.incidents_partitions),
      value: encodeChange(change),
    }
  }

  private deadLetter(entry: LogEntry, error: CodecError): Append {
    const letter = deadLetterOf({
      at_ms: entry.time_ms,
      source: 'tocsin.alerts',
      origin: `alerts/${this.parts.partition}@${entry.position}`,
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

function storedRows(outcome: Outcome): { put: Map<string, Buffer>; delete: Set<string> } {
  const put = new Map<string, Buffer>()
  const gone = new Set<string>()
  for (const [key, row] of outcome.rows) {
    if (row.value === null) gone.add(storedKey(row))
    else put.set(key, Buffer.from(JSON.stringify(row.value)))
  }
  return { put, delete: gone }
}
