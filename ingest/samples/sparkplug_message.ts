import { LIMITS } from '../../schemas/limits.ts'
import { Unreadable } from '../sources/format.ts'
import type { SampleMessage } from './format.ts'
import { readPayload, type SparkplugPayload } from './sparkplug_payload.ts'

export interface SparkplugAddress {
  readonly group: string
  readonly node: string
}

export interface Message extends SparkplugAddress {
  readonly type: string
  /** Null for messages of the node itself. */
  readonly device: string | null
  readonly at_ms: number
  readonly is_repeated: boolean
  readonly payload: SparkplugPayload
}

/** With this header (of any value) the broker says that it may have delivered the message before. */
export const REPEATED_HEADER = 'mqtt-dup'

/** Messages of the node, and of a device. */
const NODE_TYPES = new Set(['NBIRTH', 'NDATA', 'NDEATH'])
const DEVICE_TYPES = new Set(['DBIRTH', 'DDATA', 'DDEATH'])
const IGNORED_TYPES = new Set(['NCMD', 'DCMD', 'STATE'])
const NAMESPACE = 'spBv1.0/'

/** Where a bridge to Kafka puts the topic of MQTT. */
function topicOf({ topic, key, headers }: SampleMessage): string {
  const candidates = [topic, key?.toString() ?? '', headers['mqtt_topic'] ?? '', headers['mqtt.topic'] ?? '']
  const found = candidates.find((one) => one.startsWith(NAMESPACE))
  if (found !== undefined) return found
  throw new Unreadable('topic-unknown', `no topic of Sparkplug (${NAMESPACE}…) is told`)
}

/** Null: it is no news of the plant. Throws Unreadable. */
export function messageOf(given: SampleMessage): Message | null {
  const topic = topicOf(given)
  const [, group = '', type = '', node = '', device, ...rest] = topic.split('/')
  if (group === 'STATE' || IGNORED_TYPES.has(type)) return null
  const is_known = device === undefined ? NODE_TYPES.has(type) : DEVICE_TYPES.has(type)
  if (!is_known || rest.length > 0 || group === '' || node === '' || device === '')
    throw new Unreadable('topic-unknown', `${topic.slice(0, 200)} is no topic of Sparkplug B`)
  if (topic.length > LIMITS.label_value_chars)
    throw new Unreadable('topic-unknown', `the topic has ${topic.length} characters`)
  const { at_ms, headers } = given
  const is_repeated = REPEATED_HEADER in headers
  return { group, node, type, device: device ?? null, at_ms, is_repeated, payload: payloadOf(given.body) }
}

const COMPRESSED = 'SPBV1.0_COMPRESSED'

function payloadOf(body: Buffer): SparkplugPayload {
  const payload = readPayload(body)
  if (payload.uuid === COMPRESSED)
    throw new Unreadable('compressed', 'compressed payloads are not read: turn compression off')
  return payload
}

export const nodeName = ({ group, node }: SparkplugAddress): string => `${group}/${node}`
export const placeName = (message: Pick<Message, 'group' | 'node' | 'device'>): string =>
  message.device === null ? nodeName(message) : `${nodeName(message)}/${message.device}`

/** The number of the session, in births and deaths of nodes. */
export function bdSeqOf({ metrics }: SparkplugPayload): number | null {
  const value = metrics.find(({ name }) => name === 'bdSeq')?.value
  return value?.kind === 'integer' ? value.unsigned : null
}
