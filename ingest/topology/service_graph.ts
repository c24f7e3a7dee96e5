import { z } from 'zod'
import type { TopologyEdge } from '../../schemas/topology.ts'

const name = z.string().min(1)
const answer = z.object({
  status: z.literal('success'),
  data: z.object({ result: z.array(z.object({ metric: z.object({ client: name, server: name }) })) }),
})
export type ServiceGraph = z.infer<typeof answer>

/** The answer of Prometheus's HTTP API to a query of the metrics of OpenTelemetry's service graph connector (or Tempo's). */
export function isServiceGraph(document: unknown): document is ServiceGraph {
  return answer.safeParse(document).success
}

/** Each client calls each of its servers, once; `user` stands for whoever is not instrumented and is left out. */
export function serviceGraphEdges({ data }: ServiceGraph): readonly TopologyEdge[] {
  const edges = new Map<string, TopologyEdge>()
  for (const { metric } of data.result) {
    const { client, server } = metric
    if (client === server || client === 'user' || server === 'user') continue
    edges.set(JSON.stringify([client, server]), { from: client, to: server, kind: 'calls' })
  }
  return [...edges.values()]
}
