import { z } from 'zod'
import { compileExpression, expressionText, ExpressionError } from './expression.ts'
import { LIMITS } from './limits.ts'

const labelName = z.string().min(1).max(LIMITS.label_name_chars)

/** How any JSON becomes alerts: expressions in CEL over `alert` (one item), `body` (all of the message) and `headers`. */
export const mapping = z.strictObject({
  alerts: expressionText
    .optional()
    .describe(
      'the list of items that become alerts; by default the body if it is a list, or else the body alone',
    )
    .meta({ examples: ['body.alerts'] }),
  drop: expressionText
    .optional()
    .describe('an item for which this is true is left out')
    .meta({ examples: ['alert.kind == "heartbeat"'] }),
  labels: z
    .record(labelName, expressionText)
    .refine((labels) => Object.keys(labels).length > 0, 'expected at least one label, such as alertname')
    .describe('label → expression; one that gives nothing (`alert.?host`) leaves the label out')
    .meta({ examples: [{ alertname: 'alert.check', host: 'alert.?host', site: '"hamburg"' }] }),
  annotations: z
    .record(labelName, expressionText)
    .default({})
    .describe('annotation → expression, likewise')
    .meta({ examples: [{ summary: 'alert.message' }] }),
  severity: expressionText
    .optional()
    .describe('becomes the label severity, which `severity.map` reads')
    .meta({ examples: ['alert.prio'] }),
  starts_at: expressionText
    .optional()
    .describe('when it began: RFC 3339, or a number since 1970 in s, ms, µs or ns')
    .meta({ examples: ['alert.time'] }),
  ends_at: expressionText
    .optional()
    .describe('when it ended or will end, likewise')
    .meta({ examples: ['alert.?until'] }),
  resolved: expressionText
    .optional()
    .describe('true: the alert is over')
    .meta({ examples: ['alert.state == "ok"'] }),
  link: expressionText
    .optional()
    .describe('address that people may look at')
    .meta({ examples: ['alert.?url'] }),
  fingerprint_labels: z
    .array(labelName)
    .min(1)
    .max(LIMITS.labels_per_alert)
    .optional()
    .describe(
      'the labels that every message about an alert carries and that name it; by default all. Those of `scope` belong here',
    )
    .meta({ examples: [['alertname', 'host']] }),
})
export type Mapping = z.infer<typeof mapping>

/** What the expression for the list, and those for one item, may name. */
export const MESSAGE_VARIABLES = ['body', 'headers'] as const
export const ITEM_VARIABLES = ['alert', ...MESSAGE_VARIABLES] as const

const SINGLE = ['drop', 'severity', 'starts_at', 'ends_at', 'resolved', 'link'] as const

/** An expression with the keys that lead to it, and what it may name. */
export type PlacedExpression = readonly [path: readonly string[], text: string, variables: readonly string[]]

/** Which of them cannot be used, and why. */
export function expressionFaults(
  expressions: readonly PlacedExpression[],
): { readonly path: readonly string[]; readonly message: string }[] {
  return expressions.flatMap(([path, text, variables]) => {
    try {
      compileExpression(text, variables)
      return []
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      return [{ path, message: `${error.message}; an expression in CEL may name ${variables.join(', ')}` }]
    }
  })
}

function expressionsOf(given: Mapping): PlacedExpression[] {
  const of_item = [
    ...SINGLE.flatMap((key) => (given[key] === undefined ? [] : [[[key], given[key]] as const])),
    ...Object.entries(given.labels).map(([name, text]) => [['labels', name], text] as const),
    ...Object.entries(given.annotations).map(([name, text]) => [['annotations', name], text] as const),
  ]
  const of_message = given.alerts === undefined ? [] : [[['alerts'], given.alerts] as const]
  return [
    ...of_message.map(([path, text]) => [path, text, MESSAGE_VARIABLES] as const),
    ...of_item.map(([path, text]) => [path, text, ITEM_VARIABLES] as const),
  ]
}

/** What is wrong with the expressions and names of a mapping. */
export function mappingFaults(
  given: Mapping,
): { readonly path: readonly string[]; readonly message: string }[] {
  const faults = expressionFaults(expressionsOf(given))
  const names = new Set([...Object.keys(given.labels), ...(given.severity === undefined ? [] : ['severity'])])
  const unknown = (given.fingerprint_labels ?? []).filter((name) => !names.has(name))
  return [
    ...faults,
    ...unknown.map((name) => ({
      path: ['fingerprint_labels'],
      message: `${name} is none of the labels of this mapping`,
    })),
  ]
}
