import { type Detector, QUIET, type Reading, unchanged } from '../ingest/detect/detector.ts'
import { novelty } from '../ingest/detect/novelty.ts'
import { randomOf } from './early_warning_series.ts'

/** A score for each reading of a series, made from it and those before it. */
export type Scorer = (readings: Iterable<Reading>) => number[]

function scorer<State>(detector: Detector<State>): Scorer {
  return (readings) => {
    const state = detector.start()
    return Array.from(readings, (reading) => detector.step(state, reading).score)
  }
}

/** Distance from the running mean in running deviations, from three on. */
const threeSigma: Detector<{ count: number; mean: number; squares: number }> = {
  name: 'three sigma',
  start: () => ({ count: 0, mean: 0, squares: 0 }),
  step: (state, { value }) => {
    const difference = value - state.mean
    const deviation = Math.sqrt(state.squares / Math.max(1, state.count))
    state.count++
    state.mean += difference / state.count
    state.squares += difference * (value - state.mean)
    const distance = deviation === 0 ? 0 : Math.abs(difference) / deviation
    return distance < 3 ? QUIET : unchanged(distance / (3 + distance), true)
  },
  save: (state) => ({ ...state }),
  restore: (saved) => saved as { count: number; mean: number; squares: number },
}

export const SCORERS: Readonly<Record<string, Scorer>> = {
  novelty: scorer(novelty),
  three_sigma: scorer(threeSigma),
  random: (readings) => {
    const random = randomOf(1)
    return Array.from(readings, () => random.uniform())
  },
  null: (readings) => Array.from(readings, () => 0),
}
