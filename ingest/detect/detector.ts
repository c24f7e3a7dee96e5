import type { z } from 'zod'
import type { sample } from '../../schemas/sample.ts'

/** One reading of the series that a detector watches. */
export type Reading = Pick<z.infer<typeof sample>, 'at_ms' | 'value' | 'quality'>

/** An alert of a detector begins or ends. */
export interface Transition {
  readonly to: 'raised' | 'cleared'
  /** Which condition of the detector; the detector's name where it knows only one. */
  readonly condition: string
  /** By event time: of the reading that decided, or of the moment when a delay ran out. */
  readonly at_ms: number
}

/** What a detector says about one reading. */
export interface Verdict {
  /** How unusual, at least 0; comparable within one detector only. */
  readonly score: number
  /** Whether an alert is active after this reading; a detector of moments says so on the reading alone. */
  readonly alert: boolean
  readonly transitions: readonly Transition[]
  /** Figures that explain the verdict, with their unit in the name; null where there is none. */
  readonly detail?: Readonly<Record<string, number | null>>
}

/** A finite number, a text, a truth value, null, or lists and objects of these. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * A fold over the readings of one series. `step` changes the state in place; it reads no clock, draws no random number,
 * does no I/O and sees no later reading, so the same readings give the same verdicts. The state has a fixed bound.
 */
export interface Detector<State, Input = Reading> {
  readonly name: string
  start(): State
  step(state: State, input: Input): Verdict
  /** Everything that `restore` needs to go on as if nothing had happened. */
  save(state: State): Json
  /** Throws TypeError when `saved` is not what `save` of this detector gave. */
  restore(saved: Json): State
}

/** A detector for which it matters that time passes although nothing arrives. */
export interface TimedDetector<State> extends Detector<State> {
  /** It is `at_ms` by the series' time, and no reading came. */
  tick(state: State, at_ms: number): Verdict
  /** When a tick will have something to say if nothing else is read; null: never. */
  dueAt(state: State): number | null
}

const NO_TRANSITIONS: readonly Transition[] = Object.freeze([])

/** Nothing unusual, nothing changed. Shared, so that quiet readings allocate nothing. */
export const QUIET: Verdict = Object.freeze({ score: 0, alert: false, transitions: NO_TRANSITIONS })

/** A verdict without transitions. */
export const unchanged = (score: number, alert: boolean): Verdict =>
  score === 0 && !alert ? QUIET : { score, alert, transitions: NO_TRANSITIONS }

/** Values beyond it are no readings, and their squares would not be numbers. */
const LARGEST_VALUE = 1e100

/** Whether a reading says anything about the process: the source vouches for it, and it is a number. */
export const isUsable = (reading: Reading): boolean =>
  (reading.quality === 'good' || reading.quality === 'uncertain') && Math.abs(reading.value) <= LARGEST_VALUE

/** `save` and `restore` of a state that is JSON already. */
export function plain<State extends object>(
  name: string,
  start: () => State,
): Pick<Detector<State>, 'start' | 'save' | 'restore'> {
  return {
    start,
    save: (state) => ({ detector: name, state: JSON.parse(JSON.stringify(state)) as Json }),
    restore: (saved) => {
      const found = saved as { detector?: unknown; state?: unknown } | null
      const fresh = start()
      const state = found?.detector === name && typeof found.state === 'object' ? found.state : null
      const keys = Object.keys(fresh)
      if (state === null || Object.keys(state).length !== keys.length || !keys.every((key) => key in state))
        throw new TypeError(`not a state of the ${name} detector`)
      return state as State
    },
  }
}
