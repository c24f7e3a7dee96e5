import type { Severity } from '../schemas/alert.ts'
import { compareSeverity } from '../schemas/alert.ts'
import type { Incident } from '../schemas/incident.ts'

/** What lies around an incident: which entities alert, and how they hang together. */

/** One relation of an entity as it is stored (correlate/match/relations.ts). */
export interface Relation {
  readonly to: string
  readonly kind: string
  /** `dependency`: the entity depends on `to`. */
  readonly toward: 'dependency' | 'dependent'
  /** Null: read off the labels of alerts. */
  readonly source: string | null
}

export interface Related {
  readonly relations: readonly Relation[]
  /** It has so many relations that being related through it tells nothing. */
  readonly hub: boolean
}

interface Node {
  readonly entity: string
  /** Of its worst listed alert; null: it does not alert, it only connects. */
  readonly severity: Severity | null
  readonly firing: boolean
  /** Its place among the likely causes, from 1; null: it is none. */
  readonly cause: number | null
}

interface Edge {
  /** Depends on `to`. */
  readonly from: string
  readonly to: string
  readonly kind: string
  readonly source: string | null
}

export interface IncidentGraph {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  /** Connecting entities that did not fit. */
  readonly left_out: number
}

const NODES_MAX = 120

/** Entities that alert, and the likely causes. */
function entitiesOf({ members, causes }: Incident): readonly string[] {
  const all = [...causes.map(({ entity }) => entity), ...members.map(({ entity }) => entity)]
  return [...new Set(all)].filter((entity) => entity !== '')
}

/** The relations of an incident's entities, and of what a topology declares around them. */
export async function relatedTo(
  incident: Incident,
  read: (entity: string) => Promise<Related>,
): Promise<ReadonlyMap<string, Related>> {
  const related = new Map<string, Related>()
  for (const entity of entitiesOf(incident)) related.set(entity, await read(entity))
  const beside = [...related.values()].flatMap(({ relations }) =>
    relations.filter(({ source }) => source !== null).map(({ to }) => to),
  )
  for (const entity of new Set(beside)) {
    if (related.size >= NODES_MAX) break
    if (!related.has(entity)) related.set(entity, await read(entity))
  }
  return related
}

/** The entities of an incident, and what connects them. */
export function graphOf(incident: Incident, all: ReadonlyMap<string, Related>): IncidentGraph {
  const own = entitiesOf(incident)
  const known = mostCertain(all)
  const connecting = connectorsOf(own, known)
  const room = Math.max(0, NODES_MAX - own.length)
  const shown = new Set([...own, ...connecting.slice(0, room)])
  return {
    nodes: [...shown].map((entity) => nodeOf(entity, incident)),
    edges: edgesWithin(shown, known),
    left_out: Math.max(0, connecting.length - room),
  }
}

/** Where a topology is declared, what is read off labels only adds noise. */
function mostCertain(all: ReadonlyMap<string, Related>): ReadonlyMap<string, Related> {
  const declared = new Map(
    [...all].map(([entity, { hub, relations }]): [string, Related] => [
      entity,
      { hub, relations: relations.filter(({ source }) => source !== null) },
    ]),
  )
  return [...declared.values()].some(({ relations }) => relations.length > 0) ? declared : all
}

function nodeOf(entity: string, { members, causes }: Incident): Node {
  const own = members.filter((member) => member.entity === entity)
  const worst = own.map(({ severity }) => severity).sort(compareSeverity)[0]
  const place = causes.findIndex((cause) => cause.entity === entity)
  return {
    entity,
    severity: worst ?? null,
    firing: own.some(({ firing }) => firing),
    cause: place < 0 ? null : place + 1,
  }
}

interface Connector {
  readonly beside: number
  /** An alerting entity has a declared relation to it. */
  readonly declared: boolean
}

/**
 * What stands between: what a topology declares of an alerting entity, and what two or more have in common (of what is only
 * read off labels, not what all have in common, such as the name of the cluster). The most connecting first.
 */
function connectorsOf(own: readonly string[], related: ReadonlyMap<string, Related>): readonly string[] {
  const among = new Set(own)
  const found = new Map<string, Connector>()
  for (const [entity, { relations }] of related) {
    for (const to of new Set(relations.map((relation) => relation.to))) {
      if (among.has(to)) continue
      const declared = relations.some((relation) => relation.to === to && relation.source !== null)
      if (!among.has(entity) && !declared) continue
      const before = found.get(to) ?? { beside: 0, declared: false }
      found.set(to, {
        beside: before.beside + 1,
        declared: before.declared || (declared && among.has(entity)),
      })
    }
  }
  return [...found]
    .filter(([, { beside, declared }]) => declared || (beside > 1 && beside < own.length))
    .sort(
      ([a, x], [b, y]) => Number(y.declared) - Number(x.declared) || y.beside - x.beside || (a < b ? -1 : 1),
    )
    .map(([entity]) => entity)
}

function edgesWithin(shown: ReadonlySet<string>, related: ReadonlyMap<string, Related>): Edge[] {
  const edges = new Map<string, Edge>()
  for (const [entity, { relations }] of related) {
    for (const { to, kind, toward, source } of relations) {
      if (!shown.has(to) || !shown.has(entity)) continue
      const [from, end] = toward === 'dependency' ? [entity, to] : [to, entity]
      const key = `${from}\u0000${end}`
      if (!edges.has(key) || source !== null) edges.set(key, { from, to: end, kind, source })
    }
  }
  return [...edges.values()]
}
