import type { Labels } from '../../schemas/alert.ts'
import type { Alias } from './sparkplug_payload.ts'

/**
 * What must be known of earlier messages to read a Sparkplug message: births define what an alias means. It is kept for each edge node
 * (group and node) and for each place that has metrics (the node itself, or a device of it), so that a message touches two rows.
 * Names have no `/` in them, so rows are named by the topic's levels.
 */

export interface EdgeNode {
  /** Of the birth in force; null: it told none, or there was no birth. */
  readonly bd_seq: number | null
  /** Of the newest message; null: unknown. */
  readonly seq: number | null
  /** False before the first birth and after a death: then nothing of it can be read. */
  readonly is_born: boolean
  /** A message is missing since the birth. It may have been another birth, so no value is sure until the next. */
  readonly is_doubtful: boolean
  /** When a rebirth was asked for; 0: never. */
  readonly asked_at_ms: number
  /** Devices of which a birth is known. */
  readonly devices: readonly string[]
}

/** Something a birth defined. */
export interface Definition {
  readonly name: string
  readonly alias: Alias | null
  readonly datatype: number
  /** `metric`, `equipment`, and `unit` where it has one. */
  readonly labels: Labels
  /** It is a number that says something of the plant: no text, and no control of the sender itself. */
  readonly is_measured: boolean
}

/** The metrics of an edge node itself, or of one device. */
export interface Place {
  readonly is_alive: boolean
  /** Of its newest reading, by the clock of the sender. */
  readonly newest_at_ms: number
  /** How much later than it says that reading was heard. */
  readonly lag_ms: number
  /** Of its newest readings of quality `stale`; 0: none. */
  readonly stale_at_ms: number
  readonly definitions: readonly Definition[]
  readonly by_alias: ReadonlyMap<Alias, number>
  readonly by_name: ReadonlyMap<string, number>
  /** Last known, by definition; NaN: none. Only those of births survive a restart. */
  readonly values: Float64Array
}

export interface SparkplugState {
  node(name: string): EdgeNode | undefined
  place(name: string): Place | undefined
  readonly nodes: number
  /** Of all places. */
  readonly definitions: number
}

export const NO_BIRTHS: SparkplugState = {
  node: () => undefined,
  place: () => undefined,
  nodes: 0,
  definitions: 0,
}

/** What a message changes. */
export interface SparkplugChange {
  readonly nodes: ReadonlyMap<string, EdgeNode>
  /** `is_durable`: it must survive a restart; without it only the newest values and times are others. */
  readonly places: ReadonlyMap<string, { readonly place: Place; readonly is_durable: boolean }>
}

export const UNBORN: EdgeNode = {
  bd_seq: null,
  seq: null,
  is_born: false,
  is_doubtful: false,
  asked_at_ms: 0,
  devices: [],
}

export function placeOf(
  definitions: readonly Definition[],
  values: Float64Array,
  times: Pick<Place, 'is_alive' | 'newest_at_ms' | 'lag_ms' | 'stale_at_ms'>,
): Place {
  const by_alias = new Map<Alias, number>()
  const by_name = new Map<string, number>()
  for (const [i, { alias, name }] of definitions.entries()) {
    if (alias !== null) by_alias.set(alias, i)
    by_name.set(name, i)
  }
  return { ...times, definitions, by_alias, by_name, values }
}
