import { z } from 'zod'
import { LIMITS } from './limits.ts'

const entity = z.string().min(1).max(LIMITS.label_value_chars)

/** `from` depends on `to`: it calls it, runs on it, is an instance of it. */
export const topologyEdge = z.object({
  from: entity,
  to: entity,
  /** `calls`, `hosted_on`, `instance_of`, or a word of one's own. */
  kind: z.string().min(1).max(LIMITS.label_name_chars),
})
export type TopologyEdge = z.infer<typeof topologyEdge>

/**
 * A part of what one source says of the topology. With the `last` part of a version, edges of the same source that the
 * version did not repeat are gone, whatever scope they held in.
 */
export const topologyPart = z.object({
  /** Who says so, e.g. the name of a file. */
  source: z.string().min(1).max(LIMITS.source_chars),
  version: z.string().min(1).max(LIMITS.id_chars),
  /** The scope that it holds in; empty: in all. */
  scope: z.string().max(LIMITS.scope_chars),
  edges: z.array(topologyEdge).max(LIMITS.topology_edges_per_entry),
  last: z.boolean(),
})
export type TopologyPart = z.infer<typeof topologyPart>
