/** A figure with its interval of 95 %. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** 97.5 % quantile of the normal distribution. */
export const Z_95 = 1.959963984540054

/** Below so many of either side nothing is compared. */
export const COMPARED_MIN = 5

/** 97.5 % quantile of Student's distribution, by its expansion (Abramowitz and Stegun 26.7.5); within 1 % from 4 degrees on. */
function student(degrees: number): number {
  const z = Z_95
  const g1 = (z ** 3 + z) / 4
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384
  return z + g1 / degrees + g2 / degrees ** 2 + g3 / degrees ** 3
}

/** Distribution function of the normal distribution (Abramowitz and Stegun 7.1.26), within 1e-7. */
function normalBelow(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2)
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const tail = (poly * Math.exp((-x * x) / 2)) / 2
  return x < 0 ? tail : 1 - tail
}

/**
 * The interval of 95 % from what resampling gave. Plain percentiles are too narrow for few subjects, so they are taken further out
 * (Hesterberg, "What teachers should know about the bootstrap", 2015, section 3.2). `n`: subjects of the smaller side.
 */
export function percentileInterval(resampled: number[], n: number): readonly [low: number, high: number] {
  const degrees = Math.max(3, n - 1)
  const tail = normalBelow(-Math.sqrt(n / degrees) * student(degrees))
  const sorted = resampled.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const place = Math.max(0, Math.floor(tail * (sorted.length + 1)) - 1)
  return [sorted[place] as number, sorted[sorted.length - 1 - place] as number]
}
