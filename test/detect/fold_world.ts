import { emptyOutcome, foldSamples, type LoggedSamples, type Outcome } from '../../ingest/detect/fold/fold.ts'
import { Restoring } from '../../ingest/detect/fold/rows.ts'
import { takeSnapshot } from '../../ingest/detect/fold/snapshot.ts'
import { emptyState, type State } from '../../ingest/detect/fold/state.ts'
import type { DetectorRule, DetectRecord, DetectRules, StopRule } from '../../schemas/detect.ts'
import { parseMatcher } from '../../schemas/matcher_syntax.ts'
import { QUALITIES, type Quality, type SamplesRecord } from '../../schemas/sample.ts'
import { START_MS } from './readings.ts'

export const SECOND_MS = 1_000

/** One reading: of which metric of which machine, what, when, how good. */
export interface Told {
  readonly metric: string
  readonly machine?: string
  readonly value: number
  readonly at_ms: number
  readonly quality?: Quality
  readonly labels?: Readonly<Record<string, string>>
}

export function samplesOf(readings: readonly Told[], historical = false): SamplesRecord {
  const numbers = new Map<string, number>()
  const series: SamplesRecord['series'][number][] = []
  const of = readings.map(({ metric, machine = 'm1', labels = {} }) => {
    const all = { metric, equipment: `acme/hall/${machine}`, unit: '°C', ...labels }
    const key = JSON.stringify(all)
    const known = numbers.get(key) ?? series.push({ scope: 'default', labels: all }) - 1
    numbers.set(key, known)
    return known
  })
  return {
    kind: 'samples',
    received_at_ms: Math.max(...readings.map(({ at_ms }) => at_ms)),
    source: 'test',
    historical,
    series,
    of: Uint32Array.from(of),
    at_ms: Float64Array.from(readings, ({ at_ms }) => at_ms),
    value: Float64Array.from(readings, ({ value, quality }) => (quality === 'bad' ? 0 : value)),
    quality: Uint8Array.from(readings, ({ quality = 'good' }) => QUALITIES.indexOf(quality)),
  }
}

const UNNAMED: DetectorRule = {
  name: 'rule',
  match: [],
  detector: 'limits',
  options: {},
  severity: 'high',
  alertname: null,
  annotations: {},
  time_to_respond_ms: null,
}

type RuleText = Partial<Omit<DetectorRule, 'match'>> & { readonly match?: readonly string[] }

export function rulesOf(detectors: readonly RuleText[], stops: readonly StopRule[] = []): DetectRules {
  const rules = detectors.map((rule, i) => ({
    ...UNNAMED,
    name: `rule ${i}`,
    ...rule,
    match: (rule.match ?? []).map((text) => parseMatcher(text)),
  }))
  return {
    version: JSON.stringify([rules, stops]).slice(0, 120) + rules.length,
    entity_labels: ['machine'],
    detectors: rules,
    stops: [...stops],
  }
}

/** A partition of the samples log that is folded as it grows. Entries are logged a moment after their newest reading. */
export class Partition {
  readonly entries: LoggedSamples[] = []
  state: State = emptyState(0)
  outcome: Outcome = emptyOutcome()
  private readonly rows = new Map<string, Buffer>()
  private readonly over = new Map<string, number>()
  private stored_to = 0

  constructor(rules?: DetectRules) {
    if (rules) this.add({ kind: 'detect-rules', rules }, START_MS)
  }

  add(record: SamplesRecord | DetectRecord, time_ms: number): this {
    this.entries.push({ position: this.entries.length, time_ms, record })
    foldSamples(this.state, this.entries.at(-1) as LoggedSamples, this.outcome)
    return this
  }

  readings(readings: readonly Told[], time_ms = Math.max(...readings.map(({ at_ms }) => at_ms))): this {
    return this.add(samplesOf(readings), time_ms)
  }

  tick(time_ms: number): this {
    return this.add({ kind: 'tick' }, time_ms)
  }

  snapshot(bytes_max = Number.POSITIVE_INFINITY): void {
    const { put, delete: gone, position } = takeSnapshot(this.state, this.over, bytes_max)
    for (const [key, value] of put) this.rows.set(key, value)
    for (const key of gone) this.rows.delete(key)
    this.stored_to = position
  }

  /** Everything, once all is stored. */
  stored(): ReadonlyMap<string, Buffer> {
    return this.rows
  }

  /** The owner dies: what was stored is loaded, and everything since is folded again. */
  crash(): void {
    this.state = emptyState(0)
    const restoring = new Restoring()
    for (const [key, value] of this.rows) restoring.row(key, value)
    restoring.into(this.state)
    for (const entry of this.entries.slice(this.stored_to)) foldSamples(this.state, entry, this.outcome)
  }

  /** Alerts as the next fold takes them: what it had by its place is left out, and must have been the same. */
  alerts(): readonly string[] {
    let highest: readonly [number, number] = [-1, -1]
    const had = new Map<string, string>()
    const told: string[] = []
    for (const one of this.outcome.told) {
      for (const { ordinal, alert } of one.told) {
        const place = `${one.position}.${ordinal}`
        const text = JSON.stringify(alert)
        const before = had.get(place)
        if (before !== undefined && before !== text)
          throw new Error(`${place} is told in other words: ${before} ${text}`)
        had.set(place, text)
        if (one.position < highest[0] || (one.position === highest[0] && ordinal <= highest[1])) {
          if (before === undefined) throw new Error(`${place} is skipped although it is new: ${text}`)
          continue
        }
        highest = [one.position, ordinal]
        const ended = alert.ends_at_ms !== null && alert.ends_at_ms <= one.time_ms
        told.push(
          `${(one.time_ms - START_MS) / SECOND_MS} ${alert.labels['alertname']} of ${alert.entity.split('/').at(-1)} ${ended ? 'ends' : 'begins'}`,
        )
      }
    }
    return told
  }
}
