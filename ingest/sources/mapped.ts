import type { Labels } from '../../schemas/alert.ts'
import { type Lookup, NO_TABLES, type Variables } from '../../schemas/expression.ts'
import { ITEM_VARIABLES, type Mapping, MESSAGE_VARIABLES } from '../../schemas/mapping.ts'
import { type ExpressionReader, expressionReader, flagOf, readersOf, valuesOf } from './expressions.ts'
import { annotationsOf, firing, labelsOf, linkOf, over, type Times, timeOf } from './fields.ts'
import {
  type Decode,
  decoder,
  DROPPED,
  eachOf,
  type FormatSettings,
  type FoundAlert,
  parseJson,
  type SourceMessage,
  Unreadable,
} from './format.ts'

/** Any JSON, by the mapping of the configuration. */

/** Bounds of one message, so that an expression which goes through a list ends soon. */
const MESSAGE_BYTES = 1_048_576
const LIST_ITEMS = 1_000

/** Nobody maps these to labels on purpose. */
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization'])

function checkLists(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return
  const entries = Object.entries(value)
  if (entries.length > LIST_ITEMS)
    throw new Unreadable('list-too-long', `${path} has ${entries.length} entries, more than ${LIST_ITEMS}`)
  for (const [key, item] of entries) checkLists(item, `${path}.${key.slice(0, 64)}`)
}

class Mapper {
  private readonly mapping: Mapping
  private readonly alerts: ExpressionReader | null
  private readonly labels: readonly (readonly [string, ExpressionReader])[]
  private readonly annotations: readonly (readonly [string, ExpressionReader])[]
  private readonly optional: Readonly<Partial<Record<string, ExpressionReader>>>

  constructor(mapping: Mapping, lookup: Lookup) {
    this.mapping = mapping
    const how = { variables: ITEM_VARIABLES, lookup }
    const { alerts, labels, annotations, severity, drop, starts_at, ends_at, resolved, link } = mapping
    this.alerts =
      alerts === undefined
        ? null
        : expressionReader('alerts', alerts, { variables: MESSAGE_VARIABLES, lookup })
    this.labels = readersOf('labels', labels, how)
    this.annotations = readersOf('annotations', annotations, how)
    const given = Object.entries({ severity, drop, starts_at, ends_at, resolved, link })
    this.optional = Object.fromEntries(
      given.flatMap(([name, text]) =>
        text === undefined ? [] : [[name, expressionReader(name, text, how)]],
      ),
    )
  }

  items(variables: Variables): readonly unknown[] {
    const { body } = variables
    const items =
      this.alerts === null ? (Array.isArray(body) ? (body as unknown[]) : [body]) : this.alerts(variables)
    if (Array.isArray(items)) return items
    throw new Unreadable(
      'expression-type',
      `alerts: expected a list, it gave ${JSON.stringify(items).slice(0, 80)}`,
    )
  }

  alert(
    variables: Variables,
    times: Pick<SourceMessage, 'at_ms'> & FormatSettings,
  ): FoundAlert | typeof DROPPED {
    if (this.optional['drop'] && flagOf('drop', this.optional['drop'](variables))) return DROPPED
    const severity = this.optional['severity']?.(variables)
    const labels = labelsOf({
      ...valuesOf(this.labels, variables),
      ...(severity !== undefined && { severity }),
    })
    if (Object.keys(labels).length === 0) throw new Unreadable('labels-empty', 'no label has a value')
    const identity = this.identity(labels)
    return {
      labels,
      ...(identity && { identity }),
      annotations: annotationsOf(valuesOf(this.annotations, variables)),
      generator_url: linkOf(this.optional['link']?.(variables)),
      ...this.times(variables, times),
    }
  }

  private identity(labels: Labels): Labels | null {
    const names = this.mapping.fingerprint_labels
    if (names === undefined) return null
    const present = names.filter((name) => Object.hasOwn(labels, name))
    if (present.length === 0)
      throw new Unreadable('fingerprint-labels-empty', `no label of ${names.join(', ')} has a value`)
    return Object.fromEntries(present.map((name) => [name, labels[name] ?? '']))
  }

  private times(variables: Variables, given: Pick<SourceMessage, 'at_ms'> & FormatSettings): Times {
    const { starts_at, ends_at, resolved } = this.optional
    const starts_ms = timeOf(starts_at?.(variables), 'starts_at')
    const ends_ms = timeOf(ends_at?.(variables), 'ends_at')
    const has_ended = ends_ms !== null && ends_ms <= given.at_ms
    const is_over = resolved ? flagOf('resolved', resolved(variables)) : has_ended
    if (is_over) return over(starts_ms, ends_ms, given)
    const fires = firing(starts_ms, given)
    return ends_ms === null || has_ended ? fires : { ...fires, ends_at_ms: ends_ms }
  }
}

/** What expressions may name of a message. Throws Unreadable when it is no JSON or beyond the bounds. */
export function messageVariables({ body, headers }: Pick<SourceMessage, 'body' | 'headers'>) {
  if (body.length > MESSAGE_BYTES)
    throw new Unreadable(
      'body-bytes',
      `the message has ${body.length} bytes, more than the ${MESSAGE_BYTES} that a mapping takes`,
    )
  const parsed = parseJson(body)
  checkLists(parsed, 'body')
  const shown = Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name))
  return { body: parsed, headers: Object.fromEntries(shown) }
}

/** Throws ExpressionError when an expression cannot be used, which the check of the configuration tells before. */
export function mapped(mapping: Mapping, lookup: Lookup = NO_TABLES): Decode {
  const mapper = new Mapper(mapping, lookup)
  return decoder((message, settings) => {
    const { body, headers } = messageVariables(message)
    const times = { ...settings, at_ms: message.at_ms }
    return eachOf(
      mapper.items({ body, headers }),
      (item) => JSON.stringify(item) ?? '',
      (item) => mapper.alert({ alert: item, body, headers }, times),
    )
  })
}
