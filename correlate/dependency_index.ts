import type { Alert, Labels } from '../schemas/alert.ts'
import { compileMatchers, labelValue } from '../schemas/matching.ts'
import type { SuppressionRule } from '../schemas/rules.ts'

type LabelTest = (labels: Labels) => boolean

interface Compiled {
  readonly name: string
  readonly equal: readonly string[]
  readonly isSource: LabelTest
  readonly isTarget: LabelTest
}

/** Alerts of one scope that agree in the labels of one rule's `equal`. */
interface Group {
  /** Fingerprint → whether the source is a target of the rule as well. */
  readonly sources: Map<string, boolean>
  /** Sources that are no targets: only these mute an alert that is both. */
  one_sided: number
  readonly targets: Set<string>
}

/** A group in which the mutes of targets may have changed. */
export interface Turned {
  readonly rule: number
  readonly key: string
}

interface Spot extends Turned {
  readonly source: boolean
  readonly target: boolean
}

/**
 * Which firing alerts are sources and targets of the suppression rules, by the key of their equal labels: derived from the
 * alert rows, so that an alert costs one look-up for each rule that it matches, whatever else fires.
 */
export class DependencyIndex {
  private rules: readonly Compiled[] = []
  private groups: readonly Map<string, Group>[] = []
  private readonly spots = new Map<string, readonly Spot[]>()
  private readonly turned = new Map<string, Turned>()

  /** Without rules nothing needs to be set. */
  get inUse(): boolean {
    return this.rules.length > 0
  }

  /** Other rules, and the alerts that fire. Throws MatcherError `matcher-regex`. */
  reset(rules: readonly SuppressionRule[], firing: Iterable<Alert>): void {
    this.rules = rules.map(({ name, equal, source, target }) => ({
      name,
      equal,
      isSource: compileMatchers(source),
      isTarget: compileMatchers(target),
    }))
    this.groups = rules.map(() => new Map())
    this.spots.clear()
    for (const alert of firing) this.set(alert.fingerprint, alert)
    this.turned.clear()
  }

  /** An alert that fires, with its labels as they are now; null: it fires no more. */
  set(fingerprint: string, alert: Alert | null): void {
    const old = this.spots.get(fingerprint)
    const spots = alert === null ? [] : this.spotsOf(alert)
    // Entered before it is left, so that a source that only changes other labels turns nothing.
    for (const spot of spots) this.enter(fingerprint, spot)
    for (const spot of old ?? [])
      if (!spots.some((one) => one.rule === spot.rule && one.key === spot.key)) this.leave(fingerprint, spot)
    if (spots.length > 0) this.spots.set(fingerprint, spots)
    else if (old) this.spots.delete(fingerprint)
  }

  /** Names of the rules by which something that fires mutes this alert. */
  mutes(alert: Alert): readonly string[] {
    return this.rules.flatMap(({ name }, rule) => (this.isMuted(rule, alert) ? [name] : []))
  }

  isMuted(rule: number, alert: Alert): boolean {
    const compiled = this.rules[rule]
    if (!compiled?.isTarget(alert.labels)) return false
    const group = this.groups[rule]?.get(keyOf(compiled, alert))
    if (!group) return false
    // As in Alertmanager: what is both source and target is not muted by its like, and so never by itself.
    return compiled.isSource(alert.labels) ? group.one_sided > 0 : group.sources.size > 0
  }

  /** A group whose sources came or went since it was asked last, until there is none. */
  takeTurned(): Turned | null {
    for (const [id, turned] of this.turned) {
      this.turned.delete(id)
      return turned
    }
    return null
  }

  /** Everything is as the stored rows say. */
  settled(): void {
    this.turned.clear()
  }

  nameOf(rule: number): string {
    return this.rules[rule]?.name ?? ''
  }

  /** Fingerprints of the targets of a group. */
  targets({ rule, key }: Turned): Iterable<string> {
    return this.groups[rule]?.get(key)?.targets ?? []
  }

  /** The source that is named for all of its group: the first by fingerprint. */
  firstSource({ rule, key }: Turned): string | null {
    let first: string | null = null
    for (const source of this.groups[rule]?.get(key)?.sources.keys() ?? [])
      if (first === null || source < first) first = source
    return first
  }

  private spotsOf(alert: Alert): readonly Spot[] {
    return this.rules.flatMap((compiled, rule) => {
      const source = compiled.isSource(alert.labels)
      const target = compiled.isTarget(alert.labels)
      return source || target ? [{ rule, key: keyOf(compiled, alert), source, target }] : []
    })
  }

  private enter(fingerprint: string, spot: Spot): void {
    const groups = this.groups[spot.rule] as Map<string, Group>
    const group = groups.get(spot.key) ?? { sources: new Map(), one_sided: 0, targets: new Set() }
    groups.set(spot.key, group)
    this.change(spot, group, () => {
      if (group.sources.get(fingerprint) === false) group.one_sided--
      if (spot.source) group.sources.set(fingerprint, spot.target)
      else group.sources.delete(fingerprint)
      if (spot.source && !spot.target) group.one_sided++
      if (spot.target) group.targets.add(fingerprint)
      else group.targets.delete(fingerprint)
    })
  }

  private leave(fingerprint: string, spot: Spot): void {
    const groups = this.groups[spot.rule] as Map<string, Group>
    const group = groups.get(spot.key)
    if (!group) return
    this.change(spot, group, () => {
      if (group.sources.get(fingerprint) === false) group.one_sided--
      group.sources.delete(fingerprint)
      group.targets.delete(fingerprint)
    })
    if (group.sources.size === 0 && group.targets.size === 0) groups.delete(spot.key)
  }

  private change({ rule, key }: Turned, group: Group, act: () => void): void {
    const [any, one_sided] = [group.sources.size > 0, group.one_sided > 0]
    act()
    if (any !== group.sources.size > 0 || one_sided !== group.one_sided > 0)
      this.turned.set(`${rule}/${key}`, { rule, key })
  }
}

/** An absent label is the empty string. */
function keyOf({ equal }: Compiled, { scope, labels }: Alert): string {
  return JSON.stringify([scope, ...equal.map((name) => labelValue(labels, name))])
}
