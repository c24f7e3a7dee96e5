import { emptyOutcome, foldSamples } from '../ingest/detect/fold/fold.ts'
import { Restoring } from '../ingest/detect/fold/rows.ts'
import { takeSnapshot } from '../ingest/detect/fold/snapshot.ts'
import { emptyState, type State } from '../ingest/detect/fold/state.ts'
import type { SamplesRecord, Series } from '../schemas/sample.ts'
import { decodeSamples, encodeSamples } from '../schemas/samples_codec.ts'
import { throughLog } from './detect_log.ts'
import { seeded } from './load/random.ts'
import type { BenchOptions } from './options.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'

const SERIES = 100_000
const SENSORS_PER_MACHINE = 50
const PER_ENTRY = 4_000
/** Readings of each series in an entry that gathers. */
const GATHERED = 10
const ROUNDS = 5
const BEGAN_MS = Date.UTC(2026, 0, 5)
const SECOND_MS = 1_000
/** Readings of each series before anything is measured: what is warm is what costs. */
const WARM_ROUNDS = 5
const LOG_ROUNDS = 30

/**
 * The detect fold alone, with the default detector on every series: entries of the samples log as bytes, to alerts. `arrival`: every
 * series for the first time; `single`: one reading of each series in an entry; `gathered`: ten. Decoding is part of it, and told apart.
 */
export async function run(options: BenchOptions): Promise<Report> {
  const series = options.distinct?.[0] ?? SERIES
  const rounds: Record<string, Figure>[] = []
  for (let n = 0; n < (options.rounds ?? ROUNDS); n++)
    rounds.push({ ...measure(series), ...(await measureLog(series)) })
  return {
    name: 'detect',
    parameters: {
      series,
      sensors_per_machine: SENSORS_PER_MACHINE,
      per_entry: PER_ENTRY,
      rounds: rounds.length,
    },
    ...summarise(rounds),
  }
}

function measure(series: number): Record<string, Figure> {
  const all = seriesOf(series)
  const random = seeded(7)
  let at_ms = BEGAN_MS
  const entriesOf = (readings: number): Buffer[] => {
    const list: Buffer[] = []
    const per_entry = PER_ENTRY / readings
    for (let from = 0; from < all.length; from += per_entry)
      list.push(encodeSamples(recordOf(all.slice(from, from + per_entry), readings, at_ms, random)))
    at_ms += readings * SECOND_MS
    return list
  }
  globalThis.gc?.()
  const before = process.memoryUsage()
  const state = emptyState(0)
  let position = 0
  const fold = (entries: readonly Buffer[]): number => {
    const start = cpuSeconds()
    const outcome = emptyOutcome()
    for (const entry of entries)
      foldSamples(state, { position: position++, time_ms: at_ms, record: decodeSamples(entry) }, outcome)
    return cpuSeconds() - start
  }
  const arrival_s = fold(entriesOf(1))
  globalThis.gc?.()
  const after = process.memoryUsage()
  const bytesOf = (name: 'heapUsed' | 'arrayBuffers') => Math.round((after[name] - before[name]) / series)
  for (let n = 0; n < WARM_ROUNDS; n++) fold(entriesOf(1))
  const single = entriesOf(1)
  const single_decode_s = decoding(single)
  const single_s = fold(single)
  const gathered = entriesOf(GATHERED)
  const gathered_decode_s = decoding(gathered)
  const gathered_s = fold(gathered)
  const snapshot = snapshotting(state)
  return {
    arrival_series_per_cpu_s: rounded(series / arrival_s, 0),
    single_samples_per_cpu_s: rounded(series / single_s, 0),
    single_samples_per_cpu_s_without_decoding: rounded(series / (single_s - single_decode_s), 0),
    gathered_samples_per_cpu_s: rounded((GATHERED * series) / gathered_s, 0),
    gathered_samples_per_cpu_s_without_decoding: rounded(
      (GATHERED * series) / (gathered_s - gathered_decode_s),
      0,
    ),
    heap_bytes_per_series: globalThis.gc ? bytesOf('heapUsed') : null,
    array_buffer_bytes_per_series: globalThis.gc ? bytesOf('arrayBuffers') : null,
    stored_bytes_per_series: rounded(snapshot.bytes / series, 0),
    snapshot_cpu_s: rounded(snapshot.seconds, 3),
    restore_cpu_s: rounded(restoring(snapshot.rows), 3),
  }
}

/** Every series thirty times, an entry of the log for forty machines. */
async function measureLog(series: number): Promise<Record<string, Figure>> {
  const all = seriesOf(series)
  const random = seeded(11)
  const per_entry = 40 * SENSORS_PER_MACHINE
  function* entries() {
    for (let round = 0; round < LOG_ROUNDS; round++) {
      for (let from = 0; from < all.length; from += per_entry) {
        const part = all.slice(from, from + per_entry)
        const value = encodeSamples(recordOf(part, 1, BEGAN_MS + round * SECOND_MS, random))
        yield { key: String(from), value, samples: part.length }
      }
    }
  }
  const { samples, seconds, cpu_seconds, stored_seconds } = await throughLog(entries())
  return {
    log_samples_per_s: rounded(samples / seconds, 0),
    log_samples_per_cpu_s: rounded(samples / cpu_seconds, 0),
    log_stored_after_s: rounded(stored_seconds, 2),
  }
}

function seriesOf(count: number): Series[] {
  return Array.from({ length: count }, (_, i) => ({
    scope: 'acme/berlin',
    labels: {
      metric: `sensor_${i % SENSORS_PER_MACHINE}`,
      site: 'berlin',
      tenant: 'acme',
      equipment: `acme/berlin/hall${Math.floor(i / 5_000)}/machine${Math.floor(i / SENSORS_PER_MACHINE)}`,
      unit: '°C',
    },
  }))
}

function recordOf(
  series: readonly Series[],
  readings: number,
  from_ms: number,
  random: () => number,
): SamplesRecord {
  const count = series.length * readings
  return {
    kind: 'samples',
    received_at_ms: from_ms,
    source: 'bench',
    historical: false,
    series,
    of: Uint32Array.from({ length: count }, (_, i) => Math.floor(i / readings)),
    at_ms: Float64Array.from({ length: count }, (_, i) => from_ms + (i % readings) * SECOND_MS),
    value: Float64Array.from({ length: count }, (_, i) => (i % 97) + random()),
    quality: new Uint8Array(count),
  }
}

/** Of the whole process, its collector included: others may use the machine as well. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function decoding(entries: readonly Buffer[]): number {
  const start = cpuSeconds()
  for (const entry of entries) decodeSamples(entry)
  return cpuSeconds() - start
}

function snapshotting(state: State) {
  const start = cpuSeconds()
  const { put } = takeSnapshot(state, new Map(), Number.POSITIVE_INFINITY)
  const seconds = cpuSeconds() - start
  return {
    seconds,
    rows: put,
    bytes: [...put].reduce((sum, [key, value]) => sum + key.length + value.length, 0),
  }
}

function restoring(rows: ReadonlyMap<string, Buffer>): number {
  const start = cpuSeconds()
  const restored = new Restoring()
  for (const [key, value] of rows) restored.row(key, value)
  restored.into(emptyState(0))
  return cpuSeconds() - start
}
