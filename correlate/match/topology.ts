import { LIMITS } from '../../schemas/limits.ts'
import type { TopologyPart } from '../../schemas/topology.ts'
import type { Decision } from '../decision.ts'
import type { Row, State } from '../state.ts'
import { type Relation, relationKey, type RelationRow } from './relations.ts'

/** Installs a part of a topology; its last part also takes away what the version does not repeat. */
export function takeTopology(state: State, part: TopologyPart): Decision {
  const changed = new Map<string, RelationRow>()
  const rowOf = (key: string) => changed.get(key) ?? state.relations.get(key) ?? NOTHING_KNOWN
  for (const { from, to, kind } of part.edges) {
    if (from === to) continue
    const own = relationKey(part.scope, from)
    changed.set(own, withDeclared(rowOf(own), part, [to, kind, 'dependency']))
    const other = relationKey(part.scope, to)
    changed.set(other, withDeclared(rowOf(other), part, [from, kind, 'dependent']))
  }
  if (part.last) dropOutdated(state, part, changed)
  const rows: Row[] = []
  for (const [key, row] of changed) {
    const empty = row.named.length === 0 && row.declared.length === 0 && !row.hub
    rows.push({ kind: 'relation', key, value: empty ? null : row })
  }
  if (part.last) rows.push({ kind: 'topology', key: part.source, value: part.version })
  return { rows, changes: [] }
}

const NOTHING_KNOWN: RelationRow = { named: [], declared: [], hub: false }

function withDeclared(row: RelationRow, { source, version }: TopologyPart, relation: Relation): RelationRow {
  const before = row.declared.find((other) => other.source === source)
  const others = row.declared.filter((other) => other.source !== source)
  const same = before?.version === version ? before.relations : []
  if (same.some(([to, kind, toward]) => to === relation[0] && kind === relation[1] && toward === relation[2]))
    return row
  // One more than a hub has is kept, so that it is seen to be one.
  const relations = same.length > LIMITS.relations_per_entity ? same : [...same, relation]
  return { ...row, declared: [...others, { source, version, relations }] }
}

function dropOutdated(state: State, part: TopologyPart, changed: Map<string, RelationRow>): void {
  for (const [key, stored] of state.relations) {
    const row = changed.get(key) ?? stored
    const declared = row.declared.filter(
      ({ source, version }) => source !== part.source || version === part.version,
    )
    if (declared.length < row.declared.length) changed.set(key, { ...row, declared })
  }
}
