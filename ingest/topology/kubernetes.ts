import { z } from 'zod'
import type { TopologyEdge } from '../../schemas/topology.ts'

const owner = z.object({ kind: z.string(), name: z.string() })
const item = z.object({
  kind: z.string().optional(),
  metadata: z.object({ name: z.string(), ownerReferences: z.array(owner).optional() }),
  spec: z.object({ nodeName: z.string().optional() }).optional(),
})
const list = z.object({
  kind: z.string().regex(/List$/),
  items: z.array(item),
})
export type KubernetesList = z.infer<typeof list>

export function isKubernetes(document: unknown): document is KubernetesList {
  return list.safeParse(document).success
}

/**
 * A pod is hosted on its node and is an instance of the workload that owns it. A ReplicaSet stands between a pod and its Deployment: with
 * the ReplicaSets in the list its owner is taken instead. Objects of one name in two namespaces are one entity, as in most labels.
 */
export function kubernetesEdges({ kind, items }: KubernetesList): readonly TopologyEdge[] {
  const kindOf = (one: KubernetesList['items'][number]) => one.kind ?? kind.replace(/List$/, '')
  const owners = new Map<string, string>()
  for (const one of items) {
    const by = one.metadata.ownerReferences?.[0]
    if (kindOf(one) === 'ReplicaSet' && by) owners.set(one.metadata.name, by.name)
  }
  const edges: TopologyEdge[] = []
  for (const one of items) {
    if (kindOf(one) !== 'Pod') continue
    const from = one.metadata.name
    const node = one.spec?.nodeName
    if (node) edges.push({ from, to: node, kind: 'hosted_on' })
    const by = one.metadata.ownerReferences?.[0]
    if (by) edges.push({ from, to: owners.get(by.name) ?? by.name, kind: 'instance_of' })
  }
  return edges
}
