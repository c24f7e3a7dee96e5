import { type Background, EMPTY_BACKGROUND } from './background.ts'
import { suspectChanges } from './changes.ts'
import {
  type ChangeEvent,
  type EntityEvidence,
  type Graph,
  RANK_LIMITS,
  type RankedCause,
} from './evidence.ts'
import { handDown } from './hand_down.ts'
import { type Circumstances, reasonsOf } from './reasons.ts'
import { type Dependents, sharedDependencies } from './shared.ts'
import { signsOf } from './surprise.ts'

/**
 * The likeliest causes of an incident, best first: entities that alert, and those that they depend on, be they silent. The order in
 * which `entities`, `changes` and their parts are given does not matter; equal scores go by the earlier first alert, then by name.
 */
export function rankCauses(
  entities: readonly EntityEvidence[],
  graph: Graph,
  changes: readonly ChangeEvent[] = [],
  background: Background = EMPTY_BACKGROUND,
  top = 3,
): RankedCause[] {
  const sorted = entities.slice(0, RANK_LIMITS.entities).sort((a, b) => (a.entity < b.entity ? -1 : 1))
  const signs = signsOf(sorted, background)
  const dependents = Map.groupBy(sharedDependencies(sorted, signs, graph), ({ on }) => on)
  const suspects = suspectChanges(sorted, graph, changes)

  const own = new Map<string, number>()
  const add = (entity: string, evidence: number) => own.set(entity, (own.get(entity) ?? 0) + evidence)
  for (const [entity, all] of signs) for (const { surprise } of all) add(entity, surprise)
  for (const [on, all] of dependents) add(on, evidenceOf(all))
  for (const [entity, { evidence }] of suspects) add(entity, evidence)
  const { scores, from } = handDown(own, graph)

  const told: Circumstances = {
    graph,
    entities: sorted.length,
    episodes: background.head.episodes,
    dependents,
  }
  return best(scores, sorted, top).map(({ entity, score }) => ({
    entity,
    score,
    reasons: reasonsOf(
      {
        entity,
        signs: signs.get(entity) ?? [],
        dependents: dependents.get(entity) ?? [],
        givers: from.get(entity) ?? new Map(),
        suspect: suspects.get(entity),
      },
      told,
    ),
  }))
}

function evidenceOf(dependents: readonly Dependents[]): number {
  let sum = 0
  for (const { alike } of dependents) for (const { evidence } of alike) sum += evidence
  return sum
}

function best(scores: ReadonlyMap<string, number>, entities: readonly EntityEvidence[], top: number) {
  const first = new Map(entities.map(({ entity, first_at_ms }) => [entity, first_at_ms]))
  return [...scores]
    .map(([entity, score]) => ({
      entity,
      score: Math.round(score * 1_000) / 1_000,
      first_at_ms: first.get(entity) ?? Number.POSITIVE_INFINITY,
    }))
    .sort((a, b) => {
      if (a.score !== b.score) return b.score - a.score
      if (a.first_at_ms !== b.first_at_ms) return a.first_at_ms - b.first_at_ms
      return a.entity < b.entity ? -1 : 1
    })
    .slice(0, top)
}
