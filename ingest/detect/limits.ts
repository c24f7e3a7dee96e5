import { advance, type Clock, startClock } from './clock.ts'
import { type Delayed, type Delays, dueAt, passTime, settle, startDelayed } from './delay.ts'
import {
  isUsable,
  plain,
  QUIET,
  type Reading,
  type TimedDetector,
  type Transition,
  type Verdict,
} from './detector.ts'

/** Four limits, each with a deadband, as OPC UA Part 9 has them. The score is the number of limits that a reading is beyond. */
export interface LimitsOptions extends Delays {
  readonly high_high?: number | undefined
  readonly high?: number | undefined
  readonly low?: number | undefined
  readonly low_low?: number | undefined
  /** How far inside the limit a value must come before an alert clears; one for all, or one for each. */
  readonly deadband: number
  readonly high_high_deadband?: number | undefined
  readonly high_deadband?: number | undefined
  readonly low_deadband?: number | undefined
  readonly low_low_deadband?: number | undefined
}

export interface LimitsState {
  readonly clock: Clock
  readonly conditions: Record<string, Delayed>
}

interface Limit {
  readonly condition: string
  /** 1 for a limit above, −1 for one below. */
  readonly side: 1 | -1
  readonly at: number
  readonly deadband: number
}

export function limits(options: LimitsOptions): TimedDetector<LimitsState> {
  const all = limitsOf(options)
  const start = (): LimitsState => ({
    clock: startClock(),
    conditions: Object.fromEntries(all.map(({ condition }) => [condition, startDelayed()])),
  })
  return {
    name: 'limits',
    ...plain('limits', start),
    step: (state, reading) => step(state, reading, all, options),
    dueAt: (state) => dueAt(Object.values(state.conditions), options),
    tick: (state, at_ms) =>
      verdict(
        state,
        0,
        all.flatMap(({ condition }) => passTime(delayedOf(state, condition), at_ms, options, condition)),
      ),
  }
}

/** A condition that an option describes contradicts another one: the text says which and how to mend it; null when all is well. */
export function limitsProblem(options: LimitsOptions): string | null {
  const all = limitsOf(options)
  if (all.length === 0) return 'at least one of high_high, high, low, low_low is needed'
  const [high_high, high, low, low_low] = ['high-high', 'high', 'low', 'low-low'].map((name) =>
    all.find(({ condition }) => condition === name),
  )
  if (high_high && high && !(high_high.at - high_high.deadband > high.at))
    return 'high_high less its deadband must be above high'
  if (high && low && !(high.at - high.deadband > low.at)) return 'high less its deadband must be above low'
  if (high && low && !(low.at + low.deadband < high.at)) return 'low plus its deadband must be below high'
  if (low_low && low && !(low_low.at + low_low.deadband < low.at))
    return 'low_low plus its deadband must be below low'
  return null
}

function limitsOf(options: LimitsOptions): Limit[] {
  const limit = (
    condition: string,
    side: 1 | -1,
    at: number | undefined,
    deadband: number | undefined,
  ): Limit[] => (at === undefined ? [] : [{ condition, side, at, deadband: deadband ?? options.deadband }])
  return [
    ...limit('high-high', 1, options.high_high, options.high_high_deadband),
    ...limit('high', 1, options.high, options.high_deadband),
    ...limit('low', -1, options.low, options.low_deadband),
    ...limit('low-low', -1, options.low_low, options.low_low_deadband),
  ]
}

const delayedOf = (state: LimitsState, condition: string): Delayed =>
  (state.conditions[condition] ??= startDelayed())

function step(state: LimitsState, reading: Reading, all: readonly Limit[], delays: Delays): Verdict {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return verdict(state, 0, [])
  let score = 0
  const transitions: Transition[] = []
  for (const { condition, side, at, deadband } of all) {
    const delayed = delayedOf(state, condition)
    const beyond = side * (reading.value - at)
    if (beyond > 0) score++
    const holds = delayed.active ? beyond >= -deadband : beyond > 0
    transitions.push(...settle(delayed, holds, reading.at_ms, delays, condition))
  }
  return verdict(state, score, transitions)
}

function verdict(state: LimitsState, score: number, transitions: Transition[]): Verdict {
  const alert = Object.values(state.conditions).some(({ active }) => active)
  return score === 0 && !alert && transitions.length === 0 ? QUIET : { score, alert, transitions }
}
