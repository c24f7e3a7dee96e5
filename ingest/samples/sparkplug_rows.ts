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
  readonly nodes = new Map<string, EdgeNode>()
  readonly places = new Map<string, Place>()
  definitions = 0

  /** Throws when the row is none of ours: whoever stored it is another program. */
  load(key: string, value: Buffer): void {
    const row: unknown = JSON.parse(value.toString())
    if (key.startsWith(NODE)) this.nodes.set(key.slice(NODE.length), nodeRow.parse(row))
    else if (key.startsWith(PLACE)) this.setPlace(key.slice(PLACE.length), loadedPlace(row))
  }

  /** Takes a change in; what of it must be durable is added to `put`. */
  apply(change: SparkplugChange, put: Map<string, Buffer>): void {
    for (const [name, node] of change.nodes) {
      this.nodes.set(name, node)
      put.set(NODE + name, Buffer.from(JSON.stringify(node)))
    }
    for (const [name, { place, is_durable }] of change.places) {
      this.setPlace(name, place)
      if (is_durable) put.set(PLACE + name, storedPlace(place))
    }
  }

  private setPlace(name: string, place: Place): void {
    this.definitions += place.definitions.length - (this.places.get(name)?.definitions.length ?? 0)
    this.places.set(name, place)
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
