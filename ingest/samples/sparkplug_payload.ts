import protobuf from 'protobufjs/minimal.js'
import { LIMITS } from '../../schemas/limits.ts'

/**
 * The payload of Sparkplug B (Eclipse Sparkplug 3.0, `sparkplug_b.proto`), read field by field: only what a reading needs is kept.
 * Templates, data sets, files and arrays are skipped by their length, however deep they are.
 */

/** As on the wire: small numbers as they are, larger ones as text. */
export type Alias = number | string

export type SparkplugValue =
  /** `signed` is the same bits as two's complement of the width on the wire, which knows no signed integers. */
  | { readonly kind: 'integer'; readonly unsigned: number; readonly signed: number }
  | { readonly kind: 'real'; readonly real: number }
  | { readonly kind: 'boolean'; readonly is_true: boolean }
  /** A text, bytes, a data set, a template or an extension. */
  | { readonly kind: 'other' }

export interface SparkplugMetric {
  readonly name: string | null
  readonly alias: Alias | null
  /** Since the epoch, in whatever unit the sender has; null: not told. */
  readonly timestamp: number | null
  /** 0 when it is not told. */
  readonly datatype: number
  readonly is_historical: boolean
  readonly is_null: boolean
  readonly value: SparkplugValue | null
  /** Of the properties: 192 is good, 500 stale; null: not told. */
  readonly quality: number | null
  /** The engineering unit; empty: not told. */
  readonly unit: string
}

export interface SparkplugPayload {
  readonly timestamp: number | null
  readonly seq: number | null
  readonly metrics: readonly SparkplugMetric[]
  /** Names the content of a body that stands in for the metrics (compression); empty: there is none. */
  readonly uuid: string
}

/** The payload has more metrics than one message may have. */
export class TooManyMetrics extends Error {
  override name = 'TooManyMetrics'
}

type Reader = protobuf.Reader
type Wide = ReturnType<Reader['uint64']>

/** Wire types of protobuf. */
const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

/** Throws TooManyMetrics, and whatever the reader throws when the bytes are no such payload. */
export function readPayload(bytes: Uint8Array): SparkplugPayload {
  const reader = protobuf.Reader.create(bytes)
  let timestamp: number | null = null
  let seq: number | null = null
  let uuid = ''
  const metrics: SparkplugMetric[] = []
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === field(1, VARINT)) timestamp = wide(reader.uint64())
    else if (tag === field(2, LENGTH)) {
      if (metrics.length >= LIMITS.sparkplug_metrics_per_message) throw new TooManyMetrics()
      metrics.push(readMetric(reader, endOf(reader)))
    } else if (tag === field(3, VARINT)) seq = wide(reader.uint64())
    else if (tag === field(4, LENGTH)) uuid = reader.string()
    else reader.skipType(tag & 7, 0, tag >>> 3)
  }
  return { timestamp, seq, metrics, uuid }
}

function field(number: number, wire_type: number): number {
  return (number << 3) | wire_type
}

/** Where the field of a length ends. Throws RangeError when that is beyond the bytes. */
function endOf(reader: Reader): number {
  const length = reader.uint32()
  const end = reader.pos + length
  if (end > reader.len) throw new RangeError('a field is longer than the payload')
  return end
}

const HIGH = 2 ** 32

const wide = (value: Wide): number =>
  typeof value === 'number' ? value : (value.high >>> 0) * HIGH + (value.low >>> 0)
const signedWide = (value: Wide): number =>
  typeof value === 'number' ? value : (value.high | 0) * HIGH + (value.low >>> 0)

function aliasOf(value: Wide): Alias {
  const number = wide(value)
  return typeof value === 'number' || Number.isSafeInteger(number) ? number : `${value.high}:${value.low}`
}

function readMetric(reader: Reader, end: number): SparkplugMetric {
  const metric = {
    name: null as string | null,
    alias: null as Alias | null,
    timestamp: null as number | null,
    datatype: 0,
    is_historical: false,
    is_null: false,
    value: null as SparkplugValue | null,
    quality: null as number | null,
    unit: '',
  }
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === field(1, LENGTH)) metric.name = reader.string().toWellFormed()
    else if (tag === field(2, VARINT)) metric.alias = aliasOf(reader.uint64())
    else if (tag === field(3, VARINT)) metric.timestamp = wide(reader.uint64())
    else if (tag === field(4, VARINT)) metric.datatype = reader.uint32()
    else if (tag === field(5, VARINT)) metric.is_historical = reader.bool()
    else if (tag === field(7, VARINT)) metric.is_null = reader.bool()
    else if (tag === field(9, LENGTH)) Object.assign(metric, readProperties(reader, endOf(reader)))
    else metric.value = readValue(reader, tag, 10) ?? metric.value
  }
  within(reader, end)
  return metric
}

/** A field that reaches beyond the one around it makes everything after it unreadable. */
function within(reader: Reader, end: number): void {
  if (reader.pos !== end) throw new RangeError('a field is longer than the one around it')
}

/** One of the fields of a value, which begin at number `first` in the order int, long, float, double, boolean; null: another field. */
function readValue(reader: Reader, tag: number, first: number): SparkplugValue | null {
  const number = (tag >>> 3) - first
  const wire_type = tag & 7
  if (number === 0 && wire_type === VARINT) {
    const unsigned = reader.uint32()
    return { kind: 'integer', unsigned, signed: unsigned | 0 }
  }
  if (number === 1 && wire_type === VARINT) {
    const value = reader.uint64()
    return { kind: 'integer', unsigned: wide(value), signed: signedWide(value) }
  }
  if (number === 2 && wire_type === FIXED32) return { kind: 'real', real: reader.float() }
  if (number === 3 && wire_type === FIXED64) return { kind: 'real', real: reader.double() }
  if (number === 4 && wire_type === VARINT) return { kind: 'boolean', is_true: reader.bool() }
  reader.skipType(wire_type, 0, tag >>> 3)
  return number >= 5 && number <= 9 ? { kind: 'other' } : null
}

const UNITS = new Set(['engunit', 'engunits', 'engineeringunits', 'unit', 'units'])

/** Keys and values of a property set lie in two lists. */
function readProperties(reader: Reader, end: number): Partial<Pick<SparkplugMetric, 'quality' | 'unit'>> {
  const keys: string[] = []
  const values: (string | number | null)[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === field(1, LENGTH)) keys.push(reader.string().toLowerCase().replaceAll(/[ _]/g, ''))
    else if (tag === field(2, LENGTH)) values.push(readProperty(reader, endOf(reader)))
    else reader.skipType(tag & 7, 0, tag >>> 3)
  }
  within(reader, end)
  const found: { quality?: number; unit?: string } = {}
  for (const [i, key] of keys.entries()) {
    const value = values[i]
    if (key === 'quality' && typeof value === 'number') found.quality = value
    if (UNITS.has(key) && typeof value === 'string') found.unit = value.toWellFormed()
  }
  return found
}

function readProperty(reader: Reader, end: number): string | number | null {
  let found: string | number | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === field(8, LENGTH)) found = reader.string()
    else {
      const value = readValue(reader, tag, 3)
      if (value?.kind === 'integer') found = value.signed
      else if (value?.kind === 'real') found = value.real
    }
  }
  within(reader, end)
  return found
}
