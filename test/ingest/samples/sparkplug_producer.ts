/** Writes payloads of Sparkplug B as `sparkplug_b.proto` and the specification say, independently of the program. */

import { double, message, number, varint } from './wire.ts'

export type MetricValue =
  | { readonly int: number }
  | { readonly long: bigint }
  | { readonly float: number }
  | { readonly double: number }
  | { readonly boolean: boolean }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  /** A template with one metric in it. */
  | { readonly template: string }

export interface Metric {
  readonly name?: string
  readonly alias?: number | bigint
  readonly timestamp?: number
  readonly datatype?: number
  readonly is_historical?: boolean
  readonly is_null?: boolean
  readonly properties?: Readonly<Record<string, string | number>>
  readonly value?: MetricValue
}

export interface Payload {
  readonly timestamp?: number
  readonly seq?: number
  readonly metrics?: readonly Metric[]
  readonly uuid?: string
}

export const DATATYPE = {
  Int8: 1,
  Int16: 2,
  Int32: 3,
  Int64: 4,
  UInt8: 5,
  UInt16: 6,
  UInt32: 7,
  UInt64: 8,
  Float: 9,
  Double: 10,
  Boolean: 11,
  String: 12,
  DateTime: 13,
  DataSet: 16,
  Template: 19,
} as const

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([varint((field << 3) | 5), bytes])
}

function properties(set: Readonly<Record<string, string | number>>): Buffer {
  const keys = Object.keys(set).map((key) => message(1, key))
  const values = Object.values(set).map((value) => {
    const type = number(1, typeof value === 'string' ? DATATYPE.String : DATATYPE.Int32)
    const content = typeof value === 'string' ? message(8, value) : number(3, value)
    return message(2, type, content)
  })
  return Buffer.concat([...keys, ...values])
}

function metricValue(value: MetricValue): Buffer {
  if ('int' in value) return number(10, value.int)
  if ('long' in value) return number(11, value.long)
  if ('float' in value) return float(12, value.float)
  if ('double' in value) return double(13, value.double)
  if ('boolean' in value) return number(14, Number(value.boolean))
  if ('text' in value) return message(15, value.text)
  if ('bytes' in value) return message(16, Buffer.from(value.bytes))
  return message(18, message(2, metricOf({ name: value.template, value: { int: 1 } })))
}

function metricOf(metric: Metric): Buffer {
  const { name, alias, timestamp, datatype, is_historical, is_null, properties: set, value } = metric
  const fields = [
    name === undefined ? [] : [message(1, name)],
    alias === undefined ? [] : [number(2, alias)],
    timestamp === undefined ? [] : [number(3, timestamp)],
    datatype === undefined ? [] : [number(4, datatype)],
    is_historical === undefined ? [] : [number(5, Number(is_historical))],
    is_null === undefined ? [] : [number(7, Number(is_null))],
    set === undefined ? [] : [message(9, properties(set))],
    value === undefined ? [] : [metricValue(value)],
  ]
  return Buffer.concat(fields.flat())
}

export function encodePayload({ timestamp, seq, metrics = [], uuid }: Payload): Buffer {
  return Buffer.concat([
    timestamp === undefined ? Buffer.alloc(0) : number(1, timestamp),
    ...metrics.map((metric) => message(2, metricOf(metric))),
    seq === undefined ? Buffer.alloc(0) : number(3, seq),
    uuid === undefined ? Buffer.alloc(0) : message(4, uuid),
  ])
}

/** The metric by which births and deaths name their session. */
export const bdSeq = (session: number): Metric => ({
  name: 'bdSeq',
  datatype: DATATYPE.Int64,
  value: { long: BigInt(session) },
})
