import type { Quality } from '../../schemas/sample.ts'
import { type Fields, fieldsOf, optionalFields, textOf } from '../sources/fields.ts'
import { parseJson, Unreadable } from '../sources/format.ts'
import { equipmentPath, plantLabels } from '../sources/equipment.ts'
import type { DecodeSamples, SampleMessage } from './format.ts'
import { type Gathering, gathering } from './gathering.ts'
import { opcuaQuality, opcuaValue } from './opcua_values.ts'
import { sampleTime } from './time.ts'

/**
 * OPC UA PubSub in JSON (Part 14) as publishers send it: network messages, single data set messages, arrays of either, and the older
 * samples of OPC Publisher. Fields that a delta frame leaves out are unchanged, not stale. A keep-alive says that the writer is there;
 * it is a reading of `ua-keepalive`, so that its absence can be noticed.
 */
export const opcuaJson: DecodeSamples = gathering((message, into) => {
  const body = parseJson(message.body)
  const items: readonly unknown[] = Array.isArray(body) ? body : [body]
  into.each(items, textOf, (item) => readItem(fieldsOf(item, 'the message'), message, into))
})

/** Where a data set comes from, as far as the network message says. */
interface Publisher {
  readonly id: string
  readonly group: string
  readonly timestamp: unknown
}

/** Network messages that describe data sets, publishers or connections: no readings. */
const DESCRIPTIONS = /^ua-(?:metadata|status|application|endpoints|connection|action)/

function readItem(item: Fields, message: SampleMessage, into: Gathering): void {
  if (DESCRIPTIONS.test(textOf(item['MessageType']))) return
  const { Messages: messages, Timestamp: timestamp, WriterGroupName, DataSetWriterGroup } = item
  const group = textOf(WriterGroupName ?? DataSetWriterGroup)
  const publisher = { id: textOf(item['PublisherId']), group, timestamp }
  if (messages === undefined) return readDataSet(item, publisher, message, into)
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [messages]
  for (const one of list) readDataSet(fieldsOf(one, 'the data set message'), publisher, message, into)
}

/** Names the writer: an integer and a name in strict mode, the name alone in place of the integer in older senders. */
function writerOf({ DataSetWriterName: name, DataSetWriterId: id }: Fields): string {
  return textOf(name) || textOf(id)
}

function readDataSet(set: Fields, publisher: Publisher, message: SampleMessage, into: Gathering): void {
  if (isMonitoredItem(set)) return readMonitoredItem(set, message, into)
  const equipment = equipmentPath([
    publisher.id || textOf(set['PublisherId']),
    publisher.group,
    writerOf(set),
  ])
  const at_ms = sampleTime(set['Timestamp'] ?? publisher.timestamp, null, message.at_ms, 'Timestamp')
  const type = textOf(set['MessageType'])
  if (type === 'ua-keepalive') {
    into.add(plantLabels('ua-keepalive', equipment), [{ at_ms, value: 1, quality: 'good' }])
    return
  }
  const fields = optionalFields(payloadOf(set), 'Payload')
  if (type === 'ua-event' || type === 'ua-condition') {
    into.dropped += Object.keys(fields).length
    return
  }
  const quality = opcuaQuality(set['Status'])
  for (const [name, field] of Object.entries(fields))
    readField(name, field, { equipment, at_ms, quality }, into)
}

/** Header fields; an object without any of them is the payload itself (the raw and the minimal layouts). */
const HEADER = new Set([
  'DataSetWriterId',
  'DataSetWriterName',
  'MessageType',
  'SequenceNumber',
  'MetaDataVersion',
])

function payloadOf(set: Fields): unknown {
  if ('Payload' in set) return set['Payload']
  return Object.keys(set).some((name) => HEADER.has(name)) ? {} : set
}

/** The older form of OPC Publisher: one value of one node. */
function isMonitoredItem(item: Fields): boolean {
  return 'NodeId' in item && 'Value' in item
}

function readMonitoredItem(item: Fields, message: SampleMessage, into: Gathering): void {
  const { NodeId, DisplayName, ExtensionFields, ApplicationUri, EndpointUrl, Timestamp, Status, Value } = item
  const extension = optionalFields(ExtensionFields, 'ExtensionFields')
  const publisher = [extension['PublisherId'], item['PublisherId'], ApplicationUri, EndpointUrl].map(textOf)
  const equipment = equipmentPath([
    publisher.find((one) => one !== '') ?? '',
    writerOf(item) || writerOf(extension),
  ])
  const at_ms = sampleTime(Timestamp, null, message.at_ms, 'Timestamp')
  const name = textOf(DisplayName) || textOf(NodeId)
  readField(name, Value, { equipment, at_ms, quality: opcuaQuality(Status) }, into)
}

interface Context {
  readonly equipment: string
  readonly at_ms: number
  /** Of the data set: holds for fields that say nothing of their own. */
  readonly quality: Quality
}

const DATA_VALUE = ['Value', 'StatusCode', 'Status', 'SourceTimestamp', 'ServerTimestamp', 'UaType']

/** A field is a value, or a value with its status and times. */
function readField(
  name: string,
  field: unknown,
  { equipment, at_ms, quality }: Context,
  into: Gathering,
): void {
  if (name === '') throw new Unreadable('field-missing', 'a field has no name')
  const is_data_value = isObject(field) && DATA_VALUE.some((key) => key in field) && !('Body' in field)
  const {
    Value: value,
    StatusCode,
    Status,
    SourceTimestamp,
    ServerTimestamp,
    UaType,
  } = is_data_value ? field : { Value: field }
  const status = StatusCode ?? Status
  const own = status === undefined ? quality : opcuaQuality(status)
  const number = opcuaValue(value, UaType)
  // With a bad status there may be no value at all.
  if (number === null && (value !== undefined || own === 'good')) {
    into.dropped++
    return
  }
  const time_ms = sampleTime(SourceTimestamp ?? ServerTimestamp, null, at_ms, 'SourceTimestamp')
  into.add(plantLabels(name, equipment), [{ at_ms: time_ms, value: number ?? 0, quality: own }])
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
