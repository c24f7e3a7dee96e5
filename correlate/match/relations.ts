import type { Alert } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Row, State } from '../state.ts'
import type { Mention } from './mentions.ts'

/** `dependency`: the entity depends on `to`. */
export type Toward = 'dependency' | 'dependent'

/** The other entity, the word for the relation, the direction. */
export type Relation = readonly [to: string, kind: string, toward: Toward]

/** What is known of how one entity relates to others, within a scope; one stored row. */
export interface RelationRow {
  /** Read off the labels of alerts. */
  readonly named: readonly Relation[]
  /** Declared by a topology, by source. */
  readonly declared: readonly {
    readonly source: string
    readonly version: string
    readonly relations: readonly Relation[]
  }[]
  /** It has more relations than are kept: being related through it tells nothing. */
  readonly hub: boolean
}

const NO_RELATIONS: RelationRow = { named: [], declared: [], hub: false }

/** The scope of what holds in all scopes. */
export const EVERY_SCOPE = ''

/** Neither scopes nor entities contain it. */
const SEPARATOR = '\u0000'

export function relationKey(scope: string, entity: string): string {
  return scope + SEPARATOR + entity
}

export function scopeAndEntity(key: string): readonly [scope: string, entity: string] {
  const at = key.indexOf(SEPARATOR)
  return [key.slice(0, at), key.slice(at + 1)]
}

function relationOf(state: State, scope: string, entity: string): RelationRow | undefined {
  return state.relations.get(relationKey(scope, entity))
}

function withNamed(row: RelationRow, relation: Relation): RelationRow {
  if (row.hub || row.named.some(([to]) => to === relation[0])) return row
  if (row.named.length >= LIMITS.relations_per_entity) return { ...row, named: [], hub: true }
  return { ...row, named: [...row.named, relation] }
}

/** What the labels of an alert say of its entity: that it relates to the others that they name. */
export function learnedRelations(state: State, alert: Alert, mentions: readonly Mention[]): Row[] {
  const [about, ...others] = mentions
  if (about === undefined || alert.entity === '' || others.length === 0) return []
  const { scope } = alert
  const old = relationOf(state, scope, about.value)
  let own = old ?? NO_RELATIONS
  const rows: Row[] = []
  for (const { value, label } of others) {
    const known = relationOf(state, scope, value)
    // Being related to a hub tells nothing, and most alerts are related to some.
    if (known?.hub) continue
    own = withNamed(own, [value, label, 'dependency'])
    const other = withNamed(known ?? NO_RELATIONS, [about.value, label, 'dependent'])
    if (other !== known) rows.push({ kind: 'relation', key: relationKey(scope, value), value: other })
  }
  if (own !== (old ?? NO_RELATIONS))
    rows.push({ kind: 'relation', key: relationKey(scope, about.value), value: own })
  const room = LIMITS.related_entities_per_partition - state.relations.size
  return room >= rows.length ? rows : rows.filter(({ key }) => state.relations.has(key))
}

/** What a relation is worth as evidence that two alerts have one cause; learned ones a little less than an instance and its service. */
const WORTH: Readonly<Record<string, number>> = { instance_of: 0.9, hosted_on: 0.5, calls: 0.6 }
const WORTH_OTHER = 0.6
const WORTH_NAMED = 0.8

/** Relations of an entity as its scope and the topology of all scopes know them. */
export interface Surroundings {
  readonly relations: readonly { readonly relation: Relation; readonly worth: number }[]
  readonly hub: boolean
}

export function surroundings(state: State, scope: string, entity: string): Surroundings {
  const rows = [relationOf(state, scope, entity), relationOf(state, EVERY_SCOPE, entity)]
  const relations: { relation: Relation; worth: number }[] = []
  let hub = false
  for (const row of rows) {
    if (row === undefined) continue
    hub ||= row.hub
    for (const relation of row.named) relations.push({ relation, worth: WORTH_NAMED })
    for (const source of row.declared)
      for (const relation of source.relations)
        relations.push({ relation, worth: WORTH[relation[1]] ?? WORTH_OTHER })
  }
  return { relations, hub: hub || relations.length > LIMITS.relations_per_entity }
}

/** What a topology declares of an entity, in its scope and in all. */
export function declaredRelations(
  state: State,
  scope: string,
  entity: string,
): readonly { readonly to: string; readonly kind: string; readonly toward: Toward }[] {
  return [relationOf(state, scope, entity), relationOf(state, EVERY_SCOPE, entity)]
    .flatMap((row) => row?.declared ?? [])
    .flatMap(({ relations }) => relations)
    .map(([to, kind, toward]) => ({ to, kind, toward }))
}

/** Being related through an entity with many relations is worth less: 1 up to 8 of them, 0.4 with 24. */
export function damping(relations: number): number {
  return 1 / Math.log2(2 + Math.max(0, relations - 8) / 4)
}

/** An entity near another one, what the nearness is worth (0 to 1), and the one in between, if there is one. */
export interface Near {
  readonly worth: number
  readonly kind: string
  readonly via: string | null
}

const HOPS = 2
const NEAR_MAX = 128
const WORTH_MIN = 0.05

/** Entities within two hops of `entity`, the strongest way to each; hubs are reached and not passed. */
export function nearTo(
  entity: string,
  around: (entity: string) => Surroundings & { readonly damping: number },
): ReadonlyMap<string, Near> {
  const found = new Map<string, Near>()
  let edge: readonly (readonly [string, number])[] = [[entity, 1]]
  for (let hop = 0; hop < HOPS; hop++) {
    const next: [string, number][] = []
    for (const [from, reached] of edge) {
      const { relations, hub, damping: through } = around(from)
      if (hub) continue
      const damped = reached * through
      for (const {
        relation: [to, kind],
        worth,
      } of relations) {
        const value = worth * damped
        if (to === entity || value < WORTH_MIN || value <= (found.get(to)?.worth ?? 0)) continue
        if (found.size >= NEAR_MAX && !found.has(to)) continue
        found.set(to, { worth: value, kind, via: hop === 0 ? null : from })
        next.push([to, value])
      }
    }
    edge = next
  }
  return found
}

/** How an alert is near an entity: `label` is the one that names it, if one does. */
export interface Way extends Near {
  readonly label: string | null
}
