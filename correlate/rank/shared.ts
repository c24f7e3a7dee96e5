import { type Edge, type EntityEvidence, type Graph, RANK_LIMITS } from './evidence.ts'
import type { Sign } from './surprise.ts'

/** Alerting entities that depend on one and the same thing, in one and the same way. */
export interface Dependents {
  readonly on: string
  /** Kind of their edges, or `MENTION`. */
  readonly kind: string
  /** How many there are in all, those that do not alert included; 1 when a single one alerts, for then it does not matter. */
  readonly size: number
  readonly alerting: readonly string[]
  /** Alertnames that they share, the weightiest first. */
  readonly alike: readonly Alike[]
}

export interface Alike {
  readonly alertname: string
  readonly entities: number
  readonly evidence: number
}

/** Alerts of one entity name another, and the topology knows nothing between them. */
export const MENTION = 'mention'

/** What a single dependent has makes the thing a candidate, but behind the dependent. */
const LONE = 0.1

interface Member {
  readonly entity: string
  /** 1 for an edge; for a mention the part of the entity's alerts that make it. */
  readonly share: number
}

interface Gathered {
  readonly on: string
  readonly kind: string
  readonly members: Member[]
}

/**
 * What the dependents of a thing say about it: an alertname on one of its four instances speaks of that instance, on all four of
 * what they have in common. Evidence grows with the root of their number, since siblings seldom err independently, and with the
 * part of them that has it.
 */
export function sharedDependencies(
  entities: readonly EntityEvidence[],
  signs: ReadonlyMap<string, readonly Sign[]>,
  graph: Graph,
): Dependents[] {
  return gather(entities, graph).map(({ on, kind, members }) => {
    const known = kind === MENTION || members.length === 1 ? 0 : countDependents(graph, on, kind)
    const size = Math.max(known, members.length)
    const alike = alikeOf(members, signs, Math.max(2, size))
    return { on, kind, size, alerting: members.map(({ entity }) => entity), alike }
  })
}

function gather(entities: readonly EntityEvidence[], graph: Graph): Gathered[] {
  const found = new Map<string, Gathered[]>()
  const add = (on: string, kind: string, member: Member) => {
    const kinds = found.get(on) ?? []
    if (kinds.length === 0) found.set(on, kinds)
    const group = kinds.find((known) => known.kind === kind)
    if (!group) kinds.push({ on, kind, members: [member] })
    else if (group.members.at(-1)?.entity !== member.entity) group.members.push(member)
  }
  for (const evidence of entities) {
    const linked = new Set([evidence.entity])
    for (const { to, kind } of dependencies(graph, evidence.entity)) {
      linked.add(to)
      add(to, kind, { entity: evidence.entity, share: 1 })
    }
    for (const [to, share] of mentionShares(evidence)) {
      if (!linked.has(to)) add(to, MENTION, { entity: evidence.entity, share })
    }
  }
  return [...found.values()].flat()
}

/** What an entity depends on by the topology, itself left out; bounded. */
export function dependencies(graph: Graph, entity: string): { readonly to: string; readonly kind: string }[] {
  const found: { readonly to: string; readonly kind: string }[] = []
  for (const edge of edgesRead(graph, entity)) {
    if (edge.toward !== 'dependency' || edge.to === entity) continue
    found.push(edge)
    if (found.length === RANK_LIMITS.dependencies) break
  }
  return found
}

/** An entity whose every alert names its host depends on the host; of thirty calls that go wrong, each callee is named by a few. */
function mentionShares({ alertnames, mentions }: EntityEvidence): [string, number][] {
  let alerts = 0
  for (const kind of alertnames.values()) alerts += kind.alerts
  return [...mentions]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, RANK_LIMITS.mentions)
    .map(([to, count]) => [to, Math.min(1, count / Math.max(1, alerts))])
}

/** How many depend on a thing by edges of a kind. */
export function countDependents(graph: Graph, on: string, kind: string): number {
  let count = 0
  for (const edge of edgesRead(graph, on)) {
    if (edge.kind === kind && edge.toward === 'dependent') count++
  }
  return count
}

/** The edges of an entity, of a hub the first. */
export function edgesRead(graph: Graph, entity: string): readonly Edge[] {
  const edges = graph.edges(entity)
  return edges.length <= RANK_LIMITS.edges ? edges : edges.slice(0, RANK_LIMITS.edges)
}

function alikeOf(
  members: readonly Member[],
  signs: ReadonlyMap<string, readonly Sign[]>,
  size: number,
): Alike[] {
  const sums = new Map<string, { entities: number; surprise: number }>()
  for (const { entity, share } of members) {
    for (const { alertname, surprise } of signs.get(entity) ?? []) {
      const sum = sums.get(alertname)
      if (!sum) sums.set(alertname, { entities: 1, surprise: surprise * share })
      else {
        sum.entities++
        sum.surprise += surprise * share
      }
    }
  }
  const alike: Alike[] = []
  for (const [alertname, { entities, surprise }] of sums) {
    const scale = entities === 1 ? LONE : 1
    alike.push({ alertname, entities, evidence: (scale * surprise * entities) / (size * Math.sqrt(size)) })
  }
  return alike.sort((a, b) => b.evidence - a.evidence || (a.alertname < b.alertname ? -1 : 1))
}
