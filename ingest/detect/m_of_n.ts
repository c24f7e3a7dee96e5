import { advance, type Clock, startClock } from './clock.ts'
import { type Detector, isUsable, plain, type Reading, type Transition, type Verdict } from './detector.ts'

/** A limit that M of the last N readings must be beyond; the score is the share of the N that are. */
export interface MOfNOptions {
  readonly m: number
  /** At most 32. */
  readonly n: number
  readonly above?: number | undefined
  readonly below?: number | undefined
  /** The alert clears when no more than so many of the last N are beyond. */
  readonly clear_at: number
}

export interface MOfNState {
  readonly clock: Clock
  /** Whether each of the last readings was beyond, the newest in the lowest bit. */
  recent: number
  active: boolean
}

const CONDITION = 'm-of-n'

export function mOfN(options: MOfNOptions): Detector<MOfNState> {
  const start = (): MOfNState => ({ clock: startClock(), recent: 0, active: false })
  return {
    name: 'm-of-n',
    ...plain('m-of-n', start),
    step: (state, reading) => step(state, reading, options),
  }
}

function step(state: MOfNState, reading: Reading, options: MOfNOptions): Verdict {
  let changes: Transition[] = []
  if (isUsable(reading) && advance(state.clock, reading.at_ms)) {
    const { above = Number.POSITIVE_INFINITY, below = Number.NEGATIVE_INFINITY } = options
    const beyond = reading.value > above || reading.value < below
    const mask = options.n === 32 ? -1 : (1 << options.n) - 1
    state.recent = ((state.recent << 1) | (beyond ? 1 : 0)) & mask
    changes = change(state, reading.at_ms, options)
  }
  return { score: ones(state.recent) / options.n, alert: state.active, transitions: changes }
}

function change(state: MOfNState, at_ms: number, { m, clear_at }: MOfNOptions): Transition[] {
  const count = ones(state.recent)
  if (state.active ? count > clear_at : count < m) return []
  state.active = !state.active
  return [{ to: state.active ? 'raised' : 'cleared', condition: CONDITION, at_ms }]
}

function ones(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}
