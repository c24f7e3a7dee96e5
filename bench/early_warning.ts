import { novelty, NOVELTY_BYTES, startNovelty } from '../ingest/detect/novelty.ts'
import type { Reading } from '../ingest/detect/detector.ts'
import { SCORERS } from './early_warning_baselines.ts'
import { group } from './early_warning_group.ts'
import { leadTime } from './early_warning_lead.ts'
import { type LabelledSeries, type Profile, readCorpus, scoreCorpus } from './early_warning_nab.ts'
import { cleanYear, randomOf, SHAPES } from './early_warning_series.ts'
import type { BenchOptions } from './options.ts'
import { type Figure, type Report, rounded, type Spread, spread } from './report.ts'

const SPLITS = 20
const CLEAN_SEEDS = 4
const CLEAN_STEPS_MINUTES = [1, 5, 60]
const MONTHS = 12
const SPEED_SERIES = 5_000
const SPEED_READINGS = 1_000
const MEMORY_SERIES = 100_000

/** How well the default detector warns: on labelled series, before limits, and not at all when nothing is wrong; and what it costs. */
export function run(options: BenchOptions): Promise<Report> {
  const corpus = options.data === undefined ? { figures: {}, spread: {} } : nab(options.data)
  return Promise.resolve({
    name: 'early-warning',
    parameters: { data: options.data ?? 'none: --data names a folder in the layout of NAB', splits: SPLITS },
    figures: { ...corpus.figures, ...leadTime(), ...falseWarnings(), ...group(), ...cost() },
    spread: corpus.spread,
  })
}

function nab(folder: string): { figures: Record<string, Figure>; spread: Record<string, Spread> } {
  const { series, profiles } = readCorpus(folder)
  const figures: Record<string, Figure> = {
    nab_series: series.length,
    nab_windows: series.reduce((sum, { windows }) => sum + windows.length, 0),
  }
  const spreads: Record<string, Spread> = {}
  for (const [name, scorer] of Object.entries(SCORERS)) {
    const scores = series.map(({ values, times_ms }) =>
      scorer(values.map((value, i): Reading => ({ at_ms: times_ms[i] ?? 0, value, quality: 'good' }))),
    )
    for (const profile of profiles) {
      const key = `nab_${name}_${profile.name}`
      const found = scoreCorpus(series, scores, profile)
      figures[key] = rounded(found.score)
      if (name !== 'novelty') continue
      figures[`${key}_threshold`] = rounded(found.threshold, 3)
      figures[`${key}_windows_found`] = found.windows_found
      figures[`${key}_false_positives`] = found.false_positives
      spreads[key] = ofHalves(series, scores, profile)
    }
    if (name === 'novelty') Object.assign(figures, withoutEachFolder(series, scores, profiles))
  }
  return { figures, spread: spreads }
}

/** Scores of random halves of the series, each with the threshold that suits it. */
function ofHalves(series: readonly LabelledSeries[], scores: readonly number[][], profile: Profile): Spread {
  const found: number[] = []
  for (let seed = 1; seed <= SPLITS; seed++) {
    const random = randomOf(seed)
    const order = series.map((_, i) => ({ i, at: random.uniform() })).sort((a, b) => a.at - b.at)
    for (const half of [order.slice(0, order.length / 2), order.slice(order.length / 2)])
      found.push(
        ofSome(
          half.map(({ i }) => i),
          series,
          scores,
          profile,
        ),
      )
  }
  const { median, min, max } = spread(found)
  return { median: rounded(median), min: rounded(min), max: rounded(max) }
}

function ofSome(
  numbers: readonly number[],
  series: readonly LabelledSeries[],
  scores: readonly number[][],
  profile: Profile,
): number {
  const some = numbers.flatMap((i) => series[i] ?? [])
  return scoreCorpus(
    some,
    numbers.map((i) => scores[i] ?? []),
    profile,
  ).score
}

function withoutEachFolder(
  series: readonly LabelledSeries[],
  scores: readonly number[][],
  profiles: readonly Profile[],
): Record<string, Figure> {
  const [standard] = profiles
  if (standard === undefined) return {}
  const folderOf = (i: number): string => series[i]?.name.split('/', 1)[0] ?? ''
  const numbers = [...series.keys()]
  const folders = new Set(numbers.map(folderOf))
  return Object.fromEntries(
    [...folders].map((folder) => [
      `nab_novelty_${standard.name}_without_${folder}`,
      rounded(
        ofSome(
          numbers.filter((i) => folderOf(i) !== folder),
          series,
          scores,
          standard,
        ),
      ),
    ]),
  )
}

function falseWarnings(): Record<string, Figure> {
  const figures: Record<string, Figure> = {}
  for (const [name, shape] of Object.entries(SHAPES))
    for (const minutes of CLEAN_STEPS_MINUTES) {
      let warnings = 0
      for (let seed = 1; seed <= CLEAN_SEEDS; seed++) {
        const state = novelty.start()
        for (const reading of cleanYear(shape, seed, minutes * 60_000))
          if (novelty.step(state, reading).alert) warnings++
      }
      figures[`clean_${name}_${minutes}min_false_per_month`] = rounded(warnings / CLEAN_SEEDS / MONTHS)
    }
  return figures
}

/** Many series in turn, as a worker sees them, by CPU time; readings are made before the clock runs. */
function cost(): Record<string, Figure> {
  const shape = SHAPES['process']
  if (shape === undefined) throw new Error('the shape of a process is among the shapes')
  const readings = cleanYear(shape, 1).take(SPEED_READINGS).toArray()
  const states = startNovelty(SPEED_SERIES)
  const pass = (): void => {
    for (const reading of readings) for (const state of states) novelty.step(state, reading)
  }
  pass()
  const before = process.cpuUsage()
  pass()
  const { user, system } = process.cpuUsage(before)
  return {
    samples_per_s_core: Math.round((SPEED_SERIES * readings.length * 1e6) / (user + system)),
    state_bytes: NOVELTY_BYTES,
    memory_bytes_per_series: memoryPerSeries(),
  }
}

function memoryPerSeries(): number {
  globalThis.gc?.()
  const before = process.memoryUsage()
  const states = startNovelty(MEMORY_SERIES)
  globalThis.gc?.()
  const after = process.memoryUsage()
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  return Math.round(bytes / states.length)
}
