import type { Alert, Labels } from '../schemas/alert.ts'
import { compileMatchers, labelValue } from '../schemas/matching.ts'
import type { SuppressionRule } from '../schemas/rules.ts'

type LabelTest = (labels: Labels) => boolean

/** What an entity of a scope depends on. */
export type Upstream = (scope: string, entity: string) => readonly string[]

interface Compiled {
  readonly name: string
  /** Sources and targets meet at the entity of the source, on which that of the target depends. */
  readonly behind: boolean
  readonly equal: readonly string[]
  readonly isSource: LabelTest
  readonly isTarget: LabelTest
}

/** Alerts of one scope that agree in the labels of one rule's `equal`, or that one entity is, or carries. */
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
  private upstream: Upstream = () => []
  /** The topology has changed since the last reset. */
  outdated = false
  private groups: readonly Map<string, Group>[] = []
  private readonly spots = new Map<string, readonly Spot[]>()
  private readonly turned = new Map<string, Turned>()

  /** Without rules nothing needs to be set. */
  get inUse(): boolean {
    return this.rules.length > 0
  }

  /** What the topology declares matters. */
  get readsTopology(): boolean {
    return this.rules.some(({ behind }) => behind)
  }

  /** What depends on what has changed: everything is to be set anew, where it matters. */
  topologyChanged(): void {
    this.outdated = this.readsTopology
  }

  /** Other rules, or another topology, and the alerts that fire. Throws MatcherError `matcher-regex`. */
  reset(rules: readonly SuppressionRule[], firing: Iterable<Alert>, upstream: Upstream): void {
    this.upstream = upstream
    this.outdated = false
    this.rules = rules.map(({ name, equal, source, target, behind = false }) => ({
      name,
      behind,
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
    const is_source = compiled.isSource(alert.labels)
    return this.keysOfTarget(compiled, alert, is_source).some((key) => {
      const group = this.groups[rule]?.get(key)
      if (!group) return false
      if (compiled.behind) return group.sources.size > 0
      // As in Alertmanager: what is both source and target is not muted by its like, and so never by itself.
      return is_source ? group.one_sided > 0 : group.sources.size > 0
    })
  }

  private keysOfTarget(compiled: Compiled, alert: Alert, is_source: boolean): readonly string[] {
    if (!compiled.behind) return [keyOf(compiled, alert)]
    const { scope, entity } = alert
    const carriers = this.upstream(scope, entity)
    // Of two that depend on each other neither mutes the other: somebody must be heard.
    const heard = is_source
      ? carriers.filter((carrier) => !this.upstream(scope, carrier).includes(entity))
      : carriers
    return heard.map((carrier) => keyOf(compiled, alert, carrier))
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
      if (!compiled.behind)
        return source || target ? [{ rule, key: keyOf(compiled, alert), source, target }] : []
      const carried = target ? this.keysOfTarget(compiled, alert, source) : []
      return [
        ...carried.map((key) => ({ rule, key, source: false, target: true })),
        ...(source ? [{ rule, key: keyOf(compiled, alert, alert.entity), source: true, target: false }] : []),
      ]
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
function keyOf({ equal }: Compiled, { scope, labels }: Alert, carrier?: string): string {
  const agreed = equal.map((name) => labelValue(labels, name))
  return JSON.stringify(carrier === undefined ? [scope, ...agreed] : [scope, ...agreed, carrier])
}
