import { advance, type Clock, startClock } from './clock.ts'
import { type Delayed, type Delays, dueAt, passTime, settle, startDelayed } from './delay.ts'
import {
  isUsable,
  plain,
  type Reading,
  type TimedDetector,
  type Transition,
  type Verdict,
} from './detector.ts'

/** How fast a value may change. The score is the rate by its limit. */
export interface RateOptions extends Delays {
  readonly rise_per_s?: number | undefined
  readonly fall_per_s?: number | undefined
  /** Readings closer together are taken as one: over a tiny span noise is a steep slope. */
  readonly least_gap_ms: number
  /** After a longer gap nothing is said: what happened in between is not known. */
  readonly longest_gap_ms: number
}

export interface RateState {
  readonly clock: Clock
  value: number
  value_at_ms: number | null
  readonly rise: Delayed
  readonly fall: Delayed
}

export function rate(options: RateOptions): TimedDetector<RateState> {
  const start = (): RateState => ({
    clock: startClock(),
    value: 0,
    value_at_ms: null,
    rise: startDelayed(),
    fall: startDelayed(),
  })
  return {
    name: 'rate',
    ...plain('rate', start),
    step: (state, reading) => step(state, reading, options),
    dueAt: (state) => dueAt([state.rise, state.fall], options),
    tick: (state, at_ms) =>
      verdict(state, 0, [
        ...passTime(state.rise, at_ms, options, 'rising'),
        ...passTime(state.fall, at_ms, options, 'falling'),
      ]),
  }
}

function step(state: RateState, reading: Reading, options: RateOptions): Verdict {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return verdict(state, 0, [])
  const gap_ms = state.value_at_ms === null ? null : reading.at_ms - state.value_at_ms
  if (gap_ms !== null && gap_ms >= 0 && gap_ms < options.least_gap_ms) return verdict(state, 0, [])
  const per_s = gap_ms === null ? 0 : (1_000 * (reading.value - state.value)) / gap_ms
  state.value = reading.value
  state.value_at_ms = reading.at_ms
  if (gap_ms === null || gap_ms < 0 || gap_ms > options.longest_gap_ms) return verdict(state, 0, [])
  const { rise_per_s = Number.POSITIVE_INFINITY, fall_per_s = Number.POSITIVE_INFINITY } = options
  return verdict(state, Math.max(0, per_s / rise_per_s, -per_s / fall_per_s), [
    ...settle(state.rise, per_s > rise_per_s, reading.at_ms, options, 'rising'),
    ...settle(state.fall, -per_s > fall_per_s, reading.at_ms, options, 'falling'),
  ])
}

const verdict = (state: RateState, score: number, transitions: Transition[]): Verdict => ({
  score,
  alert: state.rise.active || state.fall.active,
  transitions,
})
