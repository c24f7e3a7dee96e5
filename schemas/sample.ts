import { z } from 'zod'
import { type Labels, labels, timeMs } from './alert.ts'
import { LIMITS } from './limits.ts'
import { labelValue } from './matching.ts'

/** Whether the source vouches for a value. `stale`: the device is gone, and the value is the last one known. */
export const QUALITIES = ['good', 'uncertain', 'bad', 'stale'] as const
export type Quality = (typeof QUALITIES)[number]

/**
 * What is measured: its identity is its scope and labels. The label `metric` names the measure; `equipment` is the place in the plant
 * (ISA-95 levels from the enterprise down, joined by `/`), where the source has one.
 */
export const series = z.object({
  scope: z.string().min(1).max(LIMITS.scope_chars),
  labels,
})
export type Series = z.infer<typeof series>

/** Sets a label whatever its name is: `__proto__` is one like any other. */
export function setLabel(into: Record<string, string>, name: string, value: string): void {
  if (name !== '__proto__') into[name] = value
  else Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true })
}

/** A text that two series have in common exactly when they are the same: their scope and all labels. */
function seriesKey({ scope, labels: own }: Series): string {
  const parts = [scope]
  for (const name of Object.keys(own).sort()) parts.push(name, own[name] as string)
  return parts.map((part) => `${part.length}:${part}`).join('')
}

/**
 * What the series is measured at, so that what one device tells lies in one partition: its place in the plant, or else the first of the
 * labels `entity_labels` that it has, or else the series itself.
 */
export function deviceOf(of: Series, entity_labels: readonly string[]): string {
  return namedDevice(of.labels, entity_labels) ?? seriesKey(of)
}

/** The device that labels name; null where they name none. */
export function namedDevice(of: Labels, entity_labels: readonly string[]): string | null {
  const equipment = labelValue(of, 'equipment')
  if (equipment !== '') return equipment
  for (const name of entity_labels) {
    const entity = labelValue(of, name)
    if (entity !== '') return entity
  }
  return null
}

/** A device with its scope: what decides on the partition. */
export const deviceKey = (scope: string, device: string): string => `${scope.length}:${scope}${device}`

/** One reading of a sensor or metric series. */
export const sample = series.extend({
  at_ms: timeMs,
  value: z.number(),
  quality: z.enum(QUALITIES),
})

/**
 * One entry of the samples log: readings of one partition, in columns. Reading `i` is `value[i]` of `series[of[i]]` at `at_ms[i]`.
 * All columns have the same length, at least 1. A partition holds whole devices (`deviceOf`), so that the sensors of a machine are
 * read together. Readings of one series are taken once by their time: what is not newer than the last of its series is late or
 * repeated, and a detector leaves it alone; so a batch that is appended twice changes nothing.
 */
export interface SamplesRecord {
  readonly kind: 'samples'
  readonly received_at_ms: number
  /** Name of the source. */
  readonly source: string
  /** Readings of the past, told to fill a gap (Sparkplug's `is_historical`, a back-fill): they never raise a live alert. */
  readonly historical: boolean
  readonly series: readonly Series[]
  /** Of each series, as `seriesHash` gives it: decoding knows it at little cost. */
  readonly hashes?: Int32Array
  readonly of: Uint32Array
  readonly at_ms: Float64Array
  /** Never NaN: a value that is no number has the quality `bad` and is 0. */
  readonly value: Float64Array
  /** Index into `QUALITIES`. */
  readonly quality: Uint8Array
}
