import { z } from 'zod'
import type { Detector, Reading, Verdict } from './detector.ts'
import { counter } from './counter.ts'
import { cusum, pageHinkley } from './drift.ts'
import { eventCount, stateChange } from './events.ts'
import { forecast } from './forecast.ts'
import { limits, limitsProblem } from './limits.ts'
import { mOfN } from './m_of_n.ts'
import { multivariate, type Row } from './multivariate.ts'
import { novelty } from './novelty.ts'
import { rate } from './rate.ts'
import { seasonal } from './seasonal.ts'
import { stale } from './stale.ts'
import { stuck } from './stuck.ts'

/** A detector at work on one series or group, its state inside. */
export type Watcher<Input> = (input: Input) => Verdict

function watcher<State, Input>(detector: Detector<State, Input>): Watcher<Input> {
  const state = detector.start()
  return (input) => detector.step(state, input)
}

/** A detector by name with its options; what is wrong with them is thrown as ZodError. */
export interface Entry<Input> {
  readonly options: z.ZodObject
  /** The same with its state apart, for who keeps it. */
  detector(options: unknown, columns: number): Detector<object, Input>
  /** Options as JSON or YAML gives them; `columns` of a group. */
  make(options: unknown, columns: number): Watcher<Input>
}

function entry<Options extends z.ZodObject, State, Input>(
  options: Options,
  detector: (options: z.output<Options>, columns: number) => Detector<State, Input>,
): Entry<Input> {
  return {
    options,
    // What a state is, is each detector's own affair.
    detector: (given, columns) =>
      detector(options.parse(given), columns) as unknown as Detector<object, Input>,
    make: (given, columns) => watcher(detector(options.parse(given), columns)),
  }
}

const YEAR_MS = 366 * 86_400_000
const rows = z.int().min(2).max(1_000_000)
const positive = z.number().positive()
const duration = z.number().min(0).max(YEAR_MS)
const delays = { on_delay_ms: duration.default(0), off_delay_ms: duration.default(0) }
/** Deviations and mean are learned from so many readings unless both are given. */
const standard = {
  learn_readings: rows.default(200),
  mean: z.number().optional(),
  deviation: positive.optional(),
}
const deadband = z.number().min(0)

/** Makes an object refuse options that name none of several. */
const oneOf = <Options extends z.ZodObject>(options: Options, ...names: string[]): Options =>
  options.refine((given) => names.some((name) => given[name] !== undefined), {
    error: `at least one of ${names.join(', ')} is needed`,
  })

const LIMITS = z
  .strictObject({
    high_high: z.number().optional(),
    high: z.number().optional(),
    low: z.number().optional(),
    low_low: z.number().optional(),
    deadband: deadband.default(0),
    high_high_deadband: deadband.optional(),
    high_deadband: deadband.optional(),
    low_deadband: deadband.optional(),
    low_low_deadband: deadband.optional(),
    ...delays,
  })
  .superRefine((options, context) => {
    const problem = limitsProblem(options)
    if (problem !== null) context.addIssue({ code: 'custom', message: problem })
  })

const M_OF_N = oneOf(
  z.strictObject({
    m: z.int().min(1).max(32),
    n: z.int().min(1).max(32),
    above: z.number().optional(),
    below: z.number().optional(),
    clear_at: z.int().min(0).max(31).default(0),
  }),
  'above',
  'below',
).refine(({ m, n, clear_at }) => clear_at < m && m <= n, {
  error: 'clear_at must be below m, and m at most n',
})

const RATE = oneOf(
  z.strictObject({
    rise_per_s: positive.optional(),
    fall_per_s: positive.optional(),
    least_gap_ms: duration.default(1_000),
    longest_gap_ms: duration.default(3_600_000),
    ...delays,
  }),
  'rise_per_s',
  'fall_per_s',
)

const FORECAST = oneOf(
  z.strictObject({
    high: z.number().optional(),
    low: z.number().optional(),
    horizon_ms: duration.default(3_600_000),
    memory_ms: positive.max(YEAR_MS).default(1_800_000),
    certainty: positive.default(3),
  }),
  'high',
  'low',
)

const COUNTER = oneOf(
  z.strictObject({
    most_per_s: positive.optional(),
    least_per_s: positive.optional(),
    wraps_at: positive.optional(),
    longest_gap_ms: duration.default(3_600_000),
    ...delays,
  }),
  'most_per_s',
  'least_per_s',
)

/** Of one series. */
export const SERIES_DETECTORS: Readonly<Record<string, Entry<Reading>>> = {
  novelty: entry(z.strictObject({}), () => novelty),
  limits: entry(LIMITS, limits),
  'm-of-n': entry(M_OF_N, mOfN),
  rate: entry(RATE, rate),
  stuck: entry(
    z.strictObject({
      band: z.number().min(0).default(0),
      after_ms: positive.max(YEAR_MS).default(3_600_000),
      least_readings: z.int().min(2).default(10),
      longest_gap_ms: duration.default(3_600_000),
    }),
    stuck,
  ),
  stale: entry(
    z.strictObject({
      expected_gap_ms: positive.max(YEAR_MS).optional(),
      gaps: z.number().min(1).default(5),
      least_ms: duration.default(60_000),
      away_ms: positive.max(YEAR_MS).optional(),
    }),
    stale,
  ),
  cusum: entry(
    z.strictObject({ slack: positive.default(0.5), limit: positive.default(5), ...standard }),
    cusum,
  ),
  'page-hinkley': entry(
    z.strictObject({ slack: positive.default(0.2), limit: positive.default(25), ...standard }),
    pageHinkley,
  ),
  forecast: entry(FORECAST, forecast),
  counter: entry(COUNTER, counter),
  seasonal: entry(
    z.strictObject({
      deviations: positive.default(5),
      learn_weeks: z.int().min(1).default(2),
      learn_rate: z.number().positive().max(1).default(0.2),
      ...delays,
    }),
    seasonal,
  ),
  'state-change': entry(
    z.strictObject({ alarm_states: z.array(z.number()).min(1).max(100), ...delays }),
    stateChange,
  ),
  'event-count': entry(
    z.strictObject({ limit: positive, window_ms: z.number().min(1_000).max(YEAR_MS) }),
    eventCount,
  ),
}

/** Of a group of series that are read together. */
export const GROUP_DETECTORS: Readonly<Record<string, Entry<Row>>> = {
  multivariate: entry(
    z.strictObject({ learn_rows: rows.optional(), stop_learning_rows: rows.optional() }),
    (options, columns) => multivariate(columns, options),
  ),
}
