import { backward, factorise, forward, inverseDiagonal } from './cholesky.ts'

/** Mean and covariance of rows, learned one by one. Missing values are NaN. */
export interface Gaussian {
  rows: number
  readonly mean: Float64Array
  /** Row by row; the lower triangle. */
  readonly covariance: Float64Array
  /** The shrunk correlation as it was when it was factorised. */
  shrunk: Float64Array
  /** Null until it is asked for. */
  factor: Float64Array | null
  /** The diagonal of the inverse of what is factorised. */
  precision: Float64Array
  factor_rows: number
}

/** Rows that the estimates remember: older ones fade. */
const MEMORY_ROWS = 20_000
/** Deviations are cut there: a sensor that goes wild weighs no more in what is measured … */
const LARGEST_MEASURED = 20
/** … and no more than this in what is learned, once the deviations are known. */
const LARGEST_LEARNED = 5
const UNBOUNDED_ROWS = 30
/** The factor is made anew when the rows have grown by this share. */
const REFACTOR_SHARE = 0.05

export function startGaussian(columns: number): Gaussian {
  return {
    rows: 0,
    mean: new Float64Array(columns),
    covariance: new Float64Array(columns * columns),
    shrunk: new Float64Array(0),
    factor: null,
    precision: new Float64Array(0),
    factor_rows: 0,
  }
}

const deviationOf = ({ covariance, mean }: Gaussian, i: number): number =>
  Math.sqrt(covariance[i * (mean.length + 1)] as number)

function measured(gaussian: Gaussian, values: ArrayLike<number>): Float64Array {
  return gaussian.mean.map((mean, i) => {
    const difference = (values[i] as number) - mean
    // What never moved has no scale of its own: a difference the size of rounding is none.
    const least = 1e-6 * Math.abs(mean) + 1e-12
    const deviation = difference / Math.max(deviationOf(gaussian, i), least)
    return Math.max(-LARGEST_MEASURED, Math.min(LARGEST_MEASURED, deviation))
  })
}

/** Each value's distance from its mean in deviations; where there is none, what the other columns lead to expect. */
export function standardised(gaussian: Gaussian, values: ArrayLike<number>): Float64Array {
  const deviations = measured(gaussian, values)
  currentFactor(gaussian)
  fillMissing(gaussian, deviations)
  return deviations
}

/** The value that lies so many deviations from its mean. */
export const valueAt = (gaussian: Gaussian, i: number, deviation: number): number =>
  (gaussian.mean[i] as number) + deviation * deviationOf(gaussian, i)

/**
 * Of a standardised row: Hotelling's T² by column, and the largest part that the other columns do not explain (in deviations of
 * such parts), which finds one sensor among many.
 */
export function distances(gaussian: Gaussian, deviations: Float64Array): [all: number, one: number] {
  const columns = gaussian.mean.length
  const factor = currentFactor(gaussian)
  const half = forward(factor, columns, deviations)
  const all = half.reduce((sum, value) => sum + value * value, 0) / columns
  const one = backward(factor, columns, half).reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value) / Math.sqrt(gaussian.precision[i] as number)),
    0,
  )
  return [all, one]
}

/** Puts what the other columns lead to expect in the place of each NaN. */
function fillMissing(gaussian: Gaussian, deviations: Float64Array): void {
  const columns = gaussian.mean.length
  const [known, missing]: [number[], number[]] = [[], []]
  for (const [i, deviation] of deviations.entries()) (Number.isNaN(deviation) ? missing : known).push(i)
  if (missing.length === 0) return
  const between = (a: number, b: number): number =>
    gaussian.shrunk[Math.max(a, b) * columns + Math.min(a, b)] as number
  const among = Float64Array.from(known.flatMap((a) => known.map((b) => between(a, b))))
  const factor = factorise(among, known.length)
  const half = forward(
    factor,
    known.length,
    Float64Array.from(known, (i) => deviations[i] as number),
  )
  const weights = backward(factor, known.length, half)
  for (const i of missing)
    deviations[i] = known.reduce((sum, k, at) => sum + between(i, k) * (weights[at] as number), 0)
}

function currentFactor(gaussian: Gaussian): Float64Array {
  if (gaussian.factor === null || gaussian.rows > gaussian.factor_rows * (1 + REFACTOR_SHARE)) {
    const columns = gaussian.mean.length
    gaussian.shrunk = shrunkCorrelation(gaussian)
    gaussian.factor = factorise(gaussian.shrunk, columns)
    gaussian.precision = inverseDiagonal(gaussian.factor, columns)
    gaussian.factor_rows = gaussian.rows
  }
  return gaussian.factor
}

/** The less was learned about each pair, the more independence is assumed. */
function shrunkCorrelation(gaussian: Gaussian): Float64Array {
  const columns = gaussian.mean.length
  const trust = 1 - columns / (columns + Math.min(gaussian.rows, MEMORY_ROWS)) / 4
  const correlation = new Float64Array(columns * columns)
  for (let row = 0; row < columns; row++) {
    correlation[row * columns + row] = 1
    for (let column = 0; column < row; column++) {
      const scale = deviationOf(gaussian, row) * deviationOf(gaussian, column)
      const covariance = gaussian.covariance[row * columns + column] as number
      if (scale > 0) correlation[row * columns + column] = (trust * covariance) / scale
    }
  }
  return correlation
}

/** A value that is missing counts as the mean; better to put what is expected in its place before. */
export function learnRow(gaussian: Gaussian, values: ArrayLike<number>): void {
  const columns = gaussian.mean.length
  gaussian.rows++
  const rate = 1 / Math.min(gaussian.rows, MEMORY_ROWS)
  const differences = gaussian.mean.map((mean, i) => {
    const difference = (values[i] as number) - mean
    // Learned pair by pair instead, the covariance would not be one.
    if (Number.isNaN(difference)) return 0
    const bound = LARGEST_LEARNED * deviationOf(gaussian, i)
    if (gaussian.rows <= UNBOUNDED_ROWS || bound === 0) return difference
    return Math.max(-bound, Math.min(bound, difference))
  })
  for (let row = 0; row < columns; row++) {
    const difference = differences[row] as number
    gaussian.mean[row] = (gaussian.mean[row] as number) + rate * difference
    for (let column = 0; column <= row; column++) {
      const at = row * columns + column
      const product = difference * (differences[column] as number)
      gaussian.covariance[at] = (1 - rate) * ((gaussian.covariance[at] as number) + rate * product)
    }
  }
}

type SavedGaussian = {
  rows: number
  mean: number[]
  covariance: number[]
  shrunk: number[]
  factor: number[] | null
  precision: number[]
  factor_rows: number
}

export const saveGaussian = (gaussian: Gaussian): SavedGaussian => ({
  rows: gaussian.rows,
  mean: [...gaussian.mean],
  covariance: [...gaussian.covariance],
  shrunk: [...gaussian.shrunk],
  factor: gaussian.factor === null ? null : [...gaussian.factor],
  precision: [...gaussian.precision],
  factor_rows: gaussian.factor_rows,
})

export const restoreGaussian = (saved: SavedGaussian): Gaussian => ({
  rows: saved.rows,
  mean: Float64Array.from(saved.mean),
  covariance: Float64Array.from(saved.covariance),
  shrunk: Float64Array.from(saved.shrunk),
  factor: saved.factor === null ? null : Float64Array.from(saved.factor),
  precision: Float64Array.from(saved.precision),
  factor_rows: saved.factor_rows,
})
