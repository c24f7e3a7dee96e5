import { LIMITS } from '../../schemas/limits.ts'
import { Unreadable } from '../sources/format.ts'
import type { DecodedSamples, SampleMessage } from './format.ts'
import {
  bdSeqOf,
  type Message,
  messageOf,
  nodeName,
  placeName,
  type SparkplugAddress,
} from './sparkplug_message.ts'
import type { SparkplugMetric } from './sparkplug_payload.ts'
import { die, readings, type Told } from './sparkplug_readings.ts'
import {
  type Definition,
  type EdgeNode,
  type Place,
  placeOf,
  type SparkplugChange,
  type SparkplugState,
  UNBORN,
} from './sparkplug_state.ts'
import { isMeasured } from './sparkplug_values.ts'

/**
 * Sparkplug B (Eclipse Sparkplug 3.0): births define what later messages name by alias, deaths make values stale. One step takes the
 * state as it is and gives what the message says and changes. It depends on its arguments alone.
 */

export interface SparkplugStep {
  readonly decoded: DecodedSamples
  readonly change: SparkplugChange
  /** Must be asked for its births again: what it says cannot be read, or not be relied on. */
  readonly rebirth: SparkplugAddress | null
  /** A message before this one was lost. */
  readonly is_gap: boolean
}

/** A node answers with all of its births, so it is not asked again at once. */
const REBIRTH_INTERVAL_MS = 10_000
const SEQUENCE = 256

const NOTHING: SparkplugStep = {
  decoded: { series: [], rejects: [] },
  change: { nodes: new Map(), places: new Map() },
  rebirth: null,
  is_gap: false,
}

export function stepSparkplug(state: SparkplugState, given: SampleMessage): SparkplugStep {
  try {
    const message = messageOf(given)
    if (message === null) return NOTHING
    return stepOf(state, message)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return rejecting(error, given)
  }
}

function stepOf(state: SparkplugState, message: Message): SparkplugStep {
  switch (message.type) {
    case 'NBIRTH':
      return nodeBirth(state, message)
    case 'DBIRTH':
      return deviceBirth(state, message)
    case 'NDEATH':
      return nodeDeath(state, message)
    case 'DDEATH':
      return deviceDeath(state, message)
    default:
      return data(state, message)
  }
}

function rejecting({ code, message: reason }: Unreadable, { body }: SampleMessage): SparkplugStep {
  const payload = body.subarray(0, LIMITS.dead_letter_payload_bytes).toString('base64')
  return { ...NOTHING, decoded: { series: [], rejects: [{ ordinal: 0, code, reason, payload }] } }
}

/** Follows the numbers of the messages of a node. */
function followed(node: EdgeNode, { payload, is_repeated }: Message): { node: EdgeNode; is_gap: boolean } {
  const { seq } = payload
  const is_next = node.seq === null || seq === (node.seq + 1) % SEQUENCE
  // What may have been had before tells nothing of what is missing.
  if (seq === null || (!is_next && is_repeated)) return { node, is_gap: false }
  const is_gap = !is_next
  return { node: { ...node, seq, is_doubtful: node.is_doubtful || is_gap }, is_gap }
}

interface Asked extends Pick<SparkplugStep, 'rebirth'> {
  readonly node: EdgeNode
}

/** Asks for a rebirth, but not again and again. */
function asking(node: EdgeNode, { group, node: name, at_ms }: Message): Asked {
  if (Math.abs(at_ms - node.asked_at_ms) < REBIRTH_INTERVAL_MS) return { node, rebirth: null }
  return { node: { ...node, asked_at_ms: at_ms }, rebirth: { group, node: name } }
}

function nodeBirth(state: SparkplugState, message: Message): SparkplugStep {
  const name = nodeName(message)
  const known = state.node(name)
  if (known === undefined && state.nodes >= LIMITS.sparkplug_nodes)
    throw new Unreadable('too-many-nodes', `there are ${LIMITS.sparkplug_nodes} edge nodes already`)
  const before = known ?? UNBORN
  const bd_seq = bdSeqOf(message.payload)
  const { place, decoded } = born(state, message)
  const places = new Map([[name, { place, is_durable: true }]])
  const series = [...decoded.series]
  // A new session without a death in between: the devices of the old one are gone.
  if (before.is_born && before.bd_seq !== bd_seq) series.push(...die(state, before.devices, message, places))
  // One that was had before does not turn the numbers back.
  const is_same = message.is_repeated && before.is_born && before.bd_seq === bd_seq
  const seq = is_same ? before.seq : message.payload.seq
  const node = { ...before, bd_seq, seq, is_born: true, is_doubtful: false }
  return { ...NOTHING, decoded: { ...decoded, series }, change: { nodes: new Map([[name, node]]), places } }
}

function deviceBirth(state: SparkplugState, message: Message): SparkplugStep {
  const name = nodeName(message)
  const before = state.node(name)
  if (!before?.is_born) return unknown(state, message)
  const device = placeName(message)
  const is_new = !before.devices.includes(device)
  if (is_new && before.devices.length >= LIMITS.sparkplug_devices_per_node)
    throw new Unreadable('too-many-devices', `the edge node has ${before.devices.length} devices already`)
  const { node: following, is_gap } = followed(before, message)
  const asked = is_gap ? asking(following, message) : { node: following, rebirth: null }
  const node = is_new ? { ...asked.node, devices: [...before.devices, device] } : asked.node
  const { place, decoded } = born(state, message)
  const places = new Map([[device, { place, is_durable: true }]])
  return { decoded, change: { nodes: new Map([[name, node]]), places }, rebirth: asked.rebirth, is_gap }
}

/** What a birth defines, and what it says is so now. */
function born(state: SparkplugState, message: Message): { place: Place; decoded: DecodedSamples } {
  const name = placeName(message)
  const before = state.place(name)
  const named = message.payload.metrics.filter((metric) => metric.name !== null && metric.name !== '')
  const others = state.definitions - (before?.definitions.length ?? 0)
  if (others + named.length > LIMITS.sparkplug_metrics)
    throw new Unreadable('too-many-metrics', `more than ${LIMITS.sparkplug_metrics} metrics would be defined`)
  const definitions = named.map((metric) => definitionOf(metric, name))
  const { newest_at_ms = 0, lag_ms = 0, stale_at_ms = 0 } = before ?? {}
  const times = { is_alive: true, newest_at_ms, lag_ms, stale_at_ms }
  const blank = placeOf(definitions, new Float64Array(definitions.length).fill(Number.NaN), times)
  // What a birth says is so now, even where it says since when: it must not be older than what it ends.
  const told = named.map((metric, index) => ({ index, metric }))
  const { place, series, dropped } = readings(blank, told, message, { not_before_ms: stale_at_ms + 1 })
  const rejects = named.length < message.payload.metrics.length ? [nameless(message)] : []
  return { place, decoded: { series, rejects, dropped } }
}

function nameless({ payload }: Message): DecodedSamples['rejects'][number] {
  const ordinal = payload.metrics.findIndex(({ name }) => name === null || name === '')
  const reason = 'a birth has metrics without a name'
  return { ordinal, code: 'name-missing', reason, payload: JSON.stringify(payload.metrics[ordinal]) }
}

function definitionOf(metric: SparkplugMetric, equipment: string): Definition {
  const name = (metric.name ?? '').slice(0, LIMITS.label_value_chars).toWellFormed()
  const { alias, datatype } = metric
  const unit = metric.unit.slice(0, LIMITS.label_name_chars).toWellFormed()
  const labels = { metric: name, equipment, ...(unit !== '' && { unit }) }
  return { name, alias, datatype, labels, is_measured: isMeasured(metric) }
}

function data(state: SparkplugState, message: Message): SparkplugStep {
  const before = state.node(nodeName(message))
  const place = state.place(placeName(message))
  if (!before?.is_born || !place?.is_alive) return unknown(state, message)
  const following = followed(before, message)
  const told: Told[] = []
  const strangers: SparkplugMetric[] = []
  for (const metric of message.payload.metrics) {
    const index = indexOf(place, metric)
    if (index === undefined) strangers.push(metric)
    else told.push({ index, metric })
  }
  const asked =
    following.node.is_doubtful || strangers.length > 0
      ? asking(following.node, message)
      : { node: following.node, rebirth: null }
  const read = readings(place, told, message, { is_doubtful: asked.node.is_doubtful })
  const rejects = strangers.length > 0 ? [stranger(strangers, message)] : []
  return {
    decoded: { series: read.series, rejects, dropped: read.dropped },
    change: {
      nodes: new Map([[nodeName(message), asked.node]]),
      places: new Map([[placeName(message), { place: read.place, is_durable: false }]]),
    },
    rebirth: asked.rebirth,
    is_gap: following.is_gap,
  }
}

function indexOf({ by_alias, by_name }: Place, { alias, name }: SparkplugMetric): number | undefined {
  const index = alias === null ? undefined : by_alias.get(alias)
  return index ?? (name === null ? undefined : by_name.get(name))
}

const NAMED_MAX = 5

function stranger(
  metrics: readonly SparkplugMetric[],
  { payload }: Message,
): DecodedSamples['rejects'][number] {
  const names = metrics.slice(0, NAMED_MAX).map(({ alias, name }) => name?.slice(0, 200) ?? `alias ${alias}`)
  const more = metrics.length > NAMED_MAX ? ` and ${metrics.length - NAMED_MAX} more` : ''
  const [first] = metrics
  const ordinal = first === undefined ? 0 : payload.metrics.indexOf(first)
  const reason = `no birth defines ${names.join(', ')}${more}`
  return { ordinal, code: 'unknown-alias', reason, payload: JSON.stringify(metrics.slice(0, NAMED_MAX)) }
}

/** Something of a node or a device whose birth is not known. */
function unknown(state: SparkplugState, message: Message): SparkplugStep {
  const name = nodeName(message)
  const before = state.node(name)
  const reason = `there was no birth of ${placeName(message)}; a rebirth is asked for`
  // Not the payload: until the birth comes all messages of the node are refused, and none could be read later.
  const payload = `${message.type} ${placeName(message)}`
  const decoded = { series: [], rejects: [{ ordinal: 0, code: 'unknown-alias', reason, payload }] }
  const rejected = { ...NOTHING, decoded }
  if (before === undefined && state.nodes >= LIMITS.sparkplug_nodes) return rejected
  const following = followed(before ?? UNBORN, message)
  const { node, rebirth } = asking(following.node, message)
  return {
    ...rejected,
    change: { ...NOTHING.change, nodes: new Map([[name, node]]) },
    rebirth,
    is_gap: following.is_gap,
  }
}

function nodeDeath(state: SparkplugState, message: Message): SparkplugStep {
  const name = nodeName(message)
  const before = state.node(name)
  const bd_seq = bdSeqOf(message.payload)
  // The death of an earlier session, told after the birth of the next.
  const is_old = before?.bd_seq != null && bd_seq !== null && before.bd_seq !== bd_seq
  if (!before?.is_born || is_old) return NOTHING
  const places = new Map<string, { place: Place; is_durable: boolean }>()
  const series = die(state, [name, ...before.devices], message, places)
  const node = { ...before, is_born: false, seq: null }
  return { ...NOTHING, decoded: { series, rejects: [] }, change: { nodes: new Map([[name, node]]), places } }
}

function deviceDeath(state: SparkplugState, message: Message): SparkplugStep {
  const name = nodeName(message)
  const before = state.node(name)
  if (!before?.is_born) return NOTHING
  const { node: following, is_gap } = followed(before, message)
  const { node, rebirth } = is_gap ? asking(following, message) : { node: following, rebirth: null }
  const places = new Map<string, { place: Place; is_durable: boolean }>()
  const series = die(state, [placeName(message)], message, places)
  return {
    decoded: { series, rejects: [] },
    change: { nodes: new Map([[name, node]]), places },
    rebirth,
    is_gap,
  }
}
