import { attributesOf } from '../sources/otlp.ts'
import {
  type Fields,
  fieldsOf,
  labelsOf,
  listOf,
  optionalFields,
  textOf,
  numberOf as plainNumberOf,
} from '../sources/fields.ts'
import { parseJson, Unreadable } from '../sources/format.ts'
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

/** OTLP in JSON: names in lowerCamelCase, 64-bit integers as text or number, enumerations as numbers (some senders write names). */

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const
const NO_RECORDED_VALUE = 1

interface FoundPoint {
  readonly metric: OtlpMetric
  readonly point: unknown
}

/** Throws Unreadable. */
export function readOtlpJson({ body, at_ms }: SampleMessage, into: Gathering): void {
  into.each(
    pointsOf(fieldsOf(parseJson(body), 'the body')),
    ({ metric, point }) => JSON.stringify({ metric: metric.name, point }) ?? '',
    ({ metric, point }) => addPoint(metric, pointOf(fieldsOf(point, 'the data point'), at_ms), into),
  )
}

/** Every data point with what it shares with others, in order. Throws Unreadable. */
function pointsOf(body: Fields): readonly FoundPoint[] {
  return itemsOf(body, 'resourceMetrics').flatMap((of_resource) => {
    const { attributes } = optionalFields(of_resource['resource'], 'resource')
    const resource = resourceLabels(attributesOf(attributes))
    return itemsOf(of_resource, 'scopeMetrics').flatMap((of_scope) =>
      itemsOf(of_scope, 'metrics').flatMap((metric) => pointsOfMetric(metric, resource)),
    )
  })
}

function itemsOf(of: Fields, name: string): readonly Fields[] {
  return listOf(of[name] ?? [], name).map((item) => fieldsOf(item, name))
}

function pointsOfMetric(metric: Fields, resource: OtlpMetric['resource']): readonly FoundPoint[] {
  return KINDS.flatMap((kind) => {
    if (metric[kind] === undefined || metric[kind] === null) return []
    const data = fieldsOf(metric[kind], kind)
    const common = {
      name: textOf(metric['name']),
      unit: textOf(metric['unit']),
      resource,
      is_delta: isDelta(data['aggregationTemporality']),
    }
    return listOf(data['dataPoints'] ?? [], 'dataPoints').map((point) => ({ metric: common, point }))
  })
}

const isDelta = (temporality: unknown): boolean =>
  plainNumberOf(temporality) === 1 || temporality === 'AGGREGATION_TEMPORALITY_DELTA'

function pointOf(point: Fields, at_ms: number): OtlpPoint {
  const is_distribution = point['count'] !== undefined
  const has_no_value = (plainNumberOf(point['flags'] ?? 0) & NO_RECORDED_VALUE) !== 0
  const value = numberOf(point['asDouble'] ?? point['asInt'], 'the value')
  return {
    ...NO_POINT,
    attributes: labelsOf(attributesOf(point['attributes'])),
    at_ms: msOfNano(numberOf(point['timeUnixNano'], 'timeUnixNano') ?? 0, at_ms),
    has_no_value,
    ...(is_distribution ? distributionOf(point) : { value: has_no_value ? (value ?? 0) : value }),
  }
}

function distributionOf(point: Fields): Pick<OtlpPoint, 'count' | 'sum' | 'min' | 'max' | 'quantiles'> {
  const quantiles = listOf(point['quantileValues'] ?? [], 'quantileValues').map((item) => {
    const { quantile, value } = fieldsOf(item, 'quantileValues')
    return [numberOf(quantile, 'quantile') ?? 0, numberOf(value, 'the value of a quantile') ?? 0] as const
  })
  return {
    count: numberOf(point['count'], 'count'),
    sum: numberOf(point['sum'], 'sum'),
    min: numberOf(point['min'], 'min'),
    max: numberOf(point['max'], 'max'),
    quantiles,
  }
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
const WORDS: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity }

/** As JSON of protobuf has numbers: also as text. Throws Unreadable `value-syntax`. */
function numberOf(value: unknown, what: string): number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number') return value
  if (typeof value === 'string') {
    if (Object.hasOwn(WORDS, value)) return WORDS[value] ?? null
    if (NUMBER.test(value)) return Number(value)
  }
  throw new Unreadable('value-syntax', `${what} is ${textOf(value).slice(0, 80)}, which is no number`)
}
