/** Mean and deviation that the first readings of a series teach; from then on they stay, or follow slowly. */
export interface Standardiser {
  count: number
  mean: number
  variance: number
}

export interface StandardiserOptions {
  /** Readings that teach. */
  readonly learn_readings: number
  /** Known beforehand, so that nothing needs to be learned. */
  readonly mean?: number | undefined
  readonly deviation?: number | undefined
}

/** Deviations below this share of the mean are rounding. */
const LEAST_SHARE = 1e-9

export const startStandardiser = (): Standardiser => ({ count: 0, mean: 0, variance: 0 })

/** The value in deviations from the mean; null while that is being learned. */
export function standardise(state: Standardiser, value: number, options: StandardiserOptions): number | null {
  const known = options.mean !== undefined && options.deviation !== undefined
  if (!known && state.count < options.learn_readings) {
    state.count++
    const difference = value - state.mean
    state.mean += difference / state.count
    state.variance += (difference * (value - state.mean) - state.variance) / state.count
    return null
  }
  const mean = options.mean ?? state.mean
  const deviation = options.deviation ?? Math.sqrt(state.variance)
  return (value - mean) / Math.max(deviation, LEAST_SHARE * Math.abs(mean), Number.MIN_VALUE * 1e16)
}
