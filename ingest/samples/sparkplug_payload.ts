import { LIMITS } from '../../schemas/limits.ts'
import { Unreadable } from '../sources/format.ts'
import { field, ProtoReader } from '../sources/protobuf.ts'

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

const TIMESTAMP = field(1, 'varint')
const METRIC = field(2, 'length')
const SEQ = field(3, 'varint')
const UUID = field(4, 'length')

/** Throws Unreadable. */
export function readPayload(bytes: Buffer): SparkplugPayload {
  const reader = new ProtoReader(bytes)
  let timestamp: number | null = null
  let seq: number | null = null
  let uuid = ''
  const metrics: SparkplugMetric[] = []
  while (reader.at < bytes.length) {
    const tag = reader.uint32()
    if (tag === TIMESTAMP) timestamp = reader.uint64()
    else if (tag === METRIC) {
      if (metrics.length >= LIMITS.sparkplug_metrics_per_message)
        throw new Unreadable(
          'too-many-metrics',
          `the message has more than ${LIMITS.sparkplug_metrics_per_message} metrics`,
        )
      metrics.push(readMetric(reader, reader.open()))
    } else if (tag === SEQ) seq = reader.uint64()
    else if (tag === UUID) uuid = reader.string()
    else reader.skip(tag)
  }
  return { timestamp, seq, metrics, uuid }
}

const NAME = field(1, 'length')
const ALIAS = field(2, 'varint')
const METRIC_TIMESTAMP = field(3, 'varint')
const DATATYPE = field(4, 'varint')
const IS_HISTORICAL = field(5, 'varint')
const IS_NULL = field(7, 'varint')
const PROPERTIES = field(9, 'length')

function readMetric(reader: ProtoReader, end: number): SparkplugMetric {
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
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === NAME) metric.name = reader.string().toWellFormed()
    else if (tag === ALIAS) metric.alias = reader.exactUint64()
    else if (tag === METRIC_TIMESTAMP) metric.timestamp = reader.uint64()
    else if (tag === DATATYPE) metric.datatype = reader.uint32()
    else if (tag === IS_HISTORICAL) metric.is_historical = reader.uint32() !== 0
    else if (tag === IS_NULL) metric.is_null = reader.uint32() !== 0
    else if (tag === PROPERTIES) Object.assign(metric, readProperties(reader, reader.open()))
    else metric.value = readValue(reader, tag, 10) ?? metric.value
  }
  reader.close(end)
  return metric
}

const TWO_64 = 2 ** 64

/** One of the fields of a value, which begin at number `first` in the order int, long, float, double, boolean; null: another field. */
function readValue(reader: ProtoReader, tag: number, first: number): SparkplugValue | null {
  if (tag === field(first, 'varint')) {
    const unsigned = reader.uint32()
    return { kind: 'integer', unsigned, signed: unsigned | 0 }
  }
  if (tag === field(first + 1, 'varint')) {
    const signed = reader.int64()
    return { kind: 'integer', unsigned: signed < 0 ? signed + TWO_64 : signed, signed }
  }
  if (tag === field(first + 2, 'fixed32')) return { kind: 'real', real: reader.float() }
  if (tag === field(first + 3, 'fixed64')) return { kind: 'real', real: reader.double() }
  if (tag === field(first + 4, 'varint')) return { kind: 'boolean', is_true: reader.uint32() !== 0 }
  reader.skip(tag)
  const number = (tag >>> 3) - first
  return number >= 5 && number <= 9 ? { kind: 'other' } : null
}

const UNITS = new Set(['engunit', 'engunits', 'engineeringunits', 'unit', 'units'])
const KEY = field(1, 'length')
const PROPERTY = field(2, 'length')

/** Keys and values of a property set lie in two lists. */
function readProperties(
  reader: ProtoReader,
  end: number,
): Partial<Pick<SparkplugMetric, 'quality' | 'unit'>> {
  const keys: string[] = []
  const values: (string | number | null)[] = []
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === KEY) keys.push(reader.string().toLowerCase().replaceAll(/[ _]/g, ''))
    else if (tag === PROPERTY) values.push(readProperty(reader, reader.open()))
    else reader.skip(tag)
  }
  reader.close(end)
  const found: { quality?: number; unit?: string } = {}
  for (const [i, key] of keys.entries()) {
    const value = values[i]
    if (key === 'quality' && typeof value === 'number') found.quality = value
    if (UNITS.has(key) && typeof value === 'string') found.unit = value.toWellFormed()
  }
  return found
}

const PROPERTY_TEXT = field(8, 'length')

function readProperty(reader: ProtoReader, end: number): string | number | null {
  let found: string | number | null = null
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === PROPERTY_TEXT) found = reader.string()
    else {
      const value = readValue(reader, tag, 3)
      if (value?.kind === 'integer') found = value.signed
      else if (value?.kind === 'real') found = value.real
    }
  }
  reader.close(end)
  return found
}
