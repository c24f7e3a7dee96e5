import { z } from 'zod'
import type { Detector, Reading, Verdict } from './detector.ts'
import { multivariate, type Row } from './multivariate.ts'
import { novelty } from './novelty.ts'

/** A detector at work on one series or group, its state inside. */
export type Watcher<Input> = (input: Input) => Verdict

function watcher<State, Input>(detector: Detector<State, Input>): Watcher<Input> {
  const state = detector.start()
  return (input) => detector.step(state, input)
}

/** A detector by name with its options; what is wrong with them is thrown as ZodError. */
export interface Entry<Input> {
  readonly options: z.ZodObject
  /** Options as JSON or YAML gives them; `columns` of a group. */
  make(options: unknown, columns: number): Watcher<Input>
}

function entry<Options extends z.ZodObject, State, Input>(
  options: Options,
  detector: (options: z.output<Options>, columns: number) => Detector<State, Input>,
): Entry<Input> {
  return { options, make: (given, columns) => watcher(detector(options.parse(given), columns)) }
}

const rows = z.int().min(2).max(1_000_000)

/** Of one series. */
export const SERIES_DETECTORS: Readonly<Record<string, Entry<Reading>>> = {
  novelty: entry(z.strictObject({}), () => novelty),
}

/** Of a group of series that are read together. */
export const GROUP_DETECTORS: Readonly<Record<string, Entry<Row>>> = {
  multivariate: entry(
    z.strictObject({ learn_rows: rows.optional(), stop_learning_rows: rows.optional() }),
    (options, columns) => multivariate(columns, options),
  ),
}
