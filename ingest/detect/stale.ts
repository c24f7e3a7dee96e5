import {
  isUsable,
  plain,
  type Reading,
  type TimedDetector,
  type Transition,
  type Verdict,
} from './detector.ts'

/**
 * A series that says nothing (`missing`), or nothing that its source vouches for (`bad-quality`), for so many of its usual gaps.
 * The usual gap is learned unless it is given. Other detectors keep their alerts meanwhile. The score is the time by that limit.
 */
export interface StaleOptions {
  readonly expected_gap_ms?: number | undefined
  readonly gaps: number
  readonly least_ms: number
  /** When not even a tick came for so long, the watcher was away: the time counts from its return. By default it never is. */
  readonly away_ms?: number | undefined
}

export interface StaleState {
  /** Of the last input of any kind. */
  now_ms: number | null
  arrived_ms: number | null
  usable_ms: number | null
  gap_ms: number | null
  missing: boolean
  bad: boolean
}

/** A longer gap moves the usual one slowly, a shorter one quickly: an outage is not the usual gap. */
const LONGER_RATE = 0.02
const SHORTER_RATE = 0.2

export function stale(options: StaleOptions): TimedDetector<StaleState> {
  const start = (): StaleState => ({
    now_ms: null,
    arrived_ms: null,
    usable_ms: null,
    gap_ms: options.expected_gap_ms ?? null,
    missing: false,
    bad: false,
  })
  return {
    name: 'stale',
    ...plain('stale', start),
    step: (state, reading) => step(state, reading, options),
    dueAt: (state) => {
      const limit_ms = limitOf(state, options)
      return limit_ms === null || state.missing || state.arrived_ms === null
        ? null
        : state.arrived_ms + limit_ms + 1
    },
    tick: (state, at_ms) => verdict(state, at_ms, options, due(state, at_ms, options)),
  }
}

function step(state: StaleState, reading: Reading, options: StaleOptions): Verdict {
  const { at_ms } = reading
  const late = state.now_ms !== null && at_ms <= state.now_ms
  const changes = late ? [] : due(state, at_ms, options)
  if (!late) {
    learnGap(state, at_ms, options)
    state.arrived_ms = at_ms
  }
  // A late reading is a reading: the device lives.
  if (state.missing) changes.push(change(state, 'missing', at_ms))
  if (isUsable(reading)) {
    state.usable_ms = Math.max(at_ms, state.usable_ms ?? at_ms)
    if (state.bad) changes.push(change(state, 'bad', at_ms))
  } else state.usable_ms ??= at_ms
  return verdict(state, at_ms, options, changes)
}

function learnGap(state: StaleState, at_ms: number, options: StaleOptions): void {
  if (options.expected_gap_ms !== undefined || state.arrived_ms === null) return
  const gap_ms = at_ms - state.arrived_ms
  const known = state.gap_ms ?? gap_ms
  state.gap_ms =
    known + (gap_ms > known ? LONGER_RATE : SHORTER_RATE) * (Math.min(gap_ms, 10 * known) - known)
}

/** What fell due until now, at the moment it did. */
function due(state: StaleState, at_ms: number, options: StaleOptions): Transition[] {
  const away_ms = options.away_ms !== undefined && state.now_ms !== null ? at_ms - state.now_ms : 0
  if (options.away_ms !== undefined && away_ms > options.away_ms) {
    state.arrived_ms = state.arrived_ms === null ? null : state.arrived_ms + away_ms
    state.usable_ms = state.usable_ms === null ? null : state.usable_ms + away_ms
  }
  state.now_ms = at_ms
  const limit_ms = limitOf(state, options)
  const found: Transition[] = []
  if (limit_ms === null || state.arrived_ms === null || state.usable_ms === null) return found
  if (!state.missing && at_ms - state.arrived_ms > limit_ms)
    found.push(change(state, 'missing', state.arrived_ms + limit_ms))
  // Nothing at all is missing; only what arrives can be bad.
  const seen_ms = Math.min(at_ms, state.arrived_ms)
  if (!state.bad && !state.missing && seen_ms - state.usable_ms > limit_ms)
    found.push(change(state, 'bad', state.usable_ms + limit_ms))
  return found
}

const limitOf = (state: StaleState, { gaps, least_ms }: StaleOptions): number | null =>
  state.gap_ms === null ? null : Math.max(least_ms, gaps * state.gap_ms)

function change(state: StaleState, which: 'missing' | 'bad', at_ms: number): Transition {
  state[which] = !state[which]
  const condition = which === 'bad' ? 'bad-quality' : 'missing'
  return { to: state[which] ? 'raised' : 'cleared', condition, at_ms }
}

function verdict(
  state: StaleState,
  at_ms: number,
  options: StaleOptions,
  transitions: Transition[],
): Verdict {
  const limit_ms = limitOf(state, options)
  const waited_ms = state.usable_ms === null ? 0 : Math.max(0, at_ms - state.usable_ms)
  return {
    score: limit_ms === null ? 0 : waited_ms / limit_ms,
    alert: state.missing || state.bad,
    transitions,
  }
}
