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
import { hourOfWeek } from './season.ts'

/**
 * The usual band of each hour of the week (UTC): mean and deviation of what was read in that hour of the weeks before. The score is the
 * distance from the mean in deviations, by `deviations`. Nothing is learned while an alert is active.
 */
export interface SeasonalOptions extends Delays {
  readonly deviations: number
  /** Weeks in which an hour must have been seen before it is judged. */
  readonly learn_weeks: number
  /** How much of the newest week goes into the band. */
  readonly learn_rate: number
}

export interface SeasonalState {
  readonly clock: Clock
  /** By hour of week. */
  readonly weeks: number[]
  readonly mean: number[]
  readonly variance: number[]
  /** Of the hour that is running. */
  hour: number | null
  count: number
  sum: number
  squares: number
  readonly beyond: Delayed
}

const HOURS = 168
const NO_BAND = { expected: null, low: null, high: null }

export function seasonal(options: SeasonalOptions): TimedDetector<SeasonalState> {
  const zeros = (): number[] => Array.from({ length: HOURS }, () => 0)
  const start = (): SeasonalState => ({
    clock: startClock(),
    weeks: zeros(),
    mean: zeros(),
    variance: zeros(),
    hour: null,
    count: 0,
    sum: 0,
    squares: 0,
    beyond: startDelayed(),
  })
  return {
    name: 'seasonal',
    ...plain('seasonal', start),
    step: (state, reading) => step(state, reading, options),
    dueAt: (state) => dueAt([state.beyond], options),
    tick: (state, at_ms) => verdict(state, 0, passTime(state.beyond, at_ms, options, 'seasonal'), NO_BAND),
  }
}

function step(state: SeasonalState, reading: Reading, options: SeasonalOptions): Verdict {
  if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return verdict(state, 0, [], NO_BAND)
  const hour = hourOfWeek(reading.at_ms)
  if (hour !== state.hour) begin(state, hour, options)
  const known = (state.weeks[hour] as number) >= options.learn_weeks
  const expected = state.mean[hour] as number
  const deviation = known ? deviationOf(state, hour) : 0
  const distance = known ? Math.abs(reading.value - expected) / deviation : 0
  const changes = settle(state.beyond, distance > options.deviations, reading.at_ms, options, 'seasonal')
  if (!state.beyond.active) collect(state, reading.value)
  const width = options.deviations * deviation
  const band = known ? { expected, low: expected - width, high: expected + width } : NO_BAND
  return verdict(state, distance / options.deviations, changes, band)
}

function collect(state: SeasonalState, value: number): void {
  state.count++
  const difference = value - state.sum / Math.max(1, state.count - 1)
  state.sum += value
  if (state.count > 1) state.squares += difference * (value - state.sum / state.count)
}

/** An hour is over: it goes into the band of its hour of the week. */
function begin(state: SeasonalState, hour: number, { learn_rate }: SeasonalOptions): void {
  const { hour: over, count } = state
  if (over !== null && count > 0) {
    const mean = state.sum / count
    const weeks = (state.weeks[over] as number) + 1
    const rate = Math.max(learn_rate, 1 / weeks)
    const moved = weeks === 1 ? 0 : mean - (state.mean[over] as number)
    const within = state.squares / count
    state.variance[over] =
      (1 - rate) * ((state.variance[over] as number) + rate * moved * moved) + rate * within
    state.mean[over] = weeks === 1 ? mean : (state.mean[over] as number) + rate * moved
    state.weeks[over] = weeks
  }
  Object.assign(state, { hour, count: 0, sum: 0, squares: 0 })
}

/** A band has at least half the usual width: a few weeks may agree by chance. */
function deviationOf(state: SeasonalState, hour: number): number {
  let [sum, hours] = [0, 0]
  for (let i = 0; i < HOURS; i++) {
    if ((state.weeks[i] as number) === 0) continue
    sum += state.variance[i] as number
    hours++
  }
  const usual = Math.sqrt(sum / Math.max(1, hours))
  const least = 1e-9 * Math.abs(state.mean[hour] as number) + 1e-12
  return Math.max(Math.sqrt(state.variance[hour] as number), usual / 2, least)
}

const verdict = (
  state: SeasonalState,
  score: number,
  transitions: Transition[],
  detail: Readonly<Record<string, number | null>>,
): Verdict => ({ score, alert: state.beyond.active, transitions, detail })
