import { LIMITS } from '../../schemas/limits.ts'
import type { TopologyPart } from '../../schemas/topology.ts'
import type { Decision } from '../decision.ts'
import type { Row, State } from '../state.ts'
import { RelationTable } from './relation_table.ts'
import { NO_RELATIONS, type Relation, type RelationRow } from './relations.ts'

/** Installs a part of a topology; its last part also takes away what the version does not repeat. */
export function takeTopology(state: State, part: TopologyPart): Decision {
  const { scope } = part
  const changed = new RelationTable()
  const declare = (entity: string, relation: Relation) => {
    const row = changed.get(scope, entity) ?? state.relations.get(scope, entity) ?? NO_RELATIONS
    changed.set(scope, entity, withDeclared(row, part, relation))
  }
  for (const { from, to, kind } of part.edges) {
    if (from === to) continue
    declare(from, [to, kind, 'dependency'])
    declare(to, [from, kind, 'dependent'])
  }
  if (part.last) dropOutdated(state, part, changed)
  const rows: Row[] = []
  for (const [in_scope, key, row] of changed.entries())
    rows.push({ kind: 'relation', scope: in_scope, key, value: isEmpty(row) ? null : row })
  if (part.last) rows.push({ kind: 'topology', key: part.source, value: part.version })
  return { rows, changes: [] }
}

function isEmpty({ named, named_by, declared, hub }: RelationRow): boolean {
  return named.length === 0 && named_by.length === 0 && declared.length === 0 && !hub
}

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

function dropOutdated(state: State, part: TopologyPart, changed: RelationTable): void {
  for (const [scope, entity, stored] of state.relations.entries()) {
    const row = changed.get(scope, entity) ?? stored
    const declared = row.declared.filter(
      ({ source, version }) => source !== part.source || version === part.version,
    )
    if (declared.length < row.declared.length) changed.set(scope, entity, { ...row, declared })
  }
}
