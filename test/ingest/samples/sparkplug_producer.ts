/** Writes payloads of Sparkplug B as `sparkplug_b.proto` and the specification say, independently of the program. */

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

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

const tag = (number: number, wire: number) => varint((number << 3) | wire)
const integer = (number: number, value: number | bigint) =>
  Buffer.concat([tag(number, VARINT), varint(value)])
const bytes = (number: number, value: Uint8Array) =>
  Buffer.concat([tag(number, LENGTH), varint(value.length), value])
const text = (number: number, value: string) => bytes(number, Buffer.from(value))

function float(number: number, value: number): Buffer {
  const four = Buffer.alloc(4)
  four.writeFloatLE(value)
  return Buffer.concat([tag(number, FIXED32), four])
}

function double(number: number, value: number): Buffer {
  const eight = Buffer.alloc(8)
  eight.writeDoubleLE(value)
  return Buffer.concat([tag(number, FIXED64), eight])
}

function properties(set: Readonly<Record<string, string | number>>): Buffer {
  const keys = Object.keys(set).map((key) => text(1, key))
  const values = Object.values(set).map((value) => {
    const type = integer(1, typeof value === 'string' ? DATATYPE.String : DATATYPE.Int32)
    const content = typeof value === 'string' ? text(8, value) : integer(3, value)
    return bytes(2, Buffer.concat([type, content]))
  })
  return Buffer.concat([...keys, ...values])
}

function metricValue(value: MetricValue): Buffer {
  if ('int' in value) return integer(10, value.int)
  if ('long' in value) return integer(11, value.long)
  if ('float' in value) return float(12, value.float)
  if ('double' in value) return double(13, value.double)
  if ('boolean' in value) return integer(14, Number(value.boolean))
  if ('text' in value) return text(15, value.text)
  if ('bytes' in value) return bytes(16, value.bytes)
  return bytes(18, bytes(2, metricOf({ name: value.template, value: { int: 1 } })))
}

function metricOf(metric: Metric): Buffer {
  const { name, alias, timestamp, datatype, is_historical, is_null, properties: set, value } = metric
  const fields = [
    name === undefined ? [] : [text(1, name)],
    alias === undefined ? [] : [integer(2, alias)],
    timestamp === undefined ? [] : [integer(3, timestamp)],
    datatype === undefined ? [] : [integer(4, datatype)],
    is_historical === undefined ? [] : [integer(5, Number(is_historical))],
    is_null === undefined ? [] : [integer(7, Number(is_null))],
    set === undefined ? [] : [bytes(9, properties(set))],
    value === undefined ? [] : [metricValue(value)],
  ]
  return Buffer.concat(fields.flat())
}

export function encodePayload({ timestamp, seq, metrics = [], uuid }: Payload): Buffer {
  return Buffer.concat([
    timestamp === undefined ? Buffer.alloc(0) : integer(1, timestamp),
    ...metrics.map((metric) => bytes(2, metricOf(metric))),
    seq === undefined ? Buffer.alloc(0) : integer(3, seq),
    uuid === undefined ? Buffer.alloc(0) : text(4, uuid),
  ])
}

/** The metric by which births and deaths name their session. */
export const bdSeq = (number: number): Metric => ({
  name: 'bdSeq',
  datatype: DATATYPE.Int64,
  value: { long: BigInt(number) },
})
