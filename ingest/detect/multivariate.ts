import { type Chart, chartScore, learnChart, startChart } from './chart.ts'
import type { Detector, Json, Transition, Verdict } from './detector.ts'
import {
  distances,
  type Gaussian,
  learnRow,
  restoreGaussian,
  saveGaussian,
  standardised,
  startGaussian,
  valueAt,
} from './gaussian.ts'

/**
 * One alert for a machine's group of sensors. Four charts look at each row: Hotelling's T² of the row and the largest part of it that
 * the other columns do not explain, and both of the row's exponentially weighted mean (small lasting shifts), against the covariance
 * of such means, since processes are slow. The correlation is shrunk towards independence, so T² covers the residual space as well
 * and is defined from the first rows on. Each chart's limit is made of its own values on rows that were not learned yet.
 */
export interface Row {
  readonly at_ms: number
  /** One value for each column; NaN where it is missing or not vouched for. */
  readonly values: readonly number[]
}

export interface MultivariateOptions {
  /** Rows that are learned before the first is judged; by default three for each column, at least 100. */
  readonly learn_rows?: number | undefined
  /** Rows after which nothing is learned any more. */
  readonly stop_learning_rows?: number | undefined
}

interface WaitingRow {
  readonly values: readonly number[]
  readonly smoothed: readonly number[]
  readonly statistics: readonly number[]
}

export interface MultivariateState {
  last_at_ms: number
  /** Of rows, and of smoothed rows. */
  plain: Gaussian
  slow: Gaussian
  smoothed: number[]
  charts: readonly Chart[]
  /** Rows that wait to be learned, the oldest first. */
  waiting: WaitingRow[]
  /** Whether each of the last rows was beyond a limit, the newest in the lowest bit. */
  recent: number
  active: boolean
  /** Rows since the alert was raised. */
  active_rows: number
}

const LEARN_ROWS = 100
const LEARN_ROWS_PER_COLUMN = 3
const SMOOTHING = 0.1
/** Nothing is learned before so many rows without alert after it: a fault that shows late does not teach. */
const WAIT_ROWS = 60
/** Limits are wider by so many rows and one for each column, as a share of the rows that are known. */
const FEW_ROWS = 20
/** Little is known before so many rows. */
const YOUNG_ROWS = 500
const YOUNG_ROWS_PER_COLUMN = 10
/** When an alert has lasted for so many rows, what it tells is the new usual: everything is learned anew. */
const RELEARN_ROWS = 5_000
const RAISE_ROWS = 3
const RAISE_OF = 4
const CLEAR_AFTER_ROWS = 10

export function multivariate(
  columns: number,
  options: MultivariateOptions = {},
): Detector<MultivariateState, Row> {
  const learn_rows = options.learn_rows ?? Math.max(LEARN_ROWS, LEARN_ROWS_PER_COLUMN * columns)
  const stop_learning_rows = options.stop_learning_rows ?? Number.POSITIVE_INFINITY
  return {
    name: 'multivariate',
    start: () => start(columns),
    step: (state, row) => step(state, row, learn_rows, stop_learning_rows),
    save,
    restore: (json) => restore(json, columns),
  }
}

function start(columns: number): MultivariateState {
  return {
    last_at_ms: Number.NEGATIVE_INFINITY,
    plain: startGaussian(columns),
    slow: startGaussian(columns),
    smoothed: Array.from({ length: columns }, () => Number.NaN),
    charts: [startChart(), startChart(), startChart(), startChart()],
    waiting: [],
    recent: 0,
    active: false,
    active_rows: 0,
  }
}

/** Rows that lack more than half of their values, or come late, are neither judged nor learned. */
function step(state: MultivariateState, row: Row, learn_rows: number, stop_rows: number): Verdict {
  const known = row.values.reduce((sum, value) => sum + (Number.isFinite(value) ? 1 : 0), 0)
  if (row.at_ms <= state.last_at_ms || known * 2 < row.values.length) return told(state, 0, [])
  state.last_at_ms = row.at_ms
  const given = row.values.map((value) => (Number.isFinite(value) ? value : Number.NaN))
  const { rows } = state.plain
  const judged = rows * 2 >= learn_rows
  const deviations = judged ? standardised(state.plain, given) : null
  const values = given.map((value, i) =>
    deviations === null ? value : present(state.plain, value, deviations, i),
  )
  state.smoothed = state.smoothed.map((mean, i) => smooth(mean, values[i] as number))
  const statistics = deviations === null ? [] : measure(state, deviations)
  const scores = statistics.map((statistic, i) => chartScore(state.charts[i] as Chart, statistic))
  // The estimates of few rows are wide of the mark.
  const score = rows >= learn_rows ? Math.max(0, ...scores) / (1 + (row.values.length + FEW_ROWS) / rows) : 0
  const changes = transitions(state, score, row.at_ms)
  state.active_rows = state.active ? state.active_rows + 1 : 0
  if (state.active_rows >= RELEARN_ROWS) relearn(state)
  else if (rows < stop_rows)
    wait(state, { values, smoothed: state.smoothed, statistics }, score, rows >= learn_rows)
  return told(state, score, changes)
}

function relearn(state: MultivariateState): void {
  const { plain, slow, charts, waiting } = start(state.smoothed.length)
  Object.assign(state, { plain, slow, charts, waiting, active_rows: 0 })
}

/** While little is known, what is within the limits is learned during an alert as well, or wrong limits would never mend. */
function wait(state: MultivariateState, row: WaitingRow, score: number, judging: boolean): void {
  const young = state.plain.rows < Math.max(YOUNG_ROWS, YOUNG_ROWS_PER_COLUMN * row.values.length)
  if (score >= 1) return
  if (state.active && !young) state.waiting = []
  state.waiting.push(row)
  if (!judging || state.waiting.length > WAIT_ROWS) learnOldest(state)
}

/** A value, or what is expected in its place: a mean that stood still while others moved would look like a fault. */
const present = (gaussian: Gaussian, value: number, deviations: Float64Array, i: number): number =>
  Number.isNaN(value) ? valueAt(gaussian, i, deviations[i] as number) : value

function smooth(mean: number, value: number): number {
  if (Number.isNaN(value)) return mean
  return Number.isNaN(mean) ? value : mean + SMOOTHING * (value - mean)
}

/** The statistics of the charts, by logarithm, where they are nearly normal. */
function measure(state: MultivariateState, deviations: Float64Array): number[] {
  return [
    ...distances(state.plain, deviations),
    ...distances(state.slow, standardised(state.slow, state.smoothed)),
  ].map((statistic) => Math.log(1e-6 + statistic))
}

function learnOldest(state: MultivariateState): void {
  const oldest = state.waiting.shift()
  if (oldest === undefined) return
  for (const [i, statistic] of oldest.statistics.entries()) learnChart(state.charts[i] as Chart, statistic)
  learnRow(state.plain, oldest.values)
  learnRow(state.slow, oldest.smoothed)
}

function transitions(state: MultivariateState, score: number, at_ms: number): Transition[] {
  state.recent = ((state.recent << 1) | (score >= 1 ? 1 : 0)) & ((1 << CLEAR_AFTER_ROWS) - 1)
  const beyond = bits(state.recent & ((1 << RAISE_OF) - 1))
  const condition = 'multivariate'
  if (!state.active && beyond >= RAISE_ROWS) {
    state.active = true
    return [{ to: 'raised', condition, at_ms }]
  }
  if (state.active && state.recent === 0) {
    state.active = false
    return [{ to: 'cleared', condition, at_ms }]
  }
  return []
}

function bits(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}

const told = (state: MultivariateState, score: number, changes: readonly Transition[]): Verdict => ({
  score,
  alert: state.active,
  transitions: changes,
})

/** Columns by how far their values lie from their means, the furthest first: column and deviations. */
export function largestDeviations(
  { plain }: MultivariateState,
  values: readonly number[],
): readonly (readonly [column: number, deviations: number])[] {
  return [...standardised(plain, values)]
    .map((deviation, column) => [column, deviation] as const)
    .toSorted((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
}

/** JSON has no NaN. */
const numbers = (values: readonly number[]): (number | null)[] =>
  values.map((value) => (Number.isNaN(value) ? null : value))
const orNaN = (values: readonly (number | null)[]): number[] => values.map((value) => value ?? Number.NaN)

function saved(state: MultivariateState) {
  return {
    last_at_ms: Number.isFinite(state.last_at_ms) ? state.last_at_ms : null,
    plain: saveGaussian(state.plain),
    slow: saveGaussian(state.slow),
    smoothed: numbers(state.smoothed),
    charts: state.charts.map((chart) => ({ ...chart })),
    waiting: state.waiting.map(({ values, smoothed, statistics }) => ({
      values: numbers(values),
      smoothed: numbers(smoothed),
      statistics,
    })),
    recent: state.recent,
    active: state.active,
    active_rows: state.active_rows,
  }
}

const save = (state: MultivariateState): Json => saved(state)

function restore(json: Json, columns: number): MultivariateState {
  const found = json as unknown as ReturnType<typeof saved> | null
  if (found?.smoothed?.length !== columns)
    throw new TypeError(`not a state of the multivariate detector of ${columns} columns`)
  return {
    last_at_ms: found.last_at_ms ?? Number.NEGATIVE_INFINITY,
    plain: restoreGaussian(found.plain),
    slow: restoreGaussian(found.slow),
    smoothed: orNaN(found.smoothed),
    charts: found.charts,
    waiting: found.waiting.map(({ values, smoothed, statistics }) => ({
      values: orNaN(values),
      smoothed: orNaN(smoothed),
      statistics,
    })),
    recent: found.recent,
    active: found.active,
    active_rows: found.active_rows,
  }
}
