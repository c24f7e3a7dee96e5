import { type ChangeEvent, type EntityEvidence, type Graph, RANK_LIMITS } from './evidence.ts'
import { edgesRead } from './shared.ts'

/** A change that came before the trouble of an entity. */
export interface Suspect {
  readonly change: ChangeEvent
  readonly before_ms: number
  readonly evidence: number
}

/** A change right before the first alert weighs as much as an alertname never seen on an entity; after an hour, nothing. */
const WEIGHT = 4
const WINDOW_MS = 3_600_000
/** A change of something next to what alerts, which does not alert itself. */
const NEXT_TO_IT = 0.5

/** For each entity that was changed, the change that weighs most. Changes of what has nothing to do with the incident are left out. */
export function suspectChanges(
  entities: readonly EntityEvidence[],
  graph: Graph,
  changes: readonly ChangeEvent[],
): ReadonlyMap<string, Suspect> {
  const first = new Map(entities.map(({ entity, first_at_ms }) => [entity, first_at_ms]))
  const newest = [...changes].sort((a, b) => b.at_ms - a.at_ms || (a.text < b.text ? -1 : 1))
  const suspects = new Map<string, Suspect>()
  for (const change of newest.slice(0, RANK_LIMITS.changes)) {
    const near = nearestAlert(change.entity, first, graph)
    if (!near) continue
    const before_ms = near.at_ms - change.at_ms
    if (before_ms < 0) continue
    const evidence = WEIGHT * (1 - before_ms / WINDOW_MS) * near.weight
    if (evidence > (suspects.get(change.entity)?.evidence ?? 0))
      suspects.set(change.entity, { change, before_ms, evidence })
  }
  return suspects
}

/** The first alert on the entity itself; if it has none, the first on what the topology puts next to it. */
function nearestAlert(
  entity: string,
  first: ReadonlyMap<string, number>,
  graph: Graph,
): { at_ms: number; weight: number } | null {
  const own = first.get(entity)
  if (own !== undefined) return { at_ms: own, weight: 1 }
  let at_ms = Number.POSITIVE_INFINITY
  for (const { to } of edgesRead(graph, entity)) {
    at_ms = Math.min(at_ms, first.get(to) ?? Number.POSITIVE_INFINITY)
  }
  return at_ms === Number.POSITIVE_INFINITY ? null : { at_ms, weight: NEXT_TO_IT }
}
