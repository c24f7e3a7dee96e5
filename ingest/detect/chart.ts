/** A control chart that makes its upper limit of its own values: their mean and so many of their deviations above it. */
export interface Chart {
  values: number
  mean: number
  variance: number
}

const MEMORY_VALUES = 5_000
/** Deviations from mean to limit; more while few values are known. */
const LIMIT_DEVIATIONS = 2.65
const FEW_VALUES = 50
/** Autocorrelated values look too much alike at first. */
const LEAST_DEVIATION = 0.15

export const startChart = (): Chart => ({ values: 0, mean: 0, variance: 0 })

/** The share of the way from mean to limit; 1 is the limit, below 0 is 0. */
export function chartScore(chart: Chart, value: number): number {
  if (chart.values < 2) return 0
  const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(chart.variance))
  const limit = LIMIT_DEVIATIONS * deviation * (1 + FEW_VALUES / (FEW_VALUES + 10 * chart.values))
  return Math.max(0, (value - chart.mean) / limit)
}

export function learnChart(chart: Chart, value: number): void {
  chart.values = Math.min(chart.values + 1, MEMORY_VALUES)
  const rate = 1 / chart.values
  const difference = value - chart.mean
  chart.mean += rate * difference
  chart.variance += rate * ((1 - rate) * difference * difference - chart.variance)
}
