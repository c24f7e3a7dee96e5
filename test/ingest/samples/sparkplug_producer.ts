/** Writes payloads of Sparkplug B as `sparkplug_b.proto` and the specification say, independently of the program. */
import protobuf from 'protobufjs/minimal.js'

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

const tag = (writer: protobuf.Writer, number: number, wire: number) => writer.uint32((number << 3) | wire)

function varint(writer: protobuf.Writer, number: number, value: number | bigint): void {
  tag(writer, number, VARINT)
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  writer.raw(Uint8Array.from([...bytes, Number(rest)]))
}

function text(writer: protobuf.Writer, number: number, value: string): void {
  tag(writer, number, LENGTH).string(value)
}

function nested(writer: protobuf.Writer, number: number, write: (inner: protobuf.Writer) => void): void {
  tag(writer, number, LENGTH).fork()
  write(writer)
  writer.ldelim()
}

function properties(writer: protobuf.Writer, set: Readonly<Record<string, string | number>>): void {
  for (const key of Object.keys(set)) text(writer, 1, key)
  for (const value of Object.values(set))
    nested(writer, 2, (inner) => {
      varint(inner, 1, typeof value === 'string' ? DATATYPE.String : DATATYPE.Int32)
      if (typeof value === 'string') text(inner, 8, value)
      else varint(inner, 3, value)
    })
}

function metricValue(writer: protobuf.Writer, value: MetricValue): void {
  if ('int' in value) tag(writer, 10, VARINT).uint32(value.int)
  else if ('long' in value) varint(writer, 11, value.long)
  else if ('float' in value) tag(writer, 12, FIXED32).float(value.float)
  else if ('double' in value) tag(writer, 13, FIXED64).double(value.double)
  else if ('boolean' in value) tag(writer, 14, VARINT).bool(value.boolean)
  else if ('text' in value) text(writer, 15, value.text)
  else if ('bytes' in value) tag(writer, 16, LENGTH).bytes(value.bytes)
  else
    nested(writer, 18, (inner) => {
      nested(inner, 2, (metric) => metricOf(metric, { name: value.template, value: { int: 1 } }))
    })
}

function metricOf(writer: protobuf.Writer, metric: Metric): void {
  if (metric.name !== undefined) text(writer, 1, metric.name)
  if (metric.alias !== undefined) varint(writer, 2, metric.alias)
  if (metric.timestamp !== undefined) varint(writer, 3, metric.timestamp)
  if (metric.datatype !== undefined) varint(writer, 4, metric.datatype)
  if (metric.is_historical !== undefined) tag(writer, 5, VARINT).bool(metric.is_historical)
  if (metric.is_null !== undefined) tag(writer, 7, VARINT).bool(metric.is_null)
  const { properties: set, value } = metric
  if (set !== undefined) nested(writer, 9, (inner) => properties(inner, set))
  if (value !== undefined) metricValue(writer, value)
}

export function encodePayload({ timestamp, seq, metrics = [], uuid }: Payload): Buffer {
  const writer = protobuf.Writer.create()
  if (timestamp !== undefined) varint(writer, 1, timestamp)
  for (const metric of metrics) nested(writer, 2, (inner) => metricOf(inner, metric))
  if (seq !== undefined) varint(writer, 3, seq)
  if (uuid !== undefined) text(writer, 4, uuid)
  return Buffer.from(writer.finish())
}

/** The metric by which births and deaths name their session. */
export const bdSeq = (number: number): Metric => ({
  name: 'bdSeq',
  datatype: DATATYPE.Int64,
  value: { long: BigInt(number) },
})
