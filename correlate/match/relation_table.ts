import type { RelationRow } from './relations.ts'

/** Relation rows by scope and entity: two steps, so that to look one up no key has to be put together. */
export class RelationTable {
  private readonly scopes = new Map<string, Map<string, RelationRow>>()
  size = 0

  get(scope: string, entity: string): RelationRow | undefined {
    return this.scopes.get(scope)?.get(entity)
  }

  set(scope: string, entity: string, row: RelationRow): void {
    let entities = this.scopes.get(scope)
    if (entities === undefined) this.scopes.set(scope, (entities = new Map<string, RelationRow>()))
    const before = entities.size
    entities.set(entity, row)
    this.size += entities.size - before
  }

  delete(scope: string, entity: string): void {
    if (this.scopes.get(scope)?.delete(entity)) this.size--
  }

  clear(): void {
    this.scopes.clear()
    this.size = 0
  }

  *entries(): Generator<readonly [scope: string, entity: string, row: RelationRow]> {
    for (const [scope, entities] of this.scopes)
      for (const [entity, row] of entities) yield [scope, entity, row]
  }
}
