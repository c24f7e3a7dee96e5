/**
 * The usual value by hour of day and by hour of week, in a stretch of 32-bit floats: 24 hours, then 168. An hour that was never
 * seen is NaN. Hours are those of UTC.
 */
export const SEASON_FLOATS = 24 + 168
const DAY = 24
const WEEK = 168
const HOUR_MS = 3_600_000
const DAY_RATE = 0.1
const WEEK_RATE = 0.3

/** Hour of week, 0 to 167; the epoch was a Thursday, and 0 is its first hour. */
export function hourOfWeek(at_ms: number): number {
  return ((Math.floor(at_ms / HOUR_MS) % WEEK) + WEEK) % WEEK
}

/** Learns the mean of one completed hour. */
export function learnHour(profile: Float32Array, base: number, hour: number, mean: number): void {
  learn(profile, base + (hour % DAY), mean, DAY_RATE)
  learn(profile, base + DAY + hour, mean, WEEK_RATE)
}

function learn(profile: Float32Array, at: number, mean: number, rate: number): void {
  const known = profile[at] as number
  profile[at] = Number.isNaN(known) ? mean : known + rate * (mean - known)
}

/** The usual value in this hour of the day; NaN when the hour is unknown. */
export const usualOfDay = (profile: Float32Array, base: number, hour: number): number =>
  profile[base + (hour % DAY)] as number

/** The usual value in this hour of the week; NaN when the hour is unknown. */
export const usualOfWeek = (profile: Float32Array, base: number, hour: number): number =>
  profile[base + DAY + hour] as number
