import type { Graph } from './evidence.ts'
import { dependencies } from './shared.ts'

/** Edges by which trouble of the dependent is no sign that the dependency is ill by itself: `sharedDependencies` weighs those. */
const HOSTING = 'hosted_on'
const MEMBERSHIPS: ReadonlySet<string> = new Set(['instance_of', HOSTING])

/** Steps of a walk from what suffers to what it depends on, and the part of its evidence that an entity gives away at each. */
const STEPS = 2
const GIVEN = 0.5

export interface HandedDown {
  readonly scores: ReadonlyMap<string, number>
  /** Who gave to an entity, and how much. */
  readonly from: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/**
 * A short walk of personalised PageRank toward dependencies: an entity gives part of its evidence to those of its dependencies that
 * have evidence themselves, the more the clearer theirs is against its own, for then its trouble is a symptom of theirs.
 */
export function handDown(scores: ReadonlyMap<string, number>, graph: Graph): HandedDown {
  const from = new Map<string, Map<string, number>>()
  const called = new Map<string, readonly string[]>()
  for (const entity of scores.keys()) {
    const found = suspects(entity, scores, graph)
    if (found.length > 0) called.set(entity, found)
  }
  let now = new Map(scores)
  for (let step = 0; step < STEPS; step++) {
    const next = new Map(now)
    for (const [entity, dependencies_of] of called) {
      const own = now.get(entity) ?? 0
      const weights = dependencies_of.map((to) => clarity(now.get(to) ?? 0))
      const total = weights.reduce((sum, weight) => sum + weight, clarity(own))
      for (const [i, to] of dependencies_of.entries()) {
        const given = (GIVEN * own * (weights[i] ?? 0)) / total
        next.set(to, (next.get(to) ?? 0) + given)
        next.set(entity, (next.get(entity) ?? 0) - given)
        note(from, to, entity, given)
      }
    }
    now = next
  }
  return { scores: now, from }
}

/** score^1.5: of two dependencies, the clearer one gets more than its part. */
function clarity(score: number): number {
  return score * Math.sqrt(score)
}

function suspects(entity: string, scores: ReadonlyMap<string, number>, graph: Graph): string[] {
  const found = new Set<string>()
  for (const { to, kind } of dependencies(graph, entity)) {
    if (MEMBERSHIPS.has(kind)) continue
    if ((scores.get(to) ?? 0) > 0) found.add(to)
    // A service may be silent, and what it runs on be the one that alerts.
    for (const beneath of dependencies(graph, to))
      if (beneath.kind === HOSTING && beneath.to !== entity && (scores.get(beneath.to) ?? 0) > 0)
        found.add(beneath.to)
  }
  return [...found]
}

function note(from: Map<string, Map<string, number>>, to: string, giver: string, given: number): void {
  const givers = from.get(to)
  if (givers) givers.set(giver, (givers.get(giver) ?? 0) + given)
  else from.set(to, new Map([[giver, given]]))
}
