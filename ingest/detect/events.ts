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

/** A machine's state code that means trouble when it lasts. The score is 1 in such a state. */
export interface StateChangeOptions extends Delays {
  readonly alarm_states: readonly number[]
}

export interface StateChangeState {
  readonly clock: Clock
  readonly alarm: Delayed
}

export function stateChange(options: StateChangeOptions): TimedDetector<StateChangeState> {
  const start = (): StateChangeState => ({ clock: startClock(), alarm: startDelayed() })
  const told = (state: StateChangeState, score: number, transitions: Transition[]): Verdict => ({
    score,
    alert: state.alarm.active,
    transitions,
  })
  return {
    name: 'state-change',
    ...plain('state-change', start),
    step: (state, reading) => {
      if (!isUsable(reading) || !advance(state.clock, reading.at_ms)) return told(state, 0, [])
      const holds = options.alarm_states.includes(reading.value)
      return told(state, holds ? 1 : 0, settle(state.alarm, holds, reading.at_ms, options, 'state'))
    },
    dueAt: (state) => dueAt([state.alarm], options),
    tick: (state, at_ms) => told(state, 0, passTime(state.alarm, at_ms, options, 'state')),
  }
}

/** Too many events in a sliding window; each reading is so many events as its value says. The score is the count by its limit. */
export interface EventCountOptions {
  readonly limit: number
  readonly window_ms: number
}

export interface EventCountState {
  /** Events by twentieth of the window, the oldest first. */
  readonly counts: number[]
  /** Number of the newest twentieth since the epoch. */
  newest: number | null
  active: boolean
}

const PARTS = 20

export function eventCount(options: EventCountOptions): TimedDetector<EventCountState> {
  const start = (): EventCountState => ({
    counts: Array.from({ length: PARTS }, () => 0),
    newest: null,
    active: false,
  })
  return {
    name: 'event-count',
    ...plain('event-count', start),
    step: (state, reading) => stepEvents(state, reading, options),
    tick: (state, at_ms) => judge(state, at_ms, options),
    // No events are good news: the window moves on, and an alert may clear.
    dueAt: ({ active, newest }) =>
      active && newest !== null ? ((newest + 1) * options.window_ms) / PARTS : null,
  }
}

function stepEvents(state: EventCountState, reading: Reading, options: EventCountOptions): Verdict {
  const part = slide(state, reading.at_ms, options)
  // A late event counts in its own part of the window, if that is still within it.
  const at = PARTS - 1 - ((state.newest ?? part) - part)
  if (isUsable(reading) && at >= 0)
    state.counts[at] = (state.counts[at] as number) + Math.max(0, reading.value)
  return judge(state, reading.at_ms, options)
}

/** Moves the window on; returns the number of the part that the time is in. */
function slide(state: EventCountState, at_ms: number, { window_ms }: EventCountOptions): number {
  const part = Math.floor((at_ms * PARTS) / window_ms)
  const moved = state.newest === null ? 0 : Math.min(PARTS, part - state.newest)
  for (let i = 0; i < moved; i++) {
    state.counts.shift()
    state.counts.push(0)
  }
  state.newest = Math.max(part, state.newest ?? part)
  return part
}

function judge(state: EventCountState, at_ms: number, options: EventCountOptions): Verdict {
  slide(state, at_ms, options)
  const score = state.counts.reduce((sum, count) => sum + count, 0) / options.limit
  const active = score > 1
  const changed = active !== state.active
  state.active = active
  const to = active ? 'raised' : 'cleared'
  return { score, alert: active, transitions: changed ? [{ to, condition: 'event-count', at_ms }] : [] }
}
