import type { Detector, Reading, Transition, Verdict } from '../../ingest/detect/detector.ts'

export const START_MS = Date.UTC(2026, 0, 5)
export const MINUTE_MS = 60_000

/** Readings in equal steps; `undefined` leaves one out, a quality marks the value as not vouched for. */
export function readings(
  values: readonly (number | undefined)[],
  options: { step_ms?: number; from_ms?: number; quality?: Reading['quality'] } = {},
): Reading[] {
  const { step_ms = MINUTE_MS, from_ms = START_MS, quality = 'good' } = options
  return values.flatMap((value, i) =>
    value === undefined ? [] : [{ at_ms: from_ms + i * step_ms, value, quality }],
  )
}

/** All verdicts, in order. */
export function watch<State, Input>(
  detector: Detector<State, Input>,
  inputs: readonly Input[],
  state: State = detector.start(),
): Verdict[] {
  return inputs.map((input) => detector.step(state, input))
}

/** What was raised and cleared, with the time since the start. */
export const told = (verdicts: readonly Verdict[], unit_ms = MINUTE_MS): string[] =>
  verdicts
    .flatMap(({ transitions }) => transitions)
    .map(({ to, condition, at_ms }: Transition) => `${(at_ms - START_MS) / unit_ms} ${condition} ${to}`)

/** Uniform numbers in [0, 1) that a seed determines. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
