import type { Labels } from '../../schemas/alert.ts'
import type { Config } from '../../schemas/config.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { labelValue } from '../../schemas/matching.ts'
import { deviceKey, deviceOf, type Series } from '../../schemas/sample.ts'
import { measureLabels, type OutOfBounds } from '../normalise.ts'
import { scopeOf } from '../scope.ts'
import type { RawReading } from './format.ts'
import { Remembered } from './remembered.ts'

export type SampleNormaliserConfig = Pick<Config, 'scope' | 'entity'>

/** A series with its scope, and the partition of the samples log that its device lies in. */
export interface PlacedSeries {
  readonly series: Series
  readonly partition: number
}

const REMEMBERED = 100_000
/** What is longer is worked out each time: it would take too much room. */
const LONGEST_CHARS = 2_048

/**
 * Gives labels their scope and partition, or says which bound they exceed. The same labels give the same object for as long as they are
 * remembered, so that what comes again and again is worked out once.
 */
export class SeriesPlacer {
  private readonly config: SampleNormaliserConfig
  private readonly partitions: number
  private readonly by_object = new Remembered<Labels, PlacedSeries>(REMEMBERED)
  private readonly by_text = new Remembered<string, PlacedSeries>(REMEMBERED)

  /** `partitions` of the samples log. */
  constructor(config: SampleNormaliserConfig, partitions: number) {
    this.config = config
    this.partitions = partitions
  }

  /** Labels that are frozen are those that a decoder gives again as the same object. */
  place(labels: Labels): PlacedSeries | OutOfBounds {
    const is_shared = Object.isFrozen(labels)
    const known = is_shared ? this.by_object.get(labels) : undefined
    if (known !== undefined) return known
    const placed = this.placeByText(labels)
    if (is_shared && 'series' in placed) this.by_object.set(labels, placed)
    return placed
  }

  private placeByText(labels: Labels): PlacedSeries | OutOfBounds {
    let key = ''
    for (const name of Object.keys(labels)) key += `${name}\u0000${labels[name]}\u0000`
    const known = this.by_text.get(key)
    if (known !== undefined) return known
    const placed = this.placeAnew(labels)
    if ('series' in placed && key.length <= LONGEST_CHARS) this.by_text.set(key, placed)
    return placed
  }

  private placeAnew(labels: Labels): PlacedSeries | OutOfBounds {
    const fault = seriesFault(labels)
    if (fault !== null) return fault
    const { scope, entity } = this.config
    const series: Series = { scope: scopeOf(labels, scope.labels), labels }
    if (series.scope.length > LIMITS.scope_chars) {
      const reason = `the scope that the labels name has ${series.scope.length} characters, more than ${LIMITS.scope_chars}`
      return { code: 'scope-length', reason }
    }
    const device = deviceOf(series, entity.labels)
    return {
      series,
      partition: partitionOf(deviceKey(series.scope, device), this.partitions),
    }
  }
}

function seriesFault(labels: Labels): OutOfBounds | null {
  if (labelValue(labels, 'metric') === '')
    return { code: 'metric-missing', reason: 'the series has no label `metric`, which says what is measured' }
  const chars = measureLabels(labels)
  if (typeof chars !== 'number') return chars
  if (chars <= LIMITS.series_chars) return null
  const reason = `the labels have ${chars} characters, more than ${LIMITS.series_chars}`
  return { code: 'series-chars', reason }
}

/** Why a reading cannot be taken because of its time, or null. */
export function readingFault({ at_ms }: RawReading, received_at_ms: number): OutOfBounds | null {
  if (at_ms > received_at_ms + LIMITS.sample_ahead_ms && at_ms <= LIMITS.time_ms_max) {
    const reason = `the time is ${Math.round(at_ms - received_at_ms)} ms ahead of our clock, more than ${LIMITS.sample_ahead_ms}`
    return { code: 'time-ahead', reason }
  }
  if (at_ms >= 0 && at_ms <= LIMITS.time_ms_max) return null
  const reason = `the time is ${at_ms} ms from the epoch, outside of 0 (year 1970) to ${LIMITS.time_ms_max} (year 2200)`
  return { code: 'time-range', reason }
}
