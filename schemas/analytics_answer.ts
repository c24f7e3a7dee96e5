import { z } from 'zod'
import { timeMs } from './alert.ts'

const figure = z.number().nullable()
const count = z.number().min(0)
const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() })
const text = z.object({ en: z.string(), zh: z.string() })
const period = z.object({ from_ms: timeMs, to_ms: timeMs })

const metricKind = z.enum(['duration', 'share', 'ratio'])
const metricUnit = z.enum(['ms', 'share', 'per-10-min', 'per-day', 'count', 'points', 'money'])
const better = z.enum(['less', 'more']).nullable()

/** Figures of one group in one period. */
const figures = z.object({
  /** What the figure is made of: incidents, alarms, events. */
  n: count,
  /** Of durations the median by Kaplan and Meier; null: not reached, or nothing there, or withheld. */
  value: figure,
  /** Bounds of 95 %; null: not reached. */
  low: figure,
  high: figure,
  duration: z
    .object({
      /** Without the event and open: known only to take longer than until now. */
      open: count,
      /** Closed without the event. */
      closed_without: count,
      p75: figure,
      p90: figure,
      p95: figure,
      /** Probability of the event within a time. */
      within: z.object({ ms: count, probability: estimate.nullable() }),
    })
    .optional(),
  /** Of shares: how many it is true of. */
  hits: count.optional(),
  ratio: z.object({ numerator: z.number(), denominator: z.number(), days: count }).optional(),
})

const groupFigures = z.object({
  /** Dimension → value, in the order of the question. */
  by: z.record(z.string(), z.string()),
  ...figures.shape,
  /** The same group in the period that it is compared with; null: not asked for, or not there. */
  compared: z
    .object({
      ...figures.shape,
      verdict: z.object({
        code: z.enum(['no-evidence', 'lower', 'higher', 'withheld', 'not-reached']),
        difference: estimate.nullable(),
        text,
      }),
    })
    .nullable(),
})
export type GroupFigures = z.infer<typeof groupFigures>

/** A query that may be run again: its text and its bound parameters. */
const explained = z.object({ sql: z.string(), parameters: z.record(z.string(), z.unknown()) })

/** A figure of the history by its groups. */
export const metricAnswer = z.object({
  metric: z.string(),
  kind: metricKind,
  unit: metricUnit,
  better,
  /** Durations are by the wall clock, or in business hours less pauses. */
  time: z.enum(['wall', 'business']),
  period,
  compared: period.nullable(),
  as_of_ms: timeMs,
  tz: z.string(),
  groups: z.array(groupFigures),
  explain: explained.optional(),
})
export type MetricAnswer = z.infer<typeof metricAnswer>

/** What a metric means. */
export const metricDescription = z.object({
  name: z.string(),
  kind: metricKind,
  unit: metricUnit,
  better,
  about: z.enum(['incidents', 'alarms', 'times']),
  title: text,
  definition: text,
  traps: z.array(z.string()),
  dimensions: z.array(z.string()),
})

/** What a table of rows means. */
export const tableDescription = z.object({ name: z.string(), title: text, definition: text })

const column = z.object({ name: z.string(), title: text, unit: metricUnit.nullable() })

/** Rows behind a panel. */
export const tableAnswer = z.object({
  table: z.string(),
  period,
  as_of_ms: timeMs,
  tz: z.string(),
  columns: z.array(column),
  rows: z.array(z.record(z.string(), z.unknown())),
  /** False: there are more rows than are given. */
  complete: z.boolean(),
  explain: explained.optional(),
})
export type TableAnswer = z.infer<typeof tableAnswer>

/** Curves of Kaplan and Meier: the share that takes longer than a time. */
export const survivalAnswer = z.object({
  metric: z.string(),
  period,
  as_of_ms: timeMs,
  tz: z.string(),
  /** The largest groups first. */
  curves: z.array(
    z.object({
      by: z.record(z.string(), z.string()),
      n: count,
      open: count,
      closed_without: count,
      /** Null: not reached. */
      median: z.object({ value: figure, low: figure, high: figure }),
      followed_for_ms: count,
      /** After each step the curve is level; it begins at 1. Bounds of 95 % by Greenwood; `at_risk` just before the step. */
      steps: z.array(
        z.object({ ms: count, survival: z.number(), low: z.number(), high: z.number(), at_risk: count }),
      ),
      /** When subjects left without the event. */
      censored: z.array(z.object({ ms: count, count })),
    }),
  ),
  curves_left_out: count,
  explain: explained.optional(),
})
export type SurvivalAnswer = z.infer<typeof survivalAnswer>
