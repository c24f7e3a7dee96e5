/**
 * The usual value by hour of day and by hour of week, in a stretch of 16-bit numbers: 24 hours, then 168, in parts of a scale that grows by
 * doubling with the largest value. A part is below a ten-thousandth of what the series has ranged over, and half the memory of floats. An
 * hour that was never seen is UNSEEN. Hours are those of UTC.
 */
export const SEASON_HOURS = 24 + 168
const UNSEEN = -32_768
const PARTS = 32_000
const DAY = 24
const WEEK = 168
const HOUR_MS = 3_600_000
const DAY_RATE = 0.1
const WEEK_RATE = 0.3

/** Hour of week, 0 to 167; the epoch was a Thursday, and 0 is its first hour. */
export function hourOfWeek(at_ms: number): number {
  return ((Math.floor(at_ms / HOUR_MS) % WEEK) + WEEK) % WEEK
}

export function startSeason(profile: Int16Array, base: number): void {
  profile.fill(UNSEEN, base, base + SEASON_HOURS)
}

/** Learns the mean of one completed hour. Returns the scale of the profile, which was `scale` (0: nothing is known yet). */
export function learnHour(
  profile: Int16Array,
  base: number,
  scale: number,
  hour: number,
  mean: number,
): number {
  const enough = Math.abs(mean) <= scale ? scale : 2 ** Math.ceil(Math.log2(Math.abs(mean)))
  if (enough !== scale && scale > 0) rescale(profile, base, scale / enough)
  const parts = enough === 0 ? 0 : (mean / enough) * PARTS
  learn(profile, base + (hour % DAY), parts, DAY_RATE)
  learn(profile, base + DAY + hour, parts, WEEK_RATE)
  return enough
}

function rescale(profile: Int16Array, base: number, by: number): void {
  for (let at = base; at < base + SEASON_HOURS; at++)
    if (profile[at] !== UNSEEN) profile[at] = Math.round((profile[at] as number) * by)
}

function learn(profile: Int16Array, at: number, parts: number, rate: number): void {
  const known = profile[at] as number
  profile[at] = Math.round(known === UNSEEN ? parts : known + rate * (parts - known))
}

const valueOf = (parts: number, scale: number): number =>
  parts === UNSEEN ? Number.NaN : (parts / PARTS) * scale

/** The usual value in this hour of the day; NaN when the hour is unknown. */
export const usualOfDay = (profile: Int16Array, base: number, scale: number, hour: number): number =>
  valueOf(profile[base + (hour % DAY)] as number, scale)

/** The usual value in this hour of the week; NaN when the hour is unknown. */
export const usualOfWeek = (profile: Int16Array, base: number, scale: number, hour: number): number =>
  valueOf(profile[base + DAY + hour] as number, scale)
