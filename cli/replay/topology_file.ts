import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { Misconfigured } from '../../runtime/errors.ts'
import { contentVersion } from '../../schemas/ids.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { type TopologyEdge, type TopologyPart, topologyEdge } from '../../schemas/topology.ts'

/** Words of other tools for the kinds of edges. */
const KINDS: Readonly<Record<string, string>> = { control_flow: 'calls', call: 'calls', runs_on: 'hosted_on' }

const foreignEdge = z.object({ source: z.string(), target: z.string(), label: z.string().optional() })
const topologyFile = z.object({ edges: z.array(z.union([topologyEdge, foreignEdge])) })

/**
 * A topology as JSON: `{"edges": [{"from", "to", "kind"}]}`, where `from` depends on `to`; `source`, `target` and `label`
 * mean the same. Throws Misconfigured.
 */
export function readTopology(path: string): readonly TopologyPart[] {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Misconfigured(
      'topology-unreadable',
      `the topology ${path} cannot be read: ${(error as Error).message}`,
    )
  }
  const parsed = topologyFile.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Misconfigured(
      'topology-shape',
      `the topology ${path} is wrong at ${issue?.path.join('.')}: ${issue?.message}; expected {"edges": [{"from": "shop", "to": "db", "kind": "calls"}]}`,
    )
  }
  return parts(path, parsed.data.edges.map(ownEdge))
}

function ownEdge(edge: z.infer<typeof topologyFile>['edges'][number]): TopologyEdge {
  if ('from' in edge) return edge
  const kind = edge.label ?? 'related'
  return { from: edge.source, to: edge.target, kind: KINDS[kind] ?? kind }
}

function parts(source: string, edges: readonly TopologyEdge[]): TopologyPart[] {
  const version = contentVersion(edges)
  const size = LIMITS.topology_edges_per_entry
  const count = Math.max(1, Math.ceil(edges.length / size))
  return Array.from({ length: count }, (_, i) => ({
    source: source.slice(-LIMITS.source_chars),
    version,
    scope: '',
    edges: edges.slice(i * size, (i + 1) * size),
    last: i === count - 1,
  }))
}
