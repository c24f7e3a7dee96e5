import { LIMITS } from '../../schemas/limits.ts'
import type { MinedChronic } from '../../schemas/learned.ts'
import type { Statement } from './occurrences.ts'
import { wilsonLower } from './interval.ts'

const HOUR_MS = 3_600_000
/** Alertnames with their entities that are counted; further ones are left out, and that is told. */
const SERIES_MAX = 100_000

/** An alert that fires half of the time, or surely in half of all hours, fires always, if the recording has enough of them. */
const ALWAYS = { share: 0.5, hours: 12 }
/** An alert is periodic when it began this often, over half of the recording, in intervals that vary at most so. */
const PERIODIC = { occurrences: 10, variation: 0.3, span: 0.5 }
/** One that does not fire half of the time and began this often did so mostly alone: what comes with others, however regularly, is part of what happens there. */
const ALONE = { occurrences: 3, share: 0.5 }
/** An alertname is chronic as a whole when so many of its entities are, with so much of its occurrences. */
const WHOLE = { entities: 3, share: 0.8 }
const EXAMPLES = 3

/** Whether one of another kind began near an alert just before or after it did. */
interface Beginning {
  readonly company: boolean
}

interface Series {
  readonly scope: string
  readonly alertname: string
  readonly entity: string
  occurrences: number
  /** Of the beginnings before the last one, those without company; and the last one. */
  alone: number
  last: Beginning | null
  readonly first_ms: number
  last_ms: number
  /** Hours in which it fired, and the last of them since the epoch. */
  hours: number
  hour: number
  /** When a statement about it was heard last, and for how long it is known to have fired. */
  told_ms: number
  firing_ms: number
  /** Of the time between beginnings: mean, and sum of squared differences from it (Welford 1962). */
  mean_ms: number
  squares: number
}

/** Finds alerts that fire always or periodically. */
export class ChronicMiner {
  private readonly series = new Map<string, Series>()
  private from_ms: number | null = null
  private to_ms = 0
  left_out = 0

  /** `beginning` is null unless the alert begins. */
  take(statement: Statement, beginning: Beginning | null): void {
    const { at_ms, fired_since_ms } = statement
    const hour = Math.floor(at_ms / HOUR_MS)
    this.from_ms ??= at_ms
    this.to_ms = at_ms
    const series = this.seriesOf(statement)
    if (series === null) return
    const since = fired_since_ms === null ? hour : Math.floor(fired_since_ms / HOUR_MS)
    series.hours += Math.max(0, hour - Math.max(since - 1, series.hour))
    series.hour = Math.max(series.hour, hour)
    if (fired_since_ms !== null) series.firing_ms += at_ms - Math.max(fired_since_ms, series.told_ms)
    series.told_ms = at_ms
    if (beginning) begin(series, at_ms, beginning)
  }

  private seriesOf({ scope, kind, entity, at_ms }: Statement): Series | null {
    const key = JSON.stringify([scope, kind, entity])
    const known = this.series.get(key)
    if (known) return known
    if (this.series.size >= SERIES_MAX) {
      this.left_out++
      return null
    }
    const series: Series = {
      scope,
      alertname: kind,
      entity,
      occurrences: 0,
      alone: 0,
      last: null,
      first_ms: at_ms,
      last_ms: at_ms,
      hours: 0,
      hour: 0,
      told_ms: 0,
      firing_ms: 0,
      mean_ms: 0,
      squares: 0,
    }
    this.series.set(key, series)
    return series
  }

  /** The most frequent first. */
  found(): MinedChronic[] {
    const names = new Map<string, Series[]>()
    for (const series of this.series.values()) {
      const key = JSON.stringify([series.scope, series.alertname])
      const others = names.get(key)
      if (others) others.push(series)
      else names.set(key, [series])
    }
    const found = [...names.values()].flatMap((all) => this.ofName(all))
    found.sort((a, b) => b.occurrences - a.occurrences || compare(keyOf(a), keyOf(b)))
    this.left_out += Math.max(0, found.length - LIMITS.chronic_alerts)
    return found.slice(0, LIMITS.chronic_alerts)
  }

  private hours(): number {
    return Math.floor(this.to_ms / HOUR_MS) - Math.floor((this.from_ms ?? 0) / HOUR_MS) + 1
  }

  private span_ms(): number {
    return this.to_ms - (this.from_ms ?? 0)
  }

  private ofName(all: readonly Series[]): MinedChronic[] {
    const chronic = all.flatMap((series) => {
      const why = this.whyChronic(series)
      return why === null ? [] : [this.entry([series], why)]
    })
    const sum = (list: readonly { occurrences: number }[]) =>
      list.reduce((total, { occurrences }) => total + occurrences, 0)
    if (chronic.length < WHOLE.entities || sum(chronic) < WHOLE.share * sum(all)) return chronic
    return [this.entry(all, chronic.every(({ why }) => why === 'periodic') ? 'periodic' : 'always')]
  }

  private whyChronic(series: Series): MinedChronic['why'] | null {
    const hours = this.hours()
    const firing_always = series.firing_ms >= ALWAYS.share * this.span_ms()
    if (hours >= ALWAYS.hours && firing_always) return 'always'
    if (!isAlone(series)) return null
    if (hours >= ALWAYS.hours && wilsonLower(series.hours, hours) >= ALWAYS.share) return 'always'
    if (series.occurrences < PERIODIC.occurrences || variationOf(series) > PERIODIC.variation) return null
    return series.last_ms - series.first_ms >= PERIODIC.span * hours * HOUR_MS ? 'periodic' : null
  }

  /** One entity's series, or those of all entities: then of the one that fires most. */
  private entry(all: readonly Series[], why: MinedChronic['why']): MinedChronic {
    const sorted = [...all].sort((a, b) => b.hours - a.hours || compare(a.entity, b.entity))
    const most = sorted[0] as Series
    const hours = this.hours()
    return {
      accept: false,
      scope: most.scope,
      alertname: most.alertname,
      ...(all.length === 1 && most.entity !== '' && { entity: most.entity }),
      why,
      occurrences: all.reduce((total, { occurrences }) => total + occurrences, 0),
      hours_share: rounded(most.hours / hours),
      confidence: rounded(wilsonLower(most.hours, hours)),
      firing_share: rounded(most.firing_ms / Math.max(1, this.span_ms())),
      ...(Number.isFinite(variationOf(most)) && { variation: rounded(variationOf(most)) }),
      examples: sorted.slice(0, EXAMPLES).map(({ entity }) => entity),
    }
  }
}

function isAlone({ occurrences, alone, last }: Series): boolean {
  if (occurrences < ALONE.occurrences) return true
  return alone + (last?.company === false ? 1 : 0) >= ALONE.share * occurrences
}

function begin(series: Series, at_ms: number, beginning: Beginning): void {
  series.occurrences++
  if (series.last?.company === false) series.alone++
  series.last = beginning
  if (series.occurrences > 1) {
    const intervals = series.occurrences - 1
    const interval_ms = at_ms - series.last_ms
    const off_ms = interval_ms - series.mean_ms
    series.mean_ms += off_ms / intervals
    series.squares += off_ms * (interval_ms - series.mean_ms)
  }
  series.last_ms = at_ms
}

/** Standard deviation ÷ mean of the time between beginnings. */
function variationOf({ occurrences, squares, mean_ms }: Series): number {
  if (occurrences < 3 || mean_ms === 0) return Number.POSITIVE_INFINITY
  return Math.sqrt(squares / (occurrences - 2)) / mean_ms
}

function keyOf({ scope, alertname, entity }: MinedChronic): string {
  return JSON.stringify([scope, alertname, entity ?? ''])
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
