import type { Append } from '../../runtime/ports.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { QUALITIES, type Quality, type SamplesRecord, type Series } from '../../schemas/sample.ts'
import { encodeSamples } from '../../schemas/samples_codec.ts'
import { letterAppends } from '../dead_letters.ts'
import type { PreparedSamples, SeriesReadings } from './batch.ts'

/** What the readings of one entry have in common. */
interface Run {
  readonly source: string
  readonly historical: boolean
  readonly received_at_ms: number
}

const QUALITY_NUMBERS = new Map<Quality, number>(QUALITIES.map((quality, i) => [quality, i]))
const BAD = QUALITIES.indexOf('bad')
const STALE = QUALITIES.indexOf('stale')

function recordOf(run: Run, parts: readonly SeriesReadings[]): SamplesRecord {
  const count = countOf(parts)
  const series: Series[] = []
  const numbers = new Map<Series, number>()
  const of = new Uint32Array(count)
  const at_ms = new Float64Array(count)
  const value = new Float64Array(count)
  const quality = new Uint8Array(count)
  let i = 0
  for (const part of parts) {
    let number = numbers.get(part.series)
    if (number === undefined) {
      number = series.push(part.series) - 1
      numbers.set(part.series, number)
    }
    for (const reading of part.readings) {
      of[i] = number
      at_ms[i] = reading.at_ms
      let told = QUALITY_NUMBERS.get(reading.quality) ?? BAD
      if (Number.isFinite(reading.value)) value[i] = reading.value
      else if (told !== STALE) told = BAD
      quality[i] = told
      i++
    }
  }
  return { kind: 'samples', ...run, series, of, at_ms, value, quality }
}

function countOf(parts: readonly SeriesReadings[]): number {
  let count = 0
  for (const { readings } of parts) count += readings.length
  return count
}

/** Entries within the bounds of limits.ts: what is too large is cut in halves (one reading always fits). */
function entriesOf(run: Run, parts: readonly SeriesReadings[]): readonly Buffer[] {
  const count = countOf(parts)
  if (count <= LIMITS.samples_per_entry && parts.length <= LIMITS.series_per_entry) {
    const entry = encodeSamples(recordOf(run, parts))
    if (entry.length <= LIMITS.entry_bytes || count === 1) return [entry]
  }
  return halves(parts).flatMap((half) => entriesOf(run, half))
}

function halves(parts: readonly SeriesReadings[]): readonly (readonly SeriesReadings[])[] {
  const [only] = parts
  if (parts.length > 1 || only === undefined) {
    const middle = parts.length >> 1
    return [parts.slice(0, middle), parts.slice(middle)]
  }
  const middle = only.readings.length >> 1
  return [
    [{ ...only, readings: only.readings.slice(0, middle) }],
    [{ ...only, readings: only.readings.slice(middle) }],
  ]
}

/** What was prepared for each partition, of one source and told live or of the past, in order. */
interface Gathered {
  readonly run: Run
  readonly partitions: Map<number, SeriesReadings[]>
}

function gather(prepared: readonly PreparedSamples[]): readonly Gathered[] {
  const runs = new Map<string, Gathered>()
  for (const { source, received_at_ms, readings } of prepared) {
    for (const [partition, parts] of readings) {
      for (const part of parts) {
        const key = `${part.historical ? 'past' : 'live'} ${source}`
        let run = runs.get(key)
        if (run === undefined) {
          run = { run: { source, historical: part.historical, received_at_ms }, partitions: new Map() }
          runs.set(key, run)
        }
        const list = run.partitions.get(partition)
        if (list === undefined) run.partitions.set(partition, [part])
        else list.push(part)
      }
    }
  }
  return [...runs.values()]
}

/** What to append for batches that were prepared, in order; dead letters go last. */
export function sampleAppends(
  prepared: readonly PreparedSamples[],
  deadletters_partitions: number,
  headers: NonNullable<Append['headers']>,
): readonly Append[] {
  const entries: Append[] = gather(prepared).flatMap(({ run, partitions }) =>
    [...partitions].flatMap(([partition, parts]) =>
      entriesOf(run, parts).map((value) => ({ topic: 'samples' as const, partition, value })),
    ),
  )
  const letters = prepared.flatMap((one) => one.letters)
  const all = [...entries, ...letterAppends(letters, deadletters_partitions)]
  return Object.keys(headers).length === 0 ? all : all.map((entry) => ({ ...entry, headers }))
}
