import {
  type Detector,
  isUsable,
  type Json,
  QUIET,
  type Reading,
  unchanged,
  type Verdict,
} from './detector.ts'
import { hourOfWeek, learnHour, SEASON_HOURS, startSeason, usualOfDay, usualOfWeek } from './season.ts'

/**
 * The default detector: how far, and in how many respects at once, a reading is beyond anything that its series has shown.
 *
 * Five views of a series (the value, its short and its long mean, its activity, and what the hour of the day or week does not
 * explain) each keep the highest and lowest they have been. A view that breaks its record by the share e of its range says
 * sqrt(e / (1 + e)); the views' words are added to s, and the score is s / (s + 0.27). A score is given only when it exceeds every
 * score given in the last 100 readings, and a warning is raised only when it is stronger than those of the last day: what goes on is
 * not news. Nothing is configured: a range is its own scale.
 */

const VIEWS = 5
const VALUE = 0
const SHORT_MEAN = 1
const LONG_MEAN = 2
const ACTIVITY = 3
const SEASONAL = 4

const SHORT_RATE = 0.1
const LONG_RATE = 0.01
const ACTIVITY_RATE = 0.02
/** Readings of which the mean and the spread of a view are made. */
const MEMORY = 2_000
/** An extreme further than this many mean deviations from the mean is forgotten by and by, lest one accident hide all others. */
const EXTREME_DEVIATIONS = 8
/** In an hour: a time constant of 60 days, well beyond the weeks after which extremes come again. */
const FORGETTING_RATE = 1 / (60 * 24)
/** What the two seasonal forecasts are compared over. */
const FORECAST_ERROR_RATE = 1 / 300
/** Readings that a view sees before it has a say. */
const WARM_UP = 150
/** A score counts as given for so many readings. */
const REFRACTORY = 100
/** The sum of the views' words at which a score is one half, and a warning is raised. */
const HALF_SCORE_AT = 0.27
const WARNING_SCORE = 0.5
/** Before a day or so many readings are over, nearly everything is new: there are scores, but no warnings. */
const NEW_MS = 24 * 3_600_000
const NEW_READINGS = 500
/** A warning counts as given for so long: another one must be stronger. */
const WARNING_HOLD_MS = 24 * 3_600_000
/** Values beyond it count as it: no process variable is larger, and 32-bit floats must hold them. */
const LARGEST_VALUE = 1e30
/** A clock that was set back is believed after so many readings in a row from its past. */
const LATE_READINGS = 10

// One series in a stretch of doubles …
const HIGH = 0
const LOW = HIGH + VIEWS
const SHORT = LOW + VIEWS
const LONG = SHORT + 1
const MOVING = LONG + 1
const PREVIOUS = MOVING + 1
const ORIGIN = PREVIOUS + 1
const HOUR_SUM = ORIGIN + 1
const LAST_AT = HOUR_SUM + 1
const WARNED_AT = LAST_AT + 1
const FIRST_AT = WARNED_AT + 1
const DOUBLES = FIRST_AT + 1

// … and a stretch of 32-bit floats, where a loss of precision does not matter; the season has a stretch of its own.
const MEAN = 0
const SPREAD = MEAN + VIEWS
const COUNT = SPREAD + VIEWS
const SEASONAL_COUNT = COUNT + 1
const HOUR = SEASONAL_COUNT + 1
const HOUR_COUNT = HOUR + 1
const DAY_ERROR = HOUR_COUNT + 1
const WEEK_ERROR = DAY_ERROR + 1
const GIVEN = WEEK_ERROR + 1
const SINCE = GIVEN + 1
const LATE = SINCE + 1
const WARNED = LATE + 1
const SEASON_SCALE = WARNED + 1
const FLOATS = SEASON_SCALE + 1

/** Bytes of state of one series. */
export const NOVELTY_BYTES = DOUBLES * 8 + FLOATS * 4 + SEASON_HOURS * 2

/** One series; several may share the arrays, each in a slot of its own. */
export interface NoveltyState {
  readonly doubles: Float64Array
  readonly floats: Float32Array
  /** The usual value of each hour (season.ts). */
  readonly season: Int16Array
  readonly slot: number
}

export const novelty: Detector<NoveltyState> = {
  name: 'novelty',
  start: () => startNovelty(1)[0] as NoveltyState,
  step,
  save,
  restore,
}

/** States of many series side by side in the same memory, which saves what each array would cost by itself. */
export function startNovelty(series: number): NoveltyState[] {
  const doubles = new Float64Array(series * DOUBLES)
  const floats = new Float32Array(series * FLOATS)
  const season = new Int16Array(series * SEASON_HOURS)
  return Array.from({ length: series }, (_, slot) => {
    doubles.fill(Number.NaN, slot * DOUBLES + HIGH, slot * DOUBLES + SHORT)
    doubles[slot * DOUBLES + LAST_AT] = Number.NEGATIVE_INFINITY
    doubles[slot * DOUBLES + WARNED_AT] = Number.NEGATIVE_INFINITY
    const base = slot * FLOATS
    floats[base + HOUR] = -1
    floats[base + DAY_ERROR] = Number.NaN
    floats[base + WEEK_ERROR] = Number.NaN
    startSeason(season, slot * SEASON_HOURS)
    return { doubles, floats, season, slot }
  })
}

/** A reading that is not usable, or not later than the one before, is neither judged nor learned. */
function step(state: NoveltyState, reading: Reading): Verdict {
  if (!isUsable(reading) || !isNext(state, reading.at_ms)) return QUIET
  const sum = learn(state, reading)
  const { floats } = state
  const base = state.slot * FLOATS
  const since = (floats[base + SINCE] as number) + 1
  floats[base + SINCE] = since
  if (sum === 0 || (since <= REFRACTORY && Math.fround(sum) <= (floats[base + GIVEN] as number))) return QUIET
  floats[base + GIVEN] = sum
  floats[base + SINCE] = 0
  const score = sum / (sum + HALF_SCORE_AT)
  if (!isWarning(state, score, reading.at_ms)) return unchanged(score, false)
  return {
    score,
    alert: true,
    transitions: [{ to: 'raised', condition: 'novelty', at_ms: reading.at_ms }],
  }
}

function isWarning({ doubles, floats, slot }: NoveltyState, score: number, at_ms: number): boolean {
  const at = slot * DOUBLES + WARNED_AT
  const strength = slot * FLOATS + WARNED
  const elapsed_ms = at_ms - (doubles[at] as number)
  const held = elapsed_ms >= 0 && elapsed_ms < WARNING_HOLD_MS && score <= (floats[strength] as number)
  const is_new =
    at_ms - (doubles[slot * DOUBLES + FIRST_AT] as number) < NEW_MS &&
    (floats[slot * FLOATS + COUNT] as number) < NEW_READINGS
  if (score < WARNING_SCORE || held || is_new) return false
  doubles[at] = at_ms
  floats[strength] = score
  return true
}

function isNext({ doubles, floats, slot }: NoveltyState, at_ms: number): boolean {
  const last = slot * DOUBLES + LAST_AT
  const late = slot * FLOATS + LATE
  if (at_ms <= (doubles[last] as number)) {
    floats[late] = (floats[late] as number) + 1
    if (floats[late] < LATE_READINGS) return false
  }
  floats[late] = 0
  doubles[last] = at_ms
  return true
}

/** What the views say together. */
function learn(state: NoveltyState, reading: Reading): number {
  const { doubles, floats } = state
  const d = state.slot * DOUBLES
  const f = state.slot * FLOATS
  const count = (floats[f + COUNT] as number) + 1
  floats[f + COUNT] = count
  // Relative to the first reading, so that a large offset costs no precision.
  const value = Math.min(LARGEST_VALUE, Math.max(-LARGEST_VALUE, reading.value))
  if (count === 1) {
    doubles[d + ORIGIN] = value
    doubles[d + FIRST_AT] = reading.at_ms
  }
  const x = value - (doubles[d + ORIGIN] as number)
  const short = (doubles[d + SHORT] as number) + SHORT_RATE * (x - (doubles[d + SHORT] as number))
  const long = (doubles[d + LONG] as number) + LONG_RATE * (x - (doubles[d + LONG] as number))
  const moved = Math.abs(x - (doubles[d + PREVIOUS] as number))
  const moving = (doubles[d + MOVING] as number) + ACTIVITY_RATE * (moved - (doubles[d + MOVING] as number))
  doubles[d + SHORT] = short
  doubles[d + LONG] = long
  doubles[d + MOVING] = moving
  doubles[d + PREVIOUS] = x
  const rate = 1 / Math.min(count, MEMORY)
  const sum =
    word(state, VALUE, x, rate) +
    word(state, SHORT_MEAN, short, rate) +
    word(state, LONG_MEAN, long, rate) +
    word(state, ACTIVITY, moving, rate)
  const seasonal = unexplained(state, reading.at_ms, x)
  if (Number.isNaN(seasonal)) return count > WARM_UP ? sum : 0
  const seen = (floats[f + SEASONAL_COUNT] as number) + 1
  floats[f + SEASONAL_COUNT] = seen
  const said = word(state, SEASONAL, seasonal, 1 / Math.min(seen, MEMORY))
  return (count > WARM_UP ? sum : 0) + (seen > WARM_UP ? said : 0)
}

/** How far a view breaks its record, 0 to 1; keeps the new record. */
function word({ doubles, floats, slot }: NoveltyState, view: number, x: number, rate: number): number {
  const high_at = slot * DOUBLES + HIGH + view
  const low_at = slot * DOUBLES + LOW + view
  const mean_at = slot * FLOATS + MEAN + view
  const spread_at = slot * FLOATS + SPREAD + view
  const high = doubles[high_at] as number
  const low = doubles[low_at] as number
  if (Number.isNaN(high)) {
    doubles[high_at] = x
    doubles[low_at] = x
    floats[mean_at] = x
    return 0
  }
  const range = high - low
  const beyond = x > high ? x - high : x < low ? low - x : 0
  if (x > high) doubles[high_at] = x
  else if (x < low) doubles[low_at] = x
  const mean = floats[mean_at] as number
  const spread = floats[spread_at] as number
  floats[spread_at] = spread + (Math.abs(x - mean) - spread) * rate
  floats[mean_at] = mean + (x - mean) * rate
  return beyond === 0 ? 0 : Math.sqrt(beyond / (range + beyond))
}

/** Once an hour: what is out of all proportion moves towards what is not. */
function forget({ doubles, floats, slot }: NoveltyState): void {
  for (let view = 0; view < VIEWS; view++) {
    const mean = floats[slot * FLOATS + MEAN + view] as number
    const distance = EXTREME_DEVIATIONS * (floats[slot * FLOATS + SPREAD + view] as number)
    const high_at = slot * DOUBLES + HIGH + view
    const low_at = slot * DOUBLES + LOW + view
    const over = (doubles[high_at] as number) - (mean + distance)
    const under = (doubles[low_at] as number) - (mean - distance)
    if (over > 0) doubles[high_at] = (doubles[high_at] as number) - over * FORGETTING_RATE
    if (under < 0) doubles[low_at] = (doubles[low_at] as number) - under * FORGETTING_RATE
  }
}

/** What the better of the two seasonal forecasts leaves unexplained; NaN before a day is known. Learns hours that are over. */
function unexplained(state: NoveltyState, at_ms: number, x: number): number {
  const { doubles, floats, season, slot } = state
  const f = slot * FLOATS
  const hours = slot * SEASON_HOURS
  const sum_at = slot * DOUBLES + HOUR_SUM
  const hour = hourOfWeek(at_ms)
  const before = floats[f + HOUR] as number
  if (hour !== before) {
    const readings = floats[f + HOUR_COUNT] as number
    if (before >= 0) {
      const mean = (doubles[sum_at] as number) / readings
      floats[f + SEASON_SCALE] = learnHour(season, hours, floats[f + SEASON_SCALE] as number, before, mean)
    }
    forget(state)
    floats[f + HOUR] = hour
    floats[f + HOUR_COUNT] = 0
    doubles[sum_at] = 0
  }
  const scale = floats[f + SEASON_SCALE] as number
  const by_day = x - usualOfDay(season, hours, scale, hour)
  const by_week = x - usualOfWeek(season, hours, scale, hour)
  doubles[sum_at] = (doubles[sum_at] as number) + x
  floats[f + HOUR_COUNT] = (floats[f + HOUR_COUNT] as number) + 1
  if (Number.isNaN(by_week)) return by_day
  const day_error = follow(floats, f + DAY_ERROR, Math.abs(by_day))
  const week_error = follow(floats, f + WEEK_ERROR, Math.abs(by_week))
  return week_error < day_error ? by_week : by_day
}

function follow(floats: Float32Array, at: number, x: number): number {
  const known = floats[at] as number
  const next = Number.isNaN(known) ? x : known + FORECAST_ERROR_RATE * (x - known)
  floats[at] = next
  return next
}

function save(state: NoveltyState): Json {
  const copy = Buffer.alloc(NOVELTY_BYTES)
  writeNovelty(state, copy, 0)
  return copy.toString('base64')
}

function restore(saved: Json): NoveltyState {
  const bytes = Buffer.from(typeof saved === 'string' ? saved : '', 'base64')
  if (bytes.length !== NOVELTY_BYTES) throw new TypeError('not a state of the novelty detector')
  const state = startNovelty(1)[0] as NoveltyState
  readNovelty(state, bytes, 0)
  return state
}

/** The state as `NOVELTY_BYTES` bytes. */
export function writeNovelty(state: NoveltyState, into: Uint8Array, at: number): void {
  let to = at
  for (const part of partsOf(state)) {
    into.set(part, to)
    to += part.length
  }
}

export function readNovelty(state: NoveltyState, from: Uint8Array, at: number): void {
  let next = at
  for (const part of partsOf(state)) {
    part.set(from.subarray(next, next + part.length))
    next += part.length
  }
}

const bytesOf = ({ buffer, byteOffset }: ArrayBufferView, from: number, length: number): Uint8Array =>
  new Uint8Array(buffer, byteOffset + from, length)

const partsOf = ({ doubles, floats, season, slot }: NoveltyState): readonly Uint8Array[] => [
  bytesOf(doubles, slot * DOUBLES * 8, DOUBLES * 8),
  bytesOf(floats, slot * FLOATS * 4, FLOATS * 4),
  bytesOf(season, slot * SEASON_HOURS * 2, SEASON_HOURS * 2),
]

/** Mean deviations around the mean that count as usual. */
const USUAL_DEVIATIONS = 4

/** Between what and what the values of a series usually lie; null before enough is known. */
export function usualBand({ doubles, floats, slot }: NoveltyState): [low: number, high: number] | null {
  if ((floats[slot * FLOATS + COUNT] as number) <= WARM_UP) return null
  const origin = doubles[slot * DOUBLES + ORIGIN] as number
  const mean = origin + (floats[slot * FLOATS + MEAN + VALUE] as number)
  const width = USUAL_DEVIATIONS * (floats[slot * FLOATS + SPREAD + VALUE] as number)
  return [mean - width, mean + width]
}
