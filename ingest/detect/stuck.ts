import { advance, type Clock, startClock } from './clock.ts'
import { type Detector, isUsable, plain, type Reading, type Transition, type Verdict } from './detector.ts'

/** A value that stands still: within `band` for `after_ms`. The score is the time it has stood by that time. */
export interface StuckOptions {
  /** Highest less lowest value that counts as standing still; 0: not even the last digit moves. */
  readonly band: number
  readonly after_ms: number
  readonly least_readings: number
  /** A longer gap begins the time anew: nobody saw the value stand still. An alert stays. */
  readonly longest_gap_ms: number
}

export interface StuckState {
  readonly clock: Clock
  low: number
  high: number
  since_ms: number | null
  last_ms: number
  readings: number
  active: boolean
}

export function stuck(options: StuckOptions): Detector<StuckState> {
  const start = (): StuckState => ({
    clock: startClock(),
    low: 0,
    high: 0,
    since_ms: null,
    last_ms: 0,
    readings: 0,
    active: false,
  })
  return { name: 'stuck', ...plain('stuck', start), step: (state, reading) => step(state, reading, options) }
}

function step(state: StuckState, reading: Reading, options: StuckOptions): Verdict {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return verdict(state, 0, [])
  const { at_ms, value } = reading
  const low = Math.min(state.low, value)
  const high = Math.max(state.high, value)
  const rounding = 1e-9 * Math.max(Math.abs(low), Math.abs(high))
  const moved = state.since_ms === null || high - low > options.band + rounding
  const gap = Math.abs(at_ms - state.last_ms) > options.longest_gap_ms
  state.last_ms = at_ms
  if (moved || gap) {
    Object.assign(state, { low: value, high: value, since_ms: at_ms, readings: 1 })
    return verdict(state, 0, moved ? change(state, false, at_ms) : [])
  }
  Object.assign(state, { low, high, readings: state.readings + 1 })
  const share = (at_ms - (state.since_ms ?? at_ms)) / options.after_ms
  const stands = share >= 1 && state.readings >= options.least_readings
  return verdict(state, share, stands ? change(state, true, at_ms) : [])
}

function change(state: StuckState, active: boolean, at_ms: number): Transition[] {
  if (state.active === active) return []
  state.active = active
  return [{ to: active ? 'raised' : 'cleared', condition: 'stuck', at_ms }]
}

const verdict = (state: StuckState, score: number, transitions: Transition[]): Verdict => ({
  score,
  alert: state.active,
  transitions,
})
