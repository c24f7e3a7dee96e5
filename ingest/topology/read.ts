import type { TopologyEdge, TopologyPart } from '../../schemas/topology.ts'
import { topologyEdge } from '../../schemas/topology.ts'
import { contentVersion } from '../../schemas/ids.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { z } from 'zod'
import { isKubernetes, kubernetesEdges } from './kubernetes.ts'
import { isServiceGraph, serviceGraphEdges } from './service_graph.ts'

/** A document that is no topology: what is wrong, and what would be right. */
export class TopologyError extends Error {
  override name = 'TopologyError'
  readonly code: 'topology-shape' | 'topology-too-large'
  constructor(code: TopologyError['code'], message: string) {
    super(message)
    this.code = code
  }
}

const foreignEdge = z.object({
  source: z.string().min(1),
  target: z.string().min(1),
  label: z.string().optional(),
})
const edgeList = z.object({ edges: z.array(z.union([topologyEdge, foreignEdge])) })

/** Words of others for the kinds of edges. */
const KINDS: Readonly<Record<string, string>> = {
  control_flow: 'calls',
  call: 'calls',
  depends_on: 'calls',
  runs_on: 'hosted_on',
}

/**
 * The edges of a parsed JSON document in one of these forms: `{"edges": [{"from", "to", "kind"}]}`, where `from` depends on `to` (or
 * `source`, `target`, `label`, which mean the same); a list of Kubernetes objects (`kubectl get pods,replicasets -A -o json`); the
 * answer of Prometheus to a query of `traces_service_graph_request_total`. Throws TopologyError.
 */
export function readTopology(document: unknown): readonly TopologyEdge[] {
  const edges = edgesOf(document)
  if (edges.length <= LIMITS.topology_edges) return edges
  throw new TopologyError(
    'topology-too-large',
    `the topology has ${edges.length} edges, more than ${LIMITS.topology_edges}; split it into several sources`,
  )
}

function edgesOf(document: unknown): readonly TopologyEdge[] {
  if (isKubernetes(document)) return kubernetesEdges(document)
  if (isServiceGraph(document)) return serviceGraphEdges(document)
  const parsed = edgeList.safeParse(document)
  if (parsed.success) return parsed.data.edges.map(ownEdge)
  const [issue] = parsed.error.issues
  throw new TopologyError(
    'topology-shape',
    `a topology is wrong at ${issue?.path.join('.') || 'the top'}: ${issue?.message}; expected {"edges": [{"from": "shop", "to": "db", "kind": "calls"}]}, Kubernetes objects, or a service graph`,
  )
}

function ownEdge(edge: z.infer<typeof edgeList>['edges'][number]): TopologyEdge {
  if ('from' in edge) return edge
  const kind = edge.label ?? 'related'
  return { from: edge.source, to: edge.target, kind: KINDS[kind] ?? kind }
}

/** The edges in parts that fit into log entries, the last one marked; `scope` empty: they hold in all. */
export function topologyParts(
  source: string,
  scope: string,
  edges: readonly TopologyEdge[],
): readonly TopologyPart[] {
  const version = contentVersion([scope, edges])
  const size = LIMITS.topology_edges_per_entry
  const count = Math.max(1, Math.ceil(edges.length / size))
  return Array.from({ length: count }, (_, i) => ({
    source,
    version,
    scope,
    edges: edges.slice(i * size, (i + 1) * size),
    last: i === count - 1,
  }))
}
