import type { Severity } from '../../../schemas/alert.ts'
import { SEVERITIES } from '../../parts/severity.tsx'

/** The topology of an incident as the server tells it, and folded so that it can be looked at. Pure. */

export interface GraphNode {
  readonly entity: string
  readonly severity: Severity | null
  readonly firing: boolean
  readonly cause: number | null
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly kind: string
  readonly source: string | null
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly left_out: number
}

export interface FoldedNode extends GraphNode {
  /** Entities that it stands for, itself among them. */
  readonly entities: readonly string[]
}

export interface FoldedGraph extends Graph {
  readonly nodes: readonly FoldedNode[]
}

const NODES_SHOWN_MAX = 40

function worst(nodes: readonly GraphNode[]): Severity | null {
  return SEVERITIES.find((severity) => nodes.some((node) => node.severity === severity)) ?? null
}

/** Nodes with the same neighbours in the same roles are one, but for likely causes: sixteen pods of a service are one node. */
export function folded({ nodes, edges, left_out }: Graph): FoldedGraph {
  const sides = new Map<string, string[]>(nodes.map(({ entity }) => [entity, []]))
  for (const { from, to, kind } of edges) {
    sides.get(from)?.push(`> ${to} ${kind}`)
    sides.get(to)?.push(`< ${from} ${kind}`)
  }
  const groups = new Map<string, GraphNode[]>()
  for (const node of nodes) {
    const beside = sides.get(node.entity) ?? []
    const key = node.cause !== null || beside.length === 0 ? node.entity : beside.sort().join('\n')
    groups.set(key, [...(groups.get(key) ?? []), node])
  }
  const stands_for = new Map<string, string>()
  const kept = [...groups.values()].flatMap((group): FoldedNode[] => {
    const [first] = group
    if (!first) return []
    for (const { entity } of group) stands_for.set(entity, first.entity)
    return [
      {
        ...first,
        severity: worst(group),
        firing: group.some(({ firing }) => firing),
        entities: group.map(({ entity }) => entity),
      },
    ]
  })
  const linked = new Map<string, GraphEdge>()
  for (const edge of edges) {
    const from = stands_for.get(edge.from) ?? edge.from
    const to = stands_for.get(edge.to) ?? edge.to
    if (from !== to) linked.set(`${from}\u0000${to}`, { ...edge, from, to })
  }
  return bounded({ nodes: kept, edges: [...linked.values()], left_out })
}

/** Causes and alerting entities before what only connects; what has no edge says nothing. */
function bounded({ nodes, edges, left_out }: FoldedGraph): FoldedGraph {
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]))
  const ranked = nodes
    .filter(({ entity }) => linked.has(entity))
    .sort(
      (a, b) => (a.cause ?? 9) - (b.cause ?? 9) || Number(b.severity !== null) - Number(a.severity !== null),
    )
  const kept = ranked.slice(0, NODES_SHOWN_MAX)
  const names = new Set(kept.map(({ entity }) => entity))
  return {
    nodes: kept,
    edges: edges.filter(({ from, to }) => names.has(from) && names.has(to)),
    left_out: left_out + ranked.length - kept.length,
  }
}
