import {
  emptyOutcome,
  foldSamples,
  HEARTBEAT_MS,
  nextDue,
  type Outcome,
} from '../../ingest/detect/fold/fold.ts'
import { emptyState, type State } from '../../ingest/detect/fold/state.ts'
import { environment, loadConfig } from '../../runtime/config.ts'
import type { Alert } from '../../schemas/alert.ts'
import type { DetectRecord, DetectRules } from '../../schemas/detect.ts'
import { QUALITIES, type SamplesRecord, type Series } from '../../schemas/sample.ts'
import { type RecordedReading, RecordingReader } from './recorded.ts'

/** A gap in a recording is filled with ticks for so long; the rest of it counts as if nobody had kept the clock. */
const TICKED_MS = 24 * 3_600_000
/** Readings within it are one entry of the log. */
const TOGETHER_MS = 1_000

/** Folds a recording as the product would have, with the time of the readings as the log's. */
class Replay {
  readonly outcome: Outcome = emptyOutcome()
  readonly told: (alert: Alert, begins: boolean, at_ms: number) => void
  private readonly state: State = emptyState(0)
  private position = 0
  private time_ms = 0
  private batch: RecordedReading[] = []

  constructor(rules: DetectRules, told: Replay['told']) {
    this.told = told
    this.fold({ kind: 'detect-rules', rules })
  }

  get series(): number {
    return this.state.series.size
  }

  read(reading: RecordedReading): void {
    const [first] = this.batch
    if (first !== undefined && Math.abs(reading.at_ms - first.at_ms) >= TOGETHER_MS) this.flush()
    this.batch.push(reading)
  }

  /** What was read so far is folded. */
  flush(): void {
    const [first] = this.batch
    if (first === undefined) return
    const newest_ms = this.batch.reduce((newest, { at_ms }) => Math.max(newest, at_ms), first.at_ms)
    this.passTime(Math.ceil(newest_ms))
    this.fold(recordOf(this.batch))
    this.batch = []
  }

  /** Ticks as the owner of a partition appends them while nothing is read. */
  private passTime(to_ms: number): void {
    const until_ms = Math.min(to_ms, this.time_ms + TICKED_MS)
    while (this.time_ms > 0) {
      const due_ms = nextDue(this.state)
      const next_ms = Math.max(this.time_ms + TOGETHER_MS, Math.min(due_ms, this.time_ms + HEARTBEAT_MS))
      if (!Number.isFinite(due_ms) || next_ms >= until_ms) break
      this.time_ms = next_ms
      this.fold({ kind: 'tick' })
    }
    this.time_ms = Math.max(this.time_ms, to_ms)
  }

  private fold(record: SamplesRecord | DetectRecord): void {
    foldSamples(this.state, { position: this.position++, time_ms: this.time_ms, record }, this.outcome)
    for (const { told, time_ms } of this.outcome.told)
      for (const { alert } of told)
        this.told(alert, alert.ends_at_ms === null || alert.ends_at_ms > time_ms, time_ms)
    this.outcome.told.length = 0
  }
}

function recordOf(readings: readonly RecordedReading[]): SamplesRecord {
  const numbers = new Map<Series, number>()
  const series: Series[] = []
  const of = readings.map((reading) => {
    const known = numbers.get(reading.series) ?? series.push(reading.series) - 1
    numbers.set(reading.series, known)
    return known
  })
  return {
    kind: 'samples',
    received_at_ms: 0,
    source: 'replay',
    historical: false,
    series,
    of: Uint32Array.from(of),
    at_ms: Float64Array.from(readings, ({ at_ms }) => at_ms),
    value: Float64Array.from(readings, ({ value }) => value),
    quality: Uint8Array.from(readings, ({ quality }) => QUALITIES.indexOf(quality)),
  }
}

/** Prints what the detectors of a configuration would have told, an alert a line. */
export async function replayReadings(
  source: AsyncIterable<string>,
  config_file: string | undefined,
  write: (text: string) => Promise<void>,
): Promise<void> {
  const { config, detect_rules } = loadConfig(config_file, environment())
  let text = ''
  const count = { begins: 0, ends: 0 }
  const replay = new Replay(
    detect_rules,
    ({ labels, severity, entity, annotations, fingerprint }, begins, at_ms) => {
      count[begins ? 'begins' : 'ends']++
      const told = {
        at: new Date(at_ms).toISOString(),
        alert: begins ? 'begins' : 'ends',
        fingerprint,
        severity,
        entity,
        labels,
        ...(begins && { annotations }),
      }
      text += `${JSON.stringify(told)}\n`
    },
  )
  const reader = new RecordingReader(config.scope.labels)
  for await (const reading of reader.read(source)) {
    replay.read(reading)
    if (text === '') continue
    await write(text)
    text = ''
  }
  replay.flush()
  await write(text)
  const { readings, late, unwatched, suppressed } = replay.outcome.counts
  console.error(
    `${readings} readings of ${replay.series} series: ${count.begins} alerts begin, ${count.ends} end; ` +
      `${late} late or repeated, ${unwatched} beyond the bounds, ${reader.unreadable} unreadable lines, ${suppressed} alerts suppressed by design`,
  )
}
