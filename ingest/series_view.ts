import type { Store } from '../runtime/ports.ts'
import type { Labels } from '../schemas/alert.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { compileMatchers } from '../schemas/matching.ts'
import { QUALITIES, type Quality } from '../schemas/sample.ts'
import type { Evidence } from './detect/fold/evidence.ts'
import { EVIDENCE_ROWS, SERIES_ROWS, type StoredDevice } from './detect/fold/rows.ts'

/** The view of the detect fold without owning its shards: as it was stored last, mostly a second ago. */

/** A condition of a detector that holds. */
export interface SeenCondition {
  readonly condition: string
  /** False: suppressed by design. */
  readonly told: boolean
  readonly since_ms: number
}

export interface SeenSeries {
  readonly scope: string
  readonly labels: Labels
  readonly device: string
  /** Of its last reading, by the clock of its source. */
  readonly at_ms: number | null
  readonly value: number
  readonly quality: Quality
  readonly detectors: {
    readonly rule: string
    readonly detector: string
    readonly holds: SeenCondition[]
  }[]
  /** The incident during which its detectors learn nothing. */
  readonly resting: string | null
}

export interface SeriesFilter {
  readonly match: readonly Matcher[]
  /** Only those with a condition that holds. */
  readonly alerting: boolean
}

/** Series in order of device and labels; at most `limit` of `total`. `partitions`: of the samples log. Throws MatcherError. */
export async function readSeries(
  store: Pick<Store, 'read'>,
  partitions: number,
  { match, alerting }: SeriesFilter,
  limit: number,
): Promise<{ readonly total: number; readonly series: SeenSeries[] }> {
  const matches = compileMatchers(match)
  const found: SeenSeries[] = []
  let total = 0
  for (let partition = 0; partition < partitions; partition++) {
    for (const [, value] of await store.read(shardOf(partition), SERIES_ROWS)) {
      const device = JSON.parse(value.toString()) as StoredDevice
      for (const one of device.series) {
        if (!matches(one.labels) || (alerting && !one.watches.some(({ opens }) => opens !== null))) continue
        total++
        if (found.length < limit) found.push(seen(device, one))
      }
    }
  }
  return { total, series: found.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0)) }
}

const shardOf = (partition: number): string => `detect/samples/${partition}`

function seen(device: StoredDevice, one: StoredDevice['series'][number]): SeenSeries {
  const { labels, at_ms, value, quality, watches } = one
  return {
    scope: device.scope,
    labels,
    device: device.key.slice(device.key.indexOf(':') + 1 + device.scope.length),
    at_ms,
    value,
    quality: QUALITIES[quality] ?? 'bad',
    detectors: watches.map(({ rule, detector, opens }) => ({
      rule,
      detector,
      holds: (opens ?? []).map(({ condition, told, since_ms }) => ({ condition, told, since_ms })),
    })),
    resting: device.resting?.id ?? null,
  }
}

/** The plot of an alert of a detector; null when there is none, or none any more. */
export async function readEvidence(
  store: Pick<Store, 'read'>,
  partitions: number,
  fingerprint: string,
): Promise<Evidence | null> {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const pages = await Promise.all(
    all.map((partition) => store.read(shardOf(partition), `${EVIDENCE_ROWS}${fingerprint}`)),
  )
  const [row] = pages.flat()
  return row === undefined ? null : (JSON.parse(row[1].toString()) as Evidence)
}
