import { z } from 'zod'
import { labels } from '../../schemas/alert.ts'
import {
  type EdgeNode,
  type Place,
  placeOf,
  type SparkplugChange,
  type SparkplugState,
} from './sparkplug_state.ts'

const NODE = 'node:'
const PLACE = 'place:'

const nodeRow = z.object({
  bd_seq: z.number().nullable(),
  seq: z.number().nullable(),
  is_born: z.boolean(),
  is_doubtful: z.boolean(),
  asked_at_ms: z.number(),
  devices: z.array(z.string()),
})

const placeRow = z.object({
  is_alive: z.boolean(),
  newest_at_ms: z.number(),
  lag_ms: z.number(),
  stale_at_ms: z.number(),
  definitions: z.array(
    z.object({
      name: z.string(),
      alias: z.union([z.number(), z.string()]).nullable(),
      datatype: z.number(),
      labels,
      is_measured: z.boolean(),
    }),
  ),
  values: z.array(z.number().nullable()),
})

/** The state of one source partition, kept in memory and as rows of a shard. */
export class SparkplugRows implements SparkplugState {
  private readonly known_nodes = new Map<string, EdgeNode>()
  private readonly known_places = new Map<string, Place>()
  definitions = 0

  get nodes(): number {
    return this.known_nodes.size
  }

  node(name: string): EdgeNode | undefined {
    return this.known_nodes.get(name)
  }

  place(name: string): Place | undefined {
    return this.known_places.get(name)
  }

  /** Throws when the row is none of ours: whoever stored it is another program. */
  load(key: string, value: Buffer): void {
    const row: unknown = JSON.parse(value.toString())
    if (key.startsWith(NODE)) this.known_nodes.set(key.slice(NODE.length), nodeRow.parse(row))
    else if (key.startsWith(PLACE)) this.setPlace(key.slice(PLACE.length), loadedPlace(row))
  }

  /** Takes in what a draft has changed. */
  apply({ changed_nodes, changed_places }: SparkplugDraft): void {
    for (const [name, node] of changed_nodes) this.known_nodes.set(name, node)
    for (const [name, place] of changed_places) this.setPlace(name, place)
  }

  private setPlace(name: string, place: Place): void {
    this.definitions += place.definitions.length - (this.known_places.get(name)?.definitions.length ?? 0)
    this.known_places.set(name, place)
  }
}

/** A state with changes on top of it that are not durable yet. */
export class SparkplugDraft implements SparkplugState {
  readonly changed_nodes = new Map<string, EdgeNode>()
  readonly changed_places = new Map<string, Place>()
  definitions: number
  private readonly base: SparkplugState
  private readonly durable_places = new Set<string>()
  private new_nodes = 0

  constructor(base: SparkplugState) {
    this.base = base
    this.definitions = base.definitions
  }

  get nodes(): number {
    return this.base.nodes + this.new_nodes
  }

  node(name: string): EdgeNode | undefined {
    return this.changed_nodes.get(name) ?? this.base.node(name)
  }

  place(name: string): Place | undefined {
    return this.changed_places.get(name) ?? this.base.place(name)
  }

  change({ nodes, places }: SparkplugChange): void {
    for (const [name, node] of nodes) {
      if (this.node(name) === undefined) this.new_nodes++
      this.changed_nodes.set(name, node)
    }
    for (const [name, { place, is_durable }] of places) {
      this.definitions += place.definitions.length - (this.place(name)?.definitions.length ?? 0)
      this.changed_places.set(name, place)
      if (is_durable) this.durable_places.add(name)
    }
  }

  /** What of it must survive a restart. */
  rows(): Map<string, Buffer> {
    const rows = new Map<string, Buffer>()
    for (const [name, node] of this.changed_nodes) rows.set(NODE + name, Buffer.from(JSON.stringify(node)))
    for (const name of this.durable_places) {
      const place = this.changed_places.get(name)
      if (place !== undefined) rows.set(PLACE + name, storedPlace(place))
    }
    return rows
  }
}

function storedPlace({ is_alive, newest_at_ms, lag_ms, stale_at_ms, definitions, values }: Place): Buffer {
  const known = Array.from(values, (value) => (Number.isFinite(value) ? value : null))
  return Buffer.from(
    JSON.stringify({ is_alive, newest_at_ms, lag_ms, stale_at_ms, definitions, values: known }),
  )
}

function loadedPlace(row: unknown): Place {
  const { definitions, values, ...times } = placeRow.parse(row)
  const known = Float64Array.from(definitions, (_, i) => values[i] ?? Number.NaN)
  return placeOf(definitions, known, times)
}
