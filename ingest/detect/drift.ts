import { advance, type Clock, startClock } from './clock.ts'
import { type Detector, isUsable, plain, type Reading, type Transition, type Verdict } from './detector.ts'
import {
  type Standardiser,
  type StandardiserOptions,
  standardise,
  startStandardiser,
} from './standardiser.ts'

/** Sums of small deviations that do not cancel. Both directions; the score is the larger sum by its limit. */
export interface CusumOptions extends StandardiserOptions {
  /** Deviations that are tolerated at each reading. */
  readonly slack: number
  /** The sum, in deviations, at which the alert is raised. */
  readonly limit: number
}

export interface CusumState {
  readonly clock: Clock
  readonly standard: Standardiser
  up: number
  down: number
  active: 'drift-up' | 'drift-down' | null
}

/** Tabular CUSUM. A sum stops at twice its limit, so that the end of a drift shows; the alert clears when it is back at 0. */
export function cusum(options: CusumOptions): Detector<CusumState> {
  const start = (): CusumState => ({
    clock: startClock(),
    standard: startStandardiser(),
    up: 0,
    down: 0,
    active: null,
  })
  return {
    name: 'cusum',
    ...plain('cusum', start),
    step: (state, reading) => stepCusum(state, reading, options),
  }
}

function stepCusum(state: CusumState, reading: Reading, options: CusumOptions): Verdict {
  const z = next(state, reading, options)
  if (z === null) return verdict(state, Math.max(state.up, state.down) / options.limit, [])
  const bounded = (sum: number): number => Math.max(0, Math.min(2 * options.limit, sum))
  state.up = bounded(state.up + z - options.slack)
  state.down = bounded(state.down - z - options.slack)
  const sums = { 'drift-up': state.up, 'drift-down': state.down }
  const changes: Transition[] = []
  if (state.active !== null && sums[state.active] === 0) changes.push(...change(state, null, reading.at_ms))
  const larger = state.up > state.down ? 'drift-up' : 'drift-down'
  if (state.active === null && sums[larger] > options.limit)
    changes.push(...change(state, larger, reading.at_ms))
  return verdict(state, Math.max(state.up, state.down) / options.limit, changes)
}

export interface PageHinkleyOptions extends StandardiserOptions {
  /** Deviations of the mean that are tolerated. */
  readonly slack: number
  readonly limit: number
}

export interface PageHinkleyState {
  readonly clock: Clock
  readonly standard: Standardiser
  /** Of standardised values since the last change. */
  count: number
  mean: number
  up: number
  up_least: number
  down: number
  down_most: number
  active: 'drift-up' | 'drift-down' | null
}

/**
 * Page-Hinkley on standardised values: it compares with the mean since the last change, so after a lasting change it settles on the new
 * level, and the alert clears there.
 */
export function pageHinkley(options: PageHinkleyOptions): Detector<PageHinkleyState> {
  const sums = { count: 0, mean: 0, up: 0, up_least: 0, down: 0, down_most: 0 }
  const start = (): PageHinkleyState => ({
    clock: startClock(),
    standard: startStandardiser(),
    ...sums,
    active: null,
  })
  return {
    name: 'page-hinkley',
    ...plain('page-hinkley', start),
    step: (state, reading) => stepPageHinkley(state, reading, options, sums),
  }
}

function stepPageHinkley(
  state: PageHinkleyState,
  reading: Reading,
  options: PageHinkleyOptions,
  sums: Partial<PageHinkleyState>,
): Verdict {
  const z = next(state, reading, options)
  if (z === null) return verdict(state, 0, [])
  state.count++
  state.mean += (z - state.mean) / state.count
  state.up += z - state.mean - options.slack
  state.up_least = Math.min(state.up_least, state.up)
  state.down += z - state.mean + options.slack
  state.down_most = Math.max(state.down_most, state.down)
  const rise = state.up - state.up_least
  const fall = state.down_most - state.down
  const score = Math.max(rise, fall) / options.limit
  if (score > 1) {
    // The new level is learned from here.
    Object.assign(state, sums)
    const direction = rise > fall ? 'drift-up' : 'drift-down'
    const ended = change(state, null, reading.at_ms)
    return verdict(state, score, [...ended, ...change(state, direction, reading.at_ms)])
  }
  const settled = state.active !== null && state.count > options.limit * 2
  return verdict(state, score, settled ? change(state, null, reading.at_ms) : [])
}

type DriftState = CusumState | PageHinkleyState

function next(state: DriftState, reading: Reading, options: StandardiserOptions): number | null {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return null
  return standardise(state.standard, reading.value, options)
}

function change(state: DriftState, active: DriftState['active'], at_ms: number): Transition[] {
  if (state.active === active) return []
  const condition = active ?? state.active ?? ''
  state.active = active
  return [{ to: active === null ? 'cleared' : 'raised', condition, at_ms }]
}

const verdict = (state: DriftState, score: number, transitions: Transition[]): Verdict => ({
  score,
  alert: state.active !== null,
  transitions,
})
