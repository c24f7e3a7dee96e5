import type { Labels } from '../../schemas/alert.ts'
import { type Fields, labelsOf } from '../sources/fields.ts'
import { Unreadable } from '../sources/format.ts'
import { labelsOfResource } from '../sources/otlp.ts'
import type { RawReading } from './format.ts'
import type { Gathering } from './gathering.ts'
import { readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'

/**
 * Metrics of OpenTelemetry, whichever way they are encoded. A gauge or sum is one series; of a histogram, exponential histogram or
 * summary there are `_count` and `_sum`, and `_min` and `_max` where they are told; of a summary each quantile too. Buckets are left out.
 */
export interface OtlpMetric {
  readonly name: string
  readonly unit: string
  /** Of the resource. */
  readonly resource: Labels
  /** Each point is what came since the one before, not since the beginning. */
  readonly is_delta: boolean
}

export interface OtlpPoint {
  readonly attributes: Labels
  readonly at_ms: number
  /** The flag that says so: the source knows no value, the series may be gone. */
  readonly has_no_value: boolean
  /** Of a gauge or sum. */
  readonly value: number | null
  /** Of the others. */
  readonly count: number | null
  readonly sum: number | null
  readonly min: number | null
  readonly max: number | null
  readonly quantiles: readonly (readonly [quantile: number, value: number])[]
}

export const NO_POINT: OtlpPoint = {
  attributes: {},
  at_ms: 0,
  has_no_value: false,
  value: null,
  count: null,
  sum: null,
  min: null,
  max: null,
  quantiles: [],
}

/** Labels of a resource; its instance tells apart what else would be the same. */
export function resourceLabels(attributes: Fields): Labels {
  return labelsOf({ ...labelsOfResource(attributes), instance: attributes['service.instance.id'] })
}

const PARTS = ['count', 'sum', 'min', 'max'] as const

/** Adds the readings of one point. Throws Unreadable `value-missing` when it has none. */
export function addPoint(metric: OtlpMetric, point: OtlpPoint, into: Gathering): void {
  if (point.value === null && point.count === null)
    throw new Unreadable('value-missing', 'the data point has no value: neither a number nor a count')
  const own: Labels = { ...metric.resource, ...point.attributes }
  const given = metric.is_delta ? { ...own, temporality: 'delta' } : own
  const reading = (value: number): RawReading =>
    point.has_no_value ? { at_ms: point.at_ms, value: 0, quality: 'stale' } : readingOf(point.at_ms, value)
  const add = (suffix: string, value: number | null, labels = given) => {
    const name = suffix === '' || metric.name === '' ? metric.name : `${metric.name}_${suffix}`
    const unit = suffix === 'count' ? '' : metric.unit
    if (value !== null) into.add(seriesLabels(name, labels, unit), [reading(value)])
  }
  add('', point.value)
  for (const part of PARTS) add(part, point[part])
  for (const [quantile, value] of point.quantiles) add('', value, { ...given, quantile: String(quantile) })
}

const NS_PER_MS = 1_000_000

/** 0 stands for a time that is not told; of the nanoseconds those below a microsecond are cut off. */
export function msOfNano(nano: number, at_ms: number): number {
  return nano === 0 ? at_ms : Math.floor(nano / 1_000) / (NS_PER_MS / 1_000)
}
