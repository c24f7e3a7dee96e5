import type { State } from '../state.ts'
import { declaredRelations } from './relations.ts'

const HOPS = 4
const UPSTREAM_MAX = 200

/** What an entity depends on by the declared topology, over at most four steps, the nearest first; itself is left out. */
export function upstreamOf(state: State, scope: string, entity: string): readonly string[] {
  const found = new Set([entity])
  let edge: readonly string[] = entity === '' ? [] : [entity]
  for (let hop = 0; hop < HOPS && edge.length > 0; hop++) {
    const next: string[] = []
    for (const from of edge)
      for (const { to, toward } of declaredRelations(state, scope, from)) {
        if (toward !== 'dependency' || found.has(to) || found.size > UPSTREAM_MAX) continue
        found.add(to)
        next.push(to)
      }
    edge = next
  }
  found.delete(entity)
  return [...found]
}
