import { type Estimate, Z_95 } from './interval.ts'

/** A share with Wilson's interval (Wilson 1927); null of nothing. */
export function shareOf(hits: number, n: number): Estimate | null {
  if (n === 0) return null
  const value = hits / n
  const z2 = Z_95 ** 2
  const centre = (value + z2 / (2 * n)) / (1 + z2 / n)
  const width = (Z_95 * Math.sqrt((value * (1 - value)) / n + z2 / (4 * n ** 2))) / (1 + z2 / n)
  return { value, low: Math.max(0, centre - width), high: Math.min(1, centre + width) }
}

/** How much higher the second share is, with Newcombe's interval (Newcombe 1998, method 10). */
export function shareDifference(before: Estimate, after: Estimate): Estimate {
  const value = after.value - before.value
  const below = Math.hypot(after.value - after.low, before.high - before.value)
  const above = Math.hypot(after.high - after.value, before.value - before.low)
  return { value, low: value - below, high: value + above }
}
