import { z } from 'zod'
import { expressionText } from './expression.ts'
import type { PlacedExpression } from './mapping.ts'
import { LIMITS } from './limits.ts'

const labelName = z.string().min(1).max(LIMITS.label_name_chars)

/** How any JSON becomes readings: expressions in CEL over `sample` (one item), `body` (all of the message), `headers` and `topic`. */
export const readingsMapping = z
  .strictObject({
    items: expressionText
      .optional()
      .describe(
        'the list of items that tell readings; by default the body if it is a list, or else the body alone',
      )
      .meta({ examples: ['body.points'] }),
    drop: expressionText
      .optional()
      .describe('an item for which this is true is left out')
      .meta({ examples: ['sample.kind != "measurement"'] }),
    at: expressionText
      .optional()
      .describe('when it was measured: RFC 3339, or a number since 1970; by default when it was heard')
      .meta({ examples: ['sample.time'] }),
    labels: z
      .record(labelName, expressionText)
      .default({})
      .describe(
        'label → expression; `equipment` is the place in the plant, from the enterprise down, joined by /',
      )
      .meta({ examples: [{ equipment: '"acme/hamburg/" + sample.cell', machine: 'sample.?machine' }] }),
    values: z
      .record(labelName, expressionText)
      .default({})
      .describe('metric → expression; one that gives nothing (`sample.?pressure`) leaves it out')
      .meta({ examples: [{ temperature: 'sample.temp', pressure: 'sample.?pressure' }] }),
    metric: expressionText
      .optional()
      .describe('where an item tells one reading: what it is called')
      .meta({ examples: ['sample.name'] }),
    value: expressionText
      .optional()
      .describe('and what it is')
      .meta({ examples: ['sample.value'] }),
    quality: expressionText
      .optional()
      .describe('good, uncertain, bad or stale')
      .meta({ examples: ['sample.ok ? "good" : "bad"'] }),
  })
  .refine(
    ({ values, metric, value }) =>
      Object.keys(values).length > 0 || (metric !== undefined && value !== undefined),
    'expected `values`, or `metric` and `value`',
  )
export type ReadingsMapping = z.infer<typeof readingsMapping>

export const READINGS_MESSAGE_VARIABLES = ['body', 'headers', 'topic'] as const
export const READINGS_ITEM_VARIABLES = ['sample', ...READINGS_MESSAGE_VARIABLES] as const

/** Every expression with the keys that lead to it. */
export function readingsExpressions(given: ReadingsMapping): PlacedExpression[] {
  const { items, labels, values, drop, at, metric, value, quality } = given
  const single = Object.entries({ drop, at, metric, value, quality }).flatMap(([key, text]) =>
    text === undefined ? [] : [[[key], text, READINGS_ITEM_VARIABLES] as const],
  )
  const several = Object.entries({ labels, values }).flatMap(([key, texts]) =>
    Object.entries(texts).map(([name, text]) => [[key, name], text, READINGS_ITEM_VARIABLES] as const),
  )
  const of_message = items === undefined ? [] : [[['items'], items, READINGS_MESSAGE_VARIABLES] as const]
  return [...of_message, ...single, ...several]
}

const columnName = z.string().min(1).max(LIMITS.label_name_chars)

/** What the columns of a CSV file tell. */
export const csvColumns = z.strictObject({
  separator: z.string().length(1).default(',').describe('what stands between two columns'),
  columns: z
    .array(columnName)
    .min(1)
    .max(1_000)
    .optional()
    .describe('names of the columns; left out, the first line of each message tells them')
    .meta({ examples: [['time', 'machine', 'temperature']] }),
  time: columnName
    .optional()
    .describe('column of the time; by default the first called timestamp, time, ts or date')
    .meta({ examples: ['time'] }),
  labels: z
    .array(columnName)
    .max(LIMITS.labels_per_alert)
    .default([])
    .describe('columns that are labels; `equipment` is the place in the plant')
    .meta({ examples: [['machine']] }),
  metric: columnName
    .optional()
    .describe(
      'column that names what is measured, where a line is one reading; else each other column is a metric',
    )
    .meta({ examples: ['sensor'] }),
  value: columnName.default('value').describe('with `metric`: column of the value'),
})
export type CsvColumns = z.infer<typeof csvColumns>
