import type { Labels } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { decompressSnappy } from '../compression/snappy.ts'
import { Unreadable } from '../sources/format.ts'
import { field, ProtoReader } from '../sources/protobuf.ts'
import type { DecodeSamples, RawReading, SampleMessage } from './format.ts'
import { binaryGathering, type Gathering } from './gathering.ts'
import { readingOf } from './numbers.ts'
import { KnownLabels } from './known_labels.ts'
import { PrometheusLabels, STALE_HIGH, STALE_LOW } from './prometheus.ts'

/**
 * Prometheus remote write 1.0 (`prometheus.WriteRequest`) and 2.0 (`io.prometheus.write.v2.Request`), compressed with snappy. Native
 * histograms are counted as left out; exemplars and metadata beyond the unit are passed over.
 */

const TIMESERIES_1 = field(1, 'length')
const SYMBOL = field(4, 'length')
const TIMESERIES_2 = field(5, 'length')

const LABEL = field(1, 'length')
const LABEL_REFERENCE = field(1, 'varint')
const SAMPLE = field(2, 'length')
const METADATA_2 = field(5, 'length')
const UNIT_REFERENCE = field(4, 'varint')
/** Of a series: in 1.0 field 4, in 2.0 field 3. */
const HISTOGRAM_1 = field(4, 'length')
const HISTOGRAM_2 = field(3, 'length')

const FIRST_TEXT = field(1, 'length')
const SECOND_TEXT = field(2, 'length')
const VALUE = field(1, 'fixed64')
const TIMESTAMP = field(2, 'varint')

export function remoteWrite(): DecodeSamples {
  const known = new KnownLabels()
  const scratch = new Scratch()
  return binaryGathering((message, into) => {
    const reader = new ProtoReader(uncompressed(message, scratch))
    if (isVersion2(message.headers['content-type'] ?? '')) readRequest2(reader, into)
    else readRequest1(reader, known, into)
  })
}

const SCRATCH_BYTES_MAX = 1_048_576

/** One buffer for one message after the other: nothing that is read of a message refers to it. */
class Scratch {
  private buffer = Buffer.alloc(0)

  take(bytes: number): Buffer {
    if (bytes > SCRATCH_BYTES_MAX) return Buffer.allocUnsafe(bytes)
    if (this.buffer.length < bytes)
      this.buffer = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.buffer.length))
    return this.buffer.subarray(0, bytes)
  }
}

/** By the parameter `proto` of the content type; without it, it is 1.0. */
export function isVersion2(content_type: string): boolean {
  return /;\s*proto\s*=\s*"?io\.prometheus\.write\.v2\.Request"?\s*(?:;|$)/i.test(content_type)
}

/** A message of Kafka need not say how it is compressed: it may also be bare protobuf. */
function uncompressed({ body, headers }: SampleMessage, scratch: Scratch): Buffer {
  const encoding = headers['content-encoding'] ?? ''
  if (body.length === 0) throw new Unreadable('empty', 'the body is empty')
  if (encoding === 'identity') return body
  try {
    return decompressSnappy(body, LIMITS.http_body_bytes, (bytes) => scratch.take(bytes))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    if (encoding === '') return body
    throw new Unreadable('compression', `the body is no block of snappy: ${error.message}`)
  }
}

function readRequest1(reader: ProtoReader, known: KnownLabels, into: Gathering): void {
  while (reader.at < reader.bytes.length) {
    const tag = reader.uint32()
    if (tag === TIMESERIES_1) readSeries1(reader, reader.open(), known, into)
    else reader.skip(tag)
  }
}

/** Labels stand first with every sender that is known, but need not. */
function readSeries1(reader: ProtoReader, end: number, known: KnownLabels, into: Gathering): void {
  const from = reader.at
  let to = from
  while (reader.at < end && reader.uint32() === LABEL) {
    reader.at = reader.open()
    to = reader.at
  }
  reader.at = to
  const readings: RawReading[] = []
  let are_scattered = false
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === SAMPLE) readings.push(readSample(reader, reader.open()))
    else {
      if (tag === LABEL) are_scattered = true
      if (tag === HISTOGRAM_1) into.dropped++
      reader.skip(tag)
    }
  }
  reader.close(end)
  const labels = are_scattered
    ? readLabels(reader, from, end)
    : known.of(reader, from, to, () => readLabels(reader, from, to))
  reader.at = end
  into.add(labels, readings)
}

function readLabels(reader: ProtoReader, from: number, to: number): Labels {
  const labels = new PrometheusLabels()
  reader.at = from
  while (reader.at < to) {
    const tag = reader.uint32()
    if (tag === LABEL) readLabel(reader, reader.open(), labels)
    else reader.skip(tag)
  }
  return labels.done()
}

function readLabel(reader: ProtoReader, end: number, labels: PrometheusLabels): void {
  let [name, value] = ['', '']
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === FIRST_TEXT) name = reader.string()
    else if (tag === SECOND_TEXT) value = reader.string()
    else reader.skip(tag)
  }
  reader.close(end)
  labels.add(name, value)
}

function readSample(reader: ProtoReader, end: number): RawReading {
  let [value, at_ms, is_stale] = [0, 0, false]
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === VALUE) {
      is_stale = reader.isDouble(STALE_HIGH, STALE_LOW)
      value = reader.double()
    } else if (tag === TIMESTAMP) at_ms = reader.int64()
    else reader.skip(tag)
  }
  reader.close(end)
  return is_stale ? { at_ms, value, quality: 'stale' } : readingOf(at_ms, value)
}

/** Texts first, which may stand anywhere. */
function readRequest2(reader: ProtoReader, into: Gathering): void {
  const symbols: string[] = []
  const series: (readonly [from: number, end: number])[] = []
  while (reader.at < reader.bytes.length) {
    const tag = reader.uint32()
    if (tag === SYMBOL) symbols.push(reader.string())
    else if (tag === TIMESERIES_2) {
      const end = reader.open()
      series.push([reader.at, end])
      reader.at = end
    } else reader.skip(tag)
  }
  into.each(
    series,
    ([from, end]) => reader.bytes.toString('base64', from, end),
    ([from, end]) => {
      reader.at = from
      readSeries2(reader, end, symbols, into)
    },
  )
}

function readSeries2(reader: ProtoReader, end: number, symbols: readonly string[], into: Gathering): void {
  const references: number[] = []
  const readings: RawReading[] = []
  let [unit, histograms] = [0, 0]
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === LABEL) for (const to = reader.open(); reader.at < to; ) references.push(reader.uint32())
    else if (tag === LABEL_REFERENCE) references.push(reader.uint32())
    else if (tag === SAMPLE) readings.push(readSample(reader, reader.open()))
    else if (tag === METADATA_2) unit = readUnit(reader, reader.open())
    else {
      if (tag === HISTOGRAM_2) histograms++
      reader.skip(tag)
    }
  }
  reader.close(end)
  into.dropped += histograms
  into.add(labelsOf(references, unit, symbols), readings)
}

function readUnit(reader: ProtoReader, end: number): number {
  let unit = 0
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === UNIT_REFERENCE) unit = reader.uint32()
    else reader.skip(tag)
  }
  reader.close(end)
  return unit
}

function labelsOf(references: readonly number[], unit: number, symbols: readonly string[]): Labels {
  const labels = new PrometheusLabels()
  const text = (reference: number | undefined): string => {
    const symbol = symbols[reference ?? -1]
    if (symbol !== undefined) return symbol
    throw new Unreadable(
      'symbol-missing',
      `the series refers to symbol ${reference ?? 'none'} of ${symbols.length}`,
    )
  }
  for (let i = 0; i < references.length; i += 2) labels.add(text(references[i]), text(references[i + 1]))
  return labels.done(unit === 0 ? '' : text(unit))
}
