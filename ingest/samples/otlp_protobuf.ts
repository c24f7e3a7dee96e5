import type { Labels } from '../../schemas/alert.ts'
import { setLabel } from '../../schemas/sample.ts'
import { field, ProtoReader } from '../sources/protobuf.ts'
import type { SampleMessage } from './format.ts'
import type { Gathering } from './gathering.ts'
import {
  addPoint,
  msOfNano,
  NO_POINT,
  type OtlpMetric,
  type OtlpPoint,
  resourceLabels,
} from './otlp_metrics.ts'

/** OTLP in protobuf (opentelemetry/proto/metrics/v1/metrics.proto), read field by field. */

const LENGTH = 'length'
const RESOURCE_METRICS = field(1, LENGTH)
const RESOURCE = field(1, LENGTH)
const SCOPE_METRICS = field(2, LENGTH)
const METRIC = field(2, LENGTH)
const METRIC_NAME = field(1, LENGTH)
const METRIC_UNIT = field(3, LENGTH)
const DATA_POINT = field(1, LENGTH)
const TEMPORALITY = field(2, 'varint')
const DELTA = 1
const NO_RECORDED_VALUE = 1

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
type Point = Writable<OtlpPoint>
/** Reads one field of a point; false when it is none of those. */
type ReadField = (
  reader: ProtoReader,
  tag: number,
  point: Point,
  attributes: Record<string, string>,
) => boolean

/** Throws Unreadable. */
export function readOtlpProtobuf({ body, at_ms }: SampleMessage, into: Gathering): void {
  const reader = new ProtoReader(body)
  while (reader.at < body.length) {
    const tag = reader.uint32()
    if (tag === RESOURCE_METRICS) readResourceMetrics(reader, reader.open(), { at_ms, into })
    else reader.skip(tag)
  }
}

interface Target {
  readonly at_ms: number
  readonly into: Gathering
}

/** The resource stands first with every sender that is known, but need not. */
function readResourceMetrics(reader: ProtoReader, end: number, target: Target): void {
  let resource: Labels = {}
  const scopes: (readonly [from: number, end: number])[] = []
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === RESOURCE) resource = resourceLabels(readAttributes(reader, reader.open(), RESOURCE))
    else if (tag === SCOPE_METRICS) {
      const to = reader.open()
      scopes.push([reader.at, to])
      reader.at = to
    } else reader.skip(tag)
  }
  reader.close(end)
  for (const [from, to] of scopes) {
    reader.at = from
    while (reader.at < to) {
      const tag = reader.uint32()
      if (tag === METRIC) readMetric(reader, reader.open(), resource, target)
      else reader.skip(tag)
    }
    reader.close(to)
  }
  reader.at = end
}

function readMetric(reader: ProtoReader, end: number, resource: Labels, target: Target): void {
  let [name, unit] = ['', '']
  const data: (readonly [read: ReadField, from: number, end: number])[] = []
  while (reader.at < end) {
    const tag = reader.uint32()
    const read = KINDS.get(tag)
    if (tag === METRIC_NAME) name = reader.string()
    else if (tag === METRIC_UNIT) unit = reader.string()
    else if (read !== undefined) {
      const to = reader.open()
      data.push([read, reader.at, to])
      reader.at = to
    } else reader.skip(tag)
  }
  reader.close(end)
  for (const [read, from, to] of data) {
    reader.at = from
    readData(reader, to, read, { name, unit, resource, is_delta: false }, target)
  }
  reader.at = end
}

function readData(
  reader: ProtoReader,
  end: number,
  read: ReadField,
  metric: OtlpMetric,
  target: Target,
): void {
  const points: OtlpPoint[] = []
  let is_delta = false
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === DATA_POINT) points.push(readPoint(reader, reader.open(), read, target.at_ms))
    else if (tag === TEMPORALITY) is_delta = reader.uint32() === DELTA
    else reader.skip(tag)
  }
  reader.close(end)
  target.into.each(
    points,
    ({ attributes }) => JSON.stringify({ metric: metric.name, attributes }),
    (point) => addPoint({ ...metric, is_delta }, point, target.into),
  )
}

const TIME = field(3, 'fixed64')

function readPoint(reader: ProtoReader, end: number, read: ReadField, at_ms: number): OtlpPoint {
  const attributes: Record<string, string> = {}
  const point: Point = { ...NO_POINT, attributes, at_ms }
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === TIME) point.at_ms = msOfNano(reader.fixed64(), at_ms)
    else if (!read(reader, tag, point, attributes)) reader.skip(tag)
  }
  reader.close(end)
  // A value that the flag takes back is not on the wire.
  if (point.has_no_value && point.count === null) point.value ??= 0
  return point
}

const AS_DOUBLE = field(4, 'fixed64')
const AS_INT = field(6, 'fixed64')

const numberPoint: ReadField = (reader, tag, point, attributes) => {
  if (tag === AS_DOUBLE) point.value = reader.double()
  else if (tag === AS_INT) point.value = reader.sfixed64()
  else if (tag === field(7, LENGTH)) readAttribute(reader, reader.open(), attributes)
  else if (tag === field(8, 'varint')) point.has_no_value = (reader.uint32() & NO_RECORDED_VALUE) !== 0
  else return false
  return true
}

/** Histograms, exponential histograms and summaries differ in the numbers of a few fields. */
function distribution(numbers: {
  readonly attributes: number
  readonly flags: number
  readonly min?: number
  readonly max?: number
  readonly quantiles?: number
}): ReadField {
  const [count, sum] = [field(4, 'fixed64'), field(5, 'fixed64')]
  const [min, max] = [numbers.min, numbers.max].map((number) => number && field(number, 'fixed64'))
  const attribute = field(numbers.attributes, LENGTH)
  const flags = field(numbers.flags, 'varint')
  const quantile = numbers.quantiles && field(numbers.quantiles, LENGTH)
  return (reader, tag, point, attributes) => {
    if (tag === count) point.count = reader.fixed64()
    else if (tag === sum) point.sum = reader.double()
    else if (tag === min) point.min = reader.double()
    else if (tag === max) point.max = reader.double()
    else if (tag === attribute) readAttribute(reader, reader.open(), attributes)
    else if (tag === flags) point.has_no_value = (reader.uint32() & NO_RECORDED_VALUE) !== 0
    else if (tag === quantile) point.quantiles = [...point.quantiles, readQuantile(reader, reader.open())]
    else return false
    return true
  }
}

const KINDS: ReadonlyMap<number, ReadField> = new Map([
  [field(5, LENGTH), numberPoint],
  [field(7, LENGTH), numberPoint],
  [field(9, LENGTH), distribution({ attributes: 9, flags: 10, min: 11, max: 12 })],
  [field(10, LENGTH), distribution({ attributes: 1, flags: 10, min: 12, max: 13 })],
  [field(11, LENGTH), distribution({ attributes: 7, flags: 8, quantiles: 6 })],
])

function readQuantile(reader: ProtoReader, end: number): readonly [number, number] {
  let [quantile, value] = [0, 0]
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === field(1, 'fixed64')) quantile = reader.double()
    else if (tag === field(2, 'fixed64')) value = reader.double()
    else reader.skip(tag)
  }
  reader.close(end)
  return [quantile, value]
}

/** The attributes among the fields of a message. */
function readAttributes(reader: ProtoReader, end: number, attribute: number): Record<string, string> {
  const attributes: Record<string, string> = {}
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === attribute) readAttribute(reader, reader.open(), attributes)
    else reader.skip(tag)
  }
  reader.close(end)
  return attributes
}

const KEY = field(1, LENGTH)
const VALUE = field(2, LENGTH)

/** Empty texts are no labels; lists, maps and bytes are passed over. */
function readAttribute(reader: ProtoReader, end: number, attributes: Record<string, string>): void {
  let [key, text] = ['', '']
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === KEY) key = reader.string()
    else if (tag === VALUE) text = readValue(reader, reader.open())
    else reader.skip(tag)
  }
  reader.close(end)
  if (key !== '' && text !== '') setLabel(attributes, key, text)
}

function readValue(reader: ProtoReader, end: number): string {
  let text = ''
  while (reader.at < end) {
    const tag = reader.uint32()
    if (tag === field(1, LENGTH)) text = reader.string()
    else if (tag === field(2, 'varint')) text = String(reader.uint32() !== 0)
    else if (tag === field(3, 'varint')) text = String(reader.int64())
    else if (tag === field(4, 'fixed64')) text = String(reader.double())
    else reader.skip(tag)
  }
  reader.close(end)
  return text
}
