import type { Labels } from '../../schemas/alert.ts'
import type { Lookup } from '../../schemas/expression.ts'
import { RELABEL_VARIABLES, type Relabel } from '../../schemas/relabel.ts'
import { annotationsOf, labelsOf } from './fields.ts'
import { type SourceMessage, Unreadable } from './format.ts'
import { type ExpressionReader, expressionReader, flagOf, readersOf, valuesOf } from './expressions.ts'
import type { Acknowledgement, DecodedAlerts, RawAlert, RejectedAlert } from './raw_alert.ts'

/** Changes what a decoder gave as the configuration of the source says. Total. */
export type Relabelling = (decoded: DecodedAlerts, message: SourceMessage) => DecodedAlerts

export interface Surroundings {
  readonly source: string
  /** Labels that name the scope. */
  readonly scope_labels: readonly string[]
  readonly lookup: Lookup
}

type Named = readonly (readonly [string, ExpressionReader])[]

class Relabeller {
  private readonly given: Relabel
  private readonly surroundings: Surroundings
  private readonly labels: Named
  private readonly annotations: Named
  private readonly drop: ExpressionReader | null
  private readonly fingerprint: ExpressionReader | null

  constructor(given: Relabel, surroundings: Surroundings) {
    this.given = given
    this.surroundings = surroundings
    const how = { variables: RELABEL_VARIABLES, lookup: surroundings.lookup }
    const { severity, drop, fingerprint } = given
    const labels = severity === undefined ? given.labels : { ...given.labels, severity }
    this.labels = readersOf('relabel.labels', labels, how)
    this.annotations = readersOf('relabel.annotations', given.annotations, how)
    this.drop = drop === undefined ? null : expressionReader('relabel.drop', drop, how)
    this.fingerprint =
      fingerprint === undefined ? null : expressionReader('relabel.fingerprint', fingerprint, how)
  }

  /** Null: it is left out. Throws Unreadable. */
  alert(raw: RawAlert, { headers, at_ms, topic = '', token = '' }: SourceMessage): RawAlert | null {
    const alert = {
      labels: raw.labels,
      annotations: raw.annotations,
      link: raw.generator_url,
      resolved: raw.ends_at_ms !== null && raw.ends_at_ms <= at_ms,
    }
    const variables = { alert, headers, topic, token, source: this.surroundings.source }
    if (this.drop && flagOf('relabel.drop', this.drop(variables))) return null
    const set = valuesOf(this.labels, variables)
    const labels = labelsOf({ ...raw.labels, ...set })
    if (Object.keys(labels).length === 0) throw new Unreadable('labels-empty', 'relabel leaves no label')
    const text = this.fingerprint?.(variables)
    const identity = this.identity(raw, labels, set, text)
    const { mark: _mark, identity: _identity, ...rest } = raw
    return {
      ...rest,
      labels,
      ...(identity && { identity }),
      annotations: annotationsOf({ ...raw.annotations, ...valuesOf(this.annotations, variables) }),
    }
  }

  acknowledgement(one: Acknowledgement, message: SourceMessage): Acknowledgement | null {
    const { ordinal, identity } = one
    const raw = {
      ordinal,
      labels: identity,
      identity,
      annotations: {},
      generator_url: '',
      starts_at_ms: 0,
      ends_at_ms: null,
    }
    const alert = this.alert(raw, message)
    return alert && { ...one, identity: alert.identity ?? alert.labels }
  }

  /** Null: all labels are. */
  private identity(
    raw: RawAlert,
    labels: Labels,
    set: Readonly<Record<string, unknown>>,
    text: unknown,
  ): Labels | null {
    const { scope_labels } = this.surroundings
    if (text !== undefined) {
      if (typeof text !== 'string' || text === '')
        throw new Unreadable('fingerprint-empty', 'relabel.fingerprint: expected a text')
      return { ...picked(labels, scope_labels), fingerprint: text }
    }
    const { fingerprint_labels } = this.given
    if (fingerprint_labels !== undefined) {
      const named = picked(labels, fingerprint_labels)
      if (Object.keys(named).length > 0) return named
      throw new Unreadable(
        'fingerprint-labels-empty',
        `no label of ${fingerprint_labels.join(', ')} has a value`,
      )
    }
    if (raw.identity === undefined) return null
    // What was set takes the place of what was told; a scope that was set belongs to every identity.
    const names = [...Object.keys(raw.identity), ...scope_labels.filter((name) => Object.hasOwn(set, name))]
    return picked(labels, names)
  }
}

function picked(labels: Labels, names: readonly string[]): Labels {
  const present = names.filter((name) => Object.hasOwn(labels, name))
  return Object.fromEntries(present.map((name) => [name, labels[name] ?? '']))
}

/** Throws ExpressionError when an expression cannot be used, which the check of the configuration tells before. */
export function relabelling(given: Relabel, surroundings: Surroundings): Relabelling {
  const relabeller = new Relabeller(given, surroundings)
  return (decoded, message) => {
    const rejects: RejectedAlert[] = [...decoded.rejects]
    let dropped = decoded.dropped ?? 0
    const each = <Item extends { readonly ordinal: number }>(
      items: readonly Item[],
      change: (item: Item) => Item | null,
    ): Item[] =>
      items.flatMap((item) => {
        try {
          const changed = change(item)
          if (changed === null) dropped++
          return changed === null ? [] : [changed]
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error
          const { code, message: reason } = error
          rejects.push({ ordinal: item.ordinal, code, reason, payload: JSON.stringify(item) })
          return []
        }
      })
    const alerts = each(decoded.alerts, (raw) => relabeller.alert(raw, message))
    const acknowledgements = each(decoded.acknowledgements ?? [], (one) =>
      relabeller.acknowledgement(one, message),
    )
    return { ...decoded, alerts, acknowledgements, rejects, dropped }
  }
}
