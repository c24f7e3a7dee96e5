import type { Fields } from './fields.ts'
import { Unreadable } from './format.ts'
import { field, ProtoReader } from './protobuf.ts'

/** OTLP's logs in protobuf, as the same request would be in JSON. Throws Unreadable. */

/** Values within values, as JSON is bounded. */
const DEPTH_MAX = 64

type ReadField = (tag: number) => boolean

/** Reads a message that ends at `end`; fields that `read` does not know are passed over. */
function message(reader: ProtoReader, end: number, read: ReadField): void {
  while (reader.at < end) {
    const tag = reader.uint32()
    if (!read(tag)) reader.skip(tag)
  }
  reader.close(end)
}

function bytesOf(reader: ProtoReader): Buffer {
  const end = reader.open()
  const from = reader.at
  reader.at = end
  return reader.bytes.subarray(from, end)
}

function valueOf(reader: ProtoReader, depth: number): Fields {
  if (depth > DEPTH_MAX)
    throw new Unreadable('protobuf-depth', `values are nested deeper than ${DEPTH_MAX} levels`)
  let value: Fields = {}
  message(reader, reader.open(), (tag) => {
    switch (tag) {
      case field(1, 'length'):
        value = { stringValue: reader.string() }
        return true
      case field(2, 'varint'):
        value = { boolValue: reader.uint32() !== 0 }
        return true
      case field(3, 'varint'):
        value = { intValue: reader.int64() }
        return true
      case field(4, 'fixed64'):
        value = { doubleValue: reader.double() }
        return true
      case field(5, 'length'):
        value = { arrayValue: { values: repeated(reader, () => valueOf(reader, depth + 1)) } }
        return true
      case field(6, 'length'):
        value = { kvlistValue: { values: repeated(reader, () => pairOf(reader, depth + 1)) } }
        return true
      case field(7, 'length'):
        value = { bytesValue: bytesOf(reader).toString('base64') }
        return true
      default:
        return false
    }
  })
  return value
}

/** A message whose field 1 is a list and that has no other. */
function repeated<Item>(reader: ProtoReader, read: () => Item): Item[] {
  const items: Item[] = []
  message(reader, reader.open(), (tag) => {
    if (tag !== field(1, 'length')) return false
    items.push(read())
    return true
  })
  return items
}

function pairOf(reader: ProtoReader, depth: number): Fields {
  let key = ''
  let value: Fields = {}
  message(reader, reader.open(), (tag) => {
    if (tag === field(1, 'length')) key = reader.string()
    else if (tag === field(2, 'length')) value = valueOf(reader, depth)
    else return false
    return true
  })
  return { key, value }
}

function recordOf(reader: ProtoReader): Fields {
  const record: Record<string, unknown> = {}
  const attributes: Fields[] = []
  message(reader, reader.open(), (tag) => {
    switch (tag) {
      case field(1, 'fixed64'):
        record['timeUnixNano'] = reader.fixed64()
        return true
      case field(11, 'fixed64'):
        record['observedTimeUnixNano'] = reader.fixed64()
        return true
      case field(2, 'varint'):
        record['severityNumber'] = reader.uint32()
        return true
      case field(3, 'length'):
        record['severityText'] = reader.string()
        return true
      case field(5, 'length'):
        record['body'] = valueOf(reader, 0)
        return true
      case field(6, 'length'):
        attributes.push(pairOf(reader, 0))
        return true
      case field(9, 'length'):
        record['traceId'] = bytesOf(reader).toString('hex')
        return true
      case field(10, 'length'):
        record['spanId'] = bytesOf(reader).toString('hex')
        return true
      case field(12, 'length'):
        record['eventName'] = reader.string()
        return true
      default:
        return false
    }
  })
  return { ...record, attributes }
}

function scopeOf(reader: ProtoReader): Fields {
  let name = ''
  message(reader, reader.open(), (tag) => {
    if (tag !== field(1, 'length')) return false
    name = reader.string()
    return true
  })
  return { name }
}

function scopeLogsOf(reader: ProtoReader): Fields {
  let scope: Fields = {}
  const logRecords: Fields[] = []
  message(reader, reader.open(), (tag) => {
    if (tag === field(1, 'length')) scope = scopeOf(reader)
    else if (tag === field(2, 'length')) logRecords.push(recordOf(reader))
    else return false
    return true
  })
  return { scope, logRecords }
}

function resourceLogsOf(reader: ProtoReader): Fields {
  let resource: Fields = {}
  const scopeLogs: Fields[] = []
  message(reader, reader.open(), (tag) => {
    if (tag === field(1, 'length')) resource = { attributes: repeated(reader, () => pairOf(reader, 0)) }
    else if (tag === field(2, 'length')) scopeLogs.push(scopeLogsOf(reader))
    else return false
    return true
  })
  return { resource, scopeLogs }
}

export function readLogs(body: Buffer): Fields {
  const reader = new ProtoReader(body)
  const resourceLogs: Fields[] = []
  message(reader, body.length, (tag) => {
    if (tag !== field(1, 'length')) return false
    resourceLogs.push(resourceLogsOf(reader))
    return true
  })
  return { resourceLogs }
}
