/**
 * The Numenta Anomaly Benchmark by its official rules: labelled windows, an early detection counts more, a false one counts against,
 * the first 15 % of a series (at most 750 rows) do not count, one threshold for the whole corpus, scores from 0 (nothing said) to 100.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { timeOf } from '../cli/detect/cells.ts'

export interface LabelledSeries {
  readonly name: string
  readonly times_ms: readonly number[]
  readonly values: readonly number[]
  /** First and last row of each window. */
  readonly windows: readonly (readonly [number, number])[]
}

export interface Profile {
  readonly name: string
  readonly found: number
  readonly missed: number
  readonly wrong: number
}

export interface NabScore {
  readonly score: number
  /** The lowest score that counts as a detection. */
  readonly threshold: number
  readonly windows_found: number
  readonly false_positives: number
}

type WindowTimes = Record<string, [string, string][]>
type ProfileFile = Record<string, { CostMatrix: { tpWeight: number; fnWeight: number; fpWeight: number } }>

export function readCorpus(folder: string): { series: LabelledSeries[]; profiles: Profile[] } {
  const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(folder, ...path), 'utf8'))
  const labels = read('labels', 'combined_windows.json') as WindowTimes
  const names = Object.keys(labels).filter((name) => existsSync(join(folder, 'data', name)))
  return {
    series: names.toSorted().map((name) => readSeries(join(folder, 'data', name), name, labels[name] ?? [])),
    profiles: Object.entries(read('config', 'profiles.json') as ProfileFile).map(
      ([name, { CostMatrix: cost }]) => ({
        name,
        found: cost.tpWeight,
        missed: cost.fnWeight,
        wrong: cost.fpWeight,
      }),
    ),
  }
}

function readSeries(file: string, name: string, windows: [string, string][]): LabelledSeries {
  const rows = readFileSync(file, 'utf8').trim().split(/\r?\n/).slice(1)
  const cells = rows.map((row) => row.split(','))
  const times_ms = cells.map(([time = '']) => Math.floor((timeOf(time) ?? Number.NaN) / 1_000) * 1_000)
  const rowOf = (time: string): number =>
    times_ms.indexOf(Math.floor((timeOf(time) ?? Number.NaN) / 1_000) * 1_000)
  return {
    name,
    times_ms,
    values: cells.map(([, value]) => Number(value)),
    windows: windows.map(([from, to]) => [rowOf(from), rowOf(to)]),
  }
}

/** From 1 far before the end of a window to −1 far behind it. */
const worth = (position: number): number => (position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1)

interface Detection {
  readonly score: number
  /** Number of the window in the whole corpus; −1 outside. */
  readonly window: number
  /** What it is worth, before the weights of a profile. */
  readonly worth: number
}

/** Every row that says something, the strongest first. */
function detections(series: readonly LabelledSeries[], scores: readonly (readonly number[])[]): Detection[] {
  let known = 0
  const all = series.flatMap(({ values, windows }, s) => {
    const begin = Math.min(Math.floor(0.15 * values.length), 750)
    const before = known
    known += windows.length
    return values.flatMap((_, row): Detection[] => {
      const score = scores[s]?.[row] ?? 0
      if (row < begin || score <= 0) return []
      const window = windows.findIndex(([from, to]) => row >= from && row <= to)
      const [from, to] = windows[window] ?? [0, 0]
      if (window >= 0)
        return [
          { score, window: before + window, worth: worth(-(to - row + 1) / (to - from + 1)) / worth(-1) },
        ]
      const last = windows.findLast(([, end]) => end < row)
      return [{ score, window: -1, worth: last ? worth((row - last[1]) / (last[1] - last[0])) : -1 }]
    })
  })
  return all.sort((a, b) => b.score - a.score)
}

export function scoreCorpus(
  series: readonly LabelledSeries[],
  scores: readonly (readonly number[])[],
  profile: Profile,
): NabScore {
  const windows = series.reduce((sum, one) => sum + one.windows.length, 0)
  const nothing = -windows * profile.missed
  const best = { total: nothing, threshold: Number.POSITIVE_INFINITY, windows_found: 0, false_positives: 0 }
  const found = new Map<number, number>()
  let total = nothing
  let wrong = 0
  const sorted = detections(series, scores)
  for (const [i, detection] of sorted.entries()) {
    if (detection.window < 0) {
      total += profile.wrong * detection.worth
      wrong++
    } else {
      const known = found.get(detection.window) ?? -profile.missed
      const gained = profile.found * detection.worth
      found.set(detection.window, Math.max(known, gained))
      total += Math.max(0, gained - known)
    }
    if (total > best.total && sorted[i + 1]?.score !== detection.score)
      Object.assign(best, {
        total,
        threshold: detection.score,
        windows_found: found.size,
        false_positives: wrong,
      })
  }
  const { threshold, windows_found, false_positives } = best
  const score = (100 * (best.total - nothing)) / (windows * profile.found - nothing)
  return { score, threshold, windows_found, false_positives }
}
