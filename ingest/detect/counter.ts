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

/** The rate of a counter that resets or wraps around, between limits. The score is how far it is beyond one, by that limit. */
export interface CounterOptions extends Delays {
  readonly most_per_s?: number | undefined
  readonly least_per_s?: number | undefined
  /** The value at which the counter begins again at 0, such as 65536; without it a fall is a reset to 0. */
  readonly wraps_at?: number | undefined
  readonly longest_gap_ms: number
}

export interface CounterState {
  readonly clock: Clock
  count: number
  count_at_ms: number | null
  readonly most: Delayed
  readonly least: Delayed
}

/**
 * What a counter has grown by. A fall is a wrap when the counter was in the last tenth before the end and is in the first tenth now; else a
 * reset, after which all that it shows is growth.
 */
export function increase(before: number, now: number, wraps_at: number | undefined): number {
  if (now >= before) return now - before
  if (wraps_at !== undefined && before >= 0.9 * wraps_at && now <= 0.1 * wraps_at)
    return now + wraps_at - before
  return Math.max(0, now)
}

export function counter(options: CounterOptions): TimedDetector<CounterState> {
  const start = (): CounterState => ({
    clock: startClock(),
    count: 0,
    count_at_ms: null,
    most: startDelayed(),
    least: startDelayed(),
  })
  return {
    name: 'counter',
    ...plain('counter', start),
    step: (state, reading) => step(state, reading, options),
    dueAt: (state) => dueAt([state.most, state.least], options),
    tick: (state, at_ms) =>
      verdict(state, 0, [
        ...passTime(state.most, at_ms, options, 'rate-high'),
        ...passTime(state.least, at_ms, options, 'rate-low'),
      ]),
  }
}

function step(state: CounterState, reading: Reading, options: CounterOptions): Verdict {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return verdict(state, 0, [])
  const { at_ms, value } = reading
  const gap_ms = state.count_at_ms === null ? 0 : at_ms - state.count_at_ms
  const grown = increase(state.count, value, options.wraps_at)
  state.count = value
  state.count_at_ms = at_ms
  if (gap_ms <= 0 || gap_ms > options.longest_gap_ms) return verdict(state, 0, [])
  const per_s = (1_000 * grown) / gap_ms
  const { most_per_s = Number.POSITIVE_INFINITY, least_per_s = 0 } = options
  const over = per_s > most_per_s ? per_s / most_per_s - 1 : 0
  const under = per_s < least_per_s ? 1 - per_s / least_per_s : 0
  return verdict(
    state,
    Math.max(over, under),
    [
      ...settle(state.most, over > 0, at_ms, options, 'rate-high'),
      ...settle(state.least, under > 0, at_ms, options, 'rate-low'),
    ],
    per_s,
  )
}

const verdict = (
  state: CounterState,
  score: number,
  transitions: Transition[],
  per_s: number | null = null,
): Verdict => ({ score, alert: state.most.active || state.least.active, transitions, detail: { per_s } })
