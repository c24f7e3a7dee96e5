import type { Quality } from '../../schemas/sample.ts'
import type { RawReading, RawSeries } from './format.ts'
import type { Message } from './sparkplug_message.ts'
import type { SparkplugMetric } from './sparkplug_payload.ts'
import type { Place, SparkplugState } from './sparkplug_state.ts'
import { numberOf, qualityOf } from './sparkplug_values.ts'
import { msOf } from './time.ts'

export interface Told {
  readonly index: number
  readonly metric: SparkplugMetric
}

interface Read {
  readonly place: Place
  readonly series: readonly RawSeries[]
  readonly dropped: number
}

/** Readings of metrics that are defined, and the place with them as its newest. */
export function readings(
  place: Place,
  told: readonly Told[],
  message: Message,
  { not_before_ms = 0, is_doubtful = false } = {},
): Read {
  const values = place.values.slice()
  const found = new Map<string, { series: Omit<RawSeries, 'readings'>; readings: RawReading[] }>()
  let { newest_at_ms } = place
  let dropped = 0
  for (const { index, metric } of told) {
    const definition = place.definitions[index]
    if (definition === undefined) continue
    const value = definition.is_measured ? numberOf(metric, definition.datatype) : null
    if (value === null) {
      dropped++
      continue
    }
    const { is_historical } = metric
    const told_ms = msOf(metric.timestamp ?? message.payload.timestamp ?? message.at_ms, null)
    const at_ms = is_historical ? told_ms : Math.max(told_ms, not_before_ms)
    const quality = qualityOf(metric, is_doubtful)
    const key = `${index}/${is_historical}`
    const list = found.get(key) ?? {
      series: { labels: definition.labels, ...(is_historical && { historical: true }) },
      readings: [],
    }
    list.readings.push({ at_ms, value, quality })
    found.set(key, list)
    if (is_historical) continue
    if (!Number.isNaN(value)) values[index] = value
    newest_at_ms = Math.max(newest_at_ms, at_ms)
  }
  const lag_ms = newest_at_ms > place.newest_at_ms ? message.at_ms - newest_at_ms : place.lag_ms
  const series = [...found.values()].map((one) => ({ ...one.series, readings: one.readings }))
  return { place: { ...place, values, newest_at_ms, lag_ms }, series, dropped }
}

/** Every metric of these places becomes stale: its last value again, at the time of the sender's clock. */
export function die(
  state: SparkplugState,
  names: readonly string[],
  { at_ms }: Message,
  places: Map<string, { place: Place; is_durable: boolean }>,
): readonly RawSeries[] {
  return names.flatMap((name) => {
    const place = state.place(name)
    if (!place?.is_alive) return []
    const stale_at_ms = Math.max(place.newest_at_ms + 1, at_ms - place.lag_ms)
    places.set(name, {
      place: { ...place, is_alive: false, stale_at_ms, newest_at_ms: stale_at_ms },
      is_durable: true,
    })
    return place.definitions.flatMap(({ labels, is_measured }, i) => {
      const last = place.values[i] ?? Number.NaN
      const reading = {
        at_ms: stale_at_ms,
        value: Number.isFinite(last) ? last : 0,
        quality: 'stale' as Quality,
      }
      return is_measured ? [{ labels, readings: [reading] }] : []
    })
  })
}
