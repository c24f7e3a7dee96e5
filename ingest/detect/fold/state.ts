import type { Labels } from '../../../schemas/alert.ts'
import { type DetectRules, NO_DETECT_RULES } from '../../../schemas/detect.ts'
import type { Series } from '../../../schemas/sample.ts'
import { isSameSeries, seriesHash } from '../../../schemas/series_hash.ts'
import type { Json } from '../detector.ts'
import { type NoveltyState, startNovelty } from '../novelty.ts'
import type { Evidence } from './evidence.ts'
import type { Group, StoredGroup } from './group.ts'
import { Plan, type Silence, type Spec } from './plan.ts'
import type { Presence } from './presence.ts'
import { type Recent, startRecent } from './recent.ts'

/** A condition of a detector that holds. */
export interface Open {
  readonly condition: string
  /** False: it is suppressed by design, and is told when that ends and it still holds. */
  told: boolean
  since_ms: number
  /** Of detectors of moments: when it is over. */
  until_ms: number | null
  score: number
}

/** A detector at work on one series. */
export interface Watch {
  readonly spec: Spec
  state: object
  /** Null while nothing holds, as nearly always. */
  opens: Open[] | null
}

/** A watch whose rule is not known yet. */
export interface StoredWatch {
  readonly key: string
  readonly state: Json | NoveltyState
  readonly opens: Open[] | null
}

/** A series that is watched. */
export interface Watched {
  readonly series: Series
  readonly device: Device
  readonly recent: Recent
  watches: Watch[]
  /** Numbers of the stops of the plan that it is suppressed by, and that it is the state series of. */
  stops: readonly number[]
  state_of: readonly number[]
  /** Of its last reading, by the clock of its source; −Infinity before the first. */
  at_ms: number
  value: number
  /** Index into QUALITIES. */
  quality: number
  /** When that was heard, by kept time. */
  heard_ms: number
  /** Readings in a row that were not later than the last, and since when, by kept time. */
  late: number
  late_since_ms: number
  /** By fingerprint; null while there is none. */
  evidence: Map<string, Evidence> | null
}

/**
 * The unit of state: nothing of one device depends on anything of another, so that each may be stored at a position of its own. What is
 * read before `applied` was folded already.
 */
export interface Device {
  readonly key: string
  /** Labels that all its series have in common, for alerts about the device itself. */
  readonly labels: Labels
  readonly scope: string
  applied: number
  /** The rules that its series are watched by; null: as they were stored, to be bound when they are touched. */
  plan: Plan | null
  series: Watched[]
  /** Watches as they were stored, by series, until they are bound. */
  stored: readonly (readonly StoredWatch[])[]
  stored_groups: readonly StoredGroup[]
  groups: Group[]
  readonly presence: Presence
  /** By what the silence of the device is measured: the first such rule of its series; null: not at all. */
  silence: Silence | null
  /** The incident during which detectors learn nothing, at most until then (kept time). */
  resting: { readonly id: string; readonly until_ms: number } | null
  /** By number of a stop of the plan: the machine stands, or stood until (kept time). */
  stands_until: number[]
  /** Watches for which time alone may have something to say, by kept time. */
  readonly pending: Map<Watch, Watched>
  /** When time alone has something to say; Infinity: never. By kept time. */
  due_ms: number
  /** Plots of alerts that are over, to be stored with the next row. */
  readonly closed: Evidence[]
}

/** Where a replay may begin: everything before is in the rows of all devices. */
export interface Context {
  readonly position: number
  /** Of the log. */
  readonly time_ms: number
  /** Time in which nobody kept the clock; the rest is kept time, by which silence is measured. */
  readonly away_ms: number
  readonly rules: DetectRules
}

/** Series by their labels, without keeping a text for each. */
export class SeriesIndex {
  private readonly by_hash = new Map<number, Watched>()

  get size(): number {
    return this.by_hash.size
  }

  values(): Iterable<Watched> {
    return this.by_hash.values()
  }

  /** Of several with one hash each later one has the next free number. */
  find(series: Series, hash: number): Watched | null {
    for (let at = hash; ; at++) {
      const found = this.by_hash.get(at)
      if (found === undefined) return null
      if (isSameSeries(found.series, series)) return found
    }
  }

  add(watched: Watched, hash: number): void {
    let at = hash
    while (this.by_hash.has(at)) at++
    this.by_hash.set(at, watched)
  }

  delete(watched: Watched, hash: number): void {
    let at = hash
    while (this.by_hash.get(at) !== watched) at++
    this.by_hash.delete(at)
    // What stands behind it may have been kept from its own number.
    for (let next = at + 1; ; next++) {
      const moved = this.by_hash.get(next)
      if (moved === undefined) return
      this.by_hash.delete(next)
      this.add(moved, seriesHash(moved.series))
    }
  }
}

export interface State {
  readonly partition: number
  context: Context
  plan: Plan
  readonly devices: Map<string, Device>
  readonly series: SeriesIndex
  /** Devices that changed since they were stored, the longest unstored first, with the context before their first change. */
  readonly dirty: Map<Device, Context>
}

export function emptyState(partition: number): State {
  return {
    partition,
    context: { position: 0, time_ms: 0, away_ms: 0, rules: NO_DETECT_RULES },
    plan: new Plan(NO_DETECT_RULES),
    devices: new Map(),
    series: new SeriesIndex(),
    dirty: new Map(),
  }
}

/** Places for the states of several series at once, side by side in the same memory. */
export class Slots {
  private novelty: NoveltyState[] = []
  private recent: Recent[] = []
  private readonly series: number

  constructor(series: number) {
    this.series = series
  }

  state(spec: Spec): object {
    if (spec.detector.name !== 'novelty') return spec.detector.start()
    if (this.novelty.length === 0) this.novelty = startNovelty(this.series)
    return this.novelty.pop() as NoveltyState
  }

  nextRecent(): Recent {
    if (this.recent.length === 0) this.recent = startRecent(this.series)
    return this.recent.pop() as Recent
  }
}
