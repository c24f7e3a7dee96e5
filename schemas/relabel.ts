import { z } from 'zod'
import { severity } from './alert.ts'
import { compileExpression, expressionText, ExpressionError } from './expression.ts'
import { LIMITS } from './limits.ts'

const labelName = z.string().min(1).max(LIMITS.label_name_chars)

/** What is done to every alert of a source once it is read: expressions in CEL. */
export const relabel = z.strictObject({
  drop: expressionText
    .optional()
    .describe('an alert for which this is true is left out')
    .meta({ examples: ['alert.labels.severity == "none"'] }),
  labels: z
    .record(labelName, expressionText)
    .default({})
    .describe(
      'label → expression, in the place of what the sender told; one that gives nothing takes the label away. Those of `scope` name the scope',
    )
    .meta({ examples: [{ team: 'lookup("hosts", alert.labels.host).?team', tenant: 'token' }] }),
  annotations: z
    .record(labelName, expressionText)
    .default({})
    .describe('annotation → expression, likewise')
    .meta({ examples: [{ runbook: '"https://wiki.example.org/" + alert.labels.alertname' }] }),
  severity: expressionText
    .optional()
    .describe('becomes the label severity')
    .meta({ examples: ['alert.labels.host.startsWith("test-") ? "info" : alert.labels.severity'] }),
  fingerprint: expressionText
    .optional()
    .describe(
      'a text that tells one alert from another, together with the labels of `scope`; firing and resolved messages must give the same',
    )
    .meta({ examples: ['alert.labels.alertname + "/" + alert.labels.host'] }),
  fingerprint_labels: z
    .array(labelName)
    .min(1)
    .max(LIMITS.labels_per_alert)
    .optional()
    .describe('instead: the labels that do; one that has no value is not part of it')
    .meta({ examples: [['alertname', 'host']] }),
})
export type Relabel = z.infer<typeof relabel>

export const severityMap = z
  .record(z.string(), severity)
  .default({})
  .describe('words of this source → critical, high, medium, low, info; before those of `severity.map`')
  .meta({ examples: [{ '1': 'critical', '2': 'high' }] })

/** What an expression of `relabel` may name. */
export const RELABEL_VARIABLES = ['alert', 'headers', 'topic', 'token', 'source'] as const

const SINGLE = ['drop', 'severity', 'fingerprint'] as const

/** Every expression with the keys that lead to it. */
function expressionsOf(given: Relabel): (readonly [path: readonly string[], text: string])[] {
  return [
    ...SINGLE.flatMap((key) => (given[key] === undefined ? [] : [[[key], given[key]] as const])),
    ...Object.entries(given.labels).map(([name, text]) => [['labels', name], text] as const),
    ...Object.entries(given.annotations).map(([name, text]) => [['annotations', name], text] as const),
  ]
}

/** What is wrong with the expressions. */
export function relabelFaults(
  given: Relabel,
): { readonly path: readonly string[]; readonly message: string }[] {
  const faults = expressionsOf(given).flatMap(([path, text]) => {
    try {
      compileExpression(text, RELABEL_VARIABLES)
      return []
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      const names = RELABEL_VARIABLES.join(', ')
      return [{ path, message: `${error.message}; an expression in CEL may name ${names}` }]
    }
  })
  const both = given.fingerprint !== undefined && given.fingerprint_labels !== undefined
  return both
    ? [...faults, { path: ['fingerprint'], message: 'give `fingerprint` or `fingerprint_labels`, not both' }]
    : faults
}
