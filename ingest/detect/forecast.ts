import { advance, type Clock, startClock } from './clock.ts'
import { type Detector, isUsable, plain, type Reading, type Transition, type Verdict } from './detector.ts'

/**
 * When a value that goes on like this reaches a limit: a straight line through the recent readings by exponentially weighted least squares.
 * Raised when the line reaches the limit within the horizon and its slope is beyond doubt. The detail says when, and between which moments
 * at a slope of two standard errors more or less; `latest` is null when the slower slope never gets there. The score is the horizon by the
 * time that is left.
 */
export interface ForecastOptions {
  readonly high?: number | undefined
  readonly low?: number | undefined
  readonly horizon_ms: number
  /** Readings weigh a third after so long. */
  readonly memory_ms: number
  /** Slope by its standard error: how far beyond doubt. */
  readonly certainty: number
}

export interface ForecastState {
  readonly clock: Clock
  /** Values are relative to the first, times to the last reading. */
  origin: number | null
  last_ms: number
  weight: number
  t: number
  tt: number
  y: number
  ty: number
  yy: number
  active: 'high' | 'low' | null
}

const LEAST_WEIGHT = 8
/** The alert clears when the limit is this much further away than the horizon. */
const CLEAR_HORIZONS = 1.5
const INTERVAL_ERRORS = 2
const NOTHING = { minutes_to_limit: null, earliest_minutes: null, latest_minutes: null }

export function forecast(options: ForecastOptions): Detector<ForecastState> {
  const start = (): ForecastState => ({
    clock: startClock(),
    origin: null,
    last_ms: 0,
    weight: 0,
    t: 0,
    tt: 0,
    y: 0,
    ty: 0,
    yy: 0,
    active: null,
  })
  return {
    name: 'forecast',
    ...plain('forecast', start),
    step: (state, reading) => step(state, reading, options),
  }
}

interface Line {
  readonly level: number
  readonly per_ms: number
  readonly error_per_ms: number
}

function step(state: ForecastState, reading: Reading, options: ForecastOptions): Verdict {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms))
    return { score: 0, alert: state.active !== null, transitions: [], detail: NOTHING }
  add(state, reading, options.memory_ms)
  const line = fit(state)
  const reached = line === null ? null : reach(line, options)
  const left_ms = reached?.left_ms ?? Number.POSITIVE_INFINITY
  const sure = line !== null && Math.abs(line.per_ms) > options.certainty * line.error_per_ms
  const transitions: Transition[] = []
  const far = left_ms > CLEAR_HORIZONS * options.horizon_ms
  if (state.active !== null && (far || reached?.limit !== state.active))
    transitions.push(change(state, null, reading))
  if (state.active === null && sure && reached !== null && left_ms <= options.horizon_ms)
    transitions.push(change(state, reached.limit, reading))
  return {
    score: Number.isFinite(left_ms) ? options.horizon_ms / Math.max(left_ms, 1) : 0,
    alert: state.active !== null,
    transitions,
    detail: line === null || reached === null ? NOTHING : interval(line, reached, options),
  }
}

/** Moves the sums to the time of the reading, lets them fade, and adds it. */
function add(state: ForecastState, { at_ms, value }: Reading, memory_ms: number): void {
  const passed_ms = Math.max(0, at_ms - state.last_ms)
  const fade = state.origin === null ? 0 : Math.exp(-passed_ms / memory_ms)
  state.origin ??= value
  state.last_ms = at_ms
  const y = value - state.origin
  state.tt = fade * (state.tt - 2 * passed_ms * state.t + passed_ms ** 2 * state.weight)
  state.ty = fade * (state.ty - passed_ms * state.y)
  state.t = fade * (state.t - passed_ms * state.weight)
  state.weight = fade * state.weight + 1
  state.y = fade * state.y + y
  state.yy = fade * state.yy + y * y
}

function fit({ weight, t, tt, y, ty, yy, origin }: ForecastState): Line | null {
  const spread = weight * tt - t * t
  if (weight < LEAST_WEIGHT || !(spread > 0) || origin === null) return null
  const per_ms = (weight * ty - t * y) / spread
  const level = (y - per_ms * t) / weight
  const squares = Math.max(0, yy - level * y - per_ms * ty)
  // Of what is left of rounding no certainty is made.
  const least = (1e-12 * yy) / weight
  const error_per_ms = Math.sqrt((Math.max(squares / (weight - 2), least) * weight) / spread)
  return { level: level + origin, per_ms, error_per_ms }
}

interface Reached {
  readonly limit: 'high' | 'low'
  readonly distance: number
  /** 0 when the line is beyond the limit already. */
  readonly left_ms: number
}

function reach({ level, per_ms }: Line, { high, low }: ForecastOptions): Reached | null {
  if (high !== undefined && (per_ms > 0 || level >= high))
    return { limit: 'high', distance: high - level, left_ms: level >= high ? 0 : (high - level) / per_ms }
  if (low !== undefined && (per_ms < 0 || level <= low))
    return { limit: 'low', distance: low - level, left_ms: level <= low ? 0 : (low - level) / per_ms }
  return null
}

function interval(line: Line, { limit, distance, left_ms }: Reached, { horizon_ms }: ForecastOptions) {
  const sign = limit === 'high' ? 1 : -1
  const after_minutes = (per_ms: number): number | null => {
    if (left_ms === 0) return 0
    return sign * per_ms > 0 ? distance / per_ms / 60_000 : null
  }
  const error = sign * INTERVAL_ERRORS * line.error_per_ms
  if (left_ms > 100 * horizon_ms) return NOTHING
  return {
    minutes_to_limit: left_ms / 60_000,
    earliest_minutes: after_minutes(line.per_ms + error),
    latest_minutes: after_minutes(line.per_ms - error),
  }
}

function change(state: ForecastState, active: ForecastState['active'], { at_ms }: Reading): Transition {
  const condition = `${active ?? state.active}-expected`
  state.active = active
  return { to: active === null ? 'cleared' : 'raised', condition, at_ms }
}
