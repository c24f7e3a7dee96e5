/** Scales of axes. Pure. */

export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Lengths of time that people count in. */
const STEPS_MS = [
  ...[1, 5, 10, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((n) => n * DAY_MS),
]

/** From 0 to a length of time, with at most `ticks_max` ticks at round ones. */
export function timeScale(until_ms: number, width_px: number, ticks_max: number): Scale {
  const step_ms = STEPS_MS.find((step) => until_ms / step <= ticks_max) ?? 365 * DAY_MS
  const ticks = Array.from({ length: Math.floor(until_ms / step_ms) + 1 }, (_, i) => i * step_ms)
  return { at: (value) => (Math.min(value, until_ms) / until_ms) * width_px, ticks }
}

const LOG_TICKS_MS = [
  SECOND_MS,
  10 * SECOND_MS,
  MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  DAY_MS,
  7 * DAY_MS,
  30 * DAY_MS,
]

/** Lengths of time by their logarithm, from the bottom up. */
export function logTimeScale(values_ms: readonly number[], height_px: number): Scale {
  const least = Math.max(SECOND_MS, Math.min(...values_ms, DAY_MS))
  const most = Math.max(...values_ms, least * 10)
  const [low, high] = [Math.log(least), Math.log(most)]
  return {
    at: (value) => height_px * (1 - (Math.log(Math.max(value, least)) - low) / (high - low)),
    ticks: LOG_TICKS_MS.filter((tick) => tick >= least && tick <= most),
  }
}

/** Moments of a period, with ticks at even distances. */
export function momentScale(from_ms: number, to_ms: number, width_px: number, ticks: number): Scale {
  const span_ms = Math.max(1, to_ms - from_ms)
  return {
    at: (value) => ((value - from_ms) / span_ms) * width_px,
    ticks: Array.from({ length: ticks }, (_, i) => from_ms + (span_ms * (i + 0.5)) / ticks),
  }
}
