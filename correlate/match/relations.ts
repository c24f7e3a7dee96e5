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
  /**
   * Read off the labels of its alerts: what they name and the label that names it, in turns. Flat, because there are as many of
   * these rows as alerts.
   */
  readonly named: readonly string[]
  /** Read off the labels of alerts of others: the entity whose alerts name it and the label, in turns. */
  readonly named_by: readonly string[]
  /** Declared by a topology, by source. */
  readonly declared: readonly {
    readonly source: string
    readonly version: string
    readonly relations: readonly Relation[]
  }[]
  /** It has more relations than are kept: being related through it tells nothing. */
  readonly hub: boolean
}

export const NO_RELATIONS: RelationRow = { named: [], named_by: [], declared: [], hub: false }

/** A row as it was stored. What older versions read off labels was kept in another form, and is read off them again. */
export function storedRelations(row: Omit<RelationRow, 'named_by'> & Partial<RelationRow>): RelationRow {
  return row.named_by === undefined ? { ...row, named: [], named_by: [] } : { ...row, named_by: row.named_by }
}

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

/** How many relations labels taught. */
function taught({ named, named_by }: RelationRow): number {
  return (named.length + named_by.length) / 2
}

function knows(list: readonly string[], entity: string): boolean {
  for (let i = 0; i < list.length; i += 2) if (list[i] === entity) return true
  return false
}

/** The row with what it does not know yet of `more`, of the form of `list`; the same row when it knows all. */
function withMore(row: RelationRow, list: 'named' | 'named_by', more: readonly string[]): RelationRow {
  if (row.hub) return row
  const fresh: string[] = []
  for (let i = 0; i < more.length; i += 2) {
    const to = more[i] as string
    if (!knows(row.named, to) && !knows(row.named_by, to)) fresh.push(to, more[i + 1] as string)
  }
  if (fresh.length === 0) return row
  if (taught(row) + fresh.length / 2 > LIMITS.relations_per_entity)
    return { ...row, named: [], named_by: [], hub: true }
  // A list that is spread into another has room to grow on, which would be half of what is kept here.
  return { ...row, [list]: row[list].concat(fresh) }
}

/** What the labels of an alert say of its entity: that it relates to the others that they name. */
export function learnedRelations(state: State, alert: Alert, mentions: readonly Mention[]): Row[] {
  const [about, ...others] = mentions
  if (about === undefined || alert.entity === '' || others.length === 0) return []
  const { scope } = alert
  const { relations } = state
  const old = relations.get(scope, about.value) ?? NO_RELATIONS
  const named: string[] = []
  const rows: Row[] = []
  for (const { value, label } of others) {
    const known = relations.get(scope, value) ?? NO_RELATIONS
    // Being related to a hub tells nothing, and most alerts are related to some.
    if (known.hub) continue
    named.push(value, label)
    const other = withMore(known, 'named_by', [about.value, label])
    if (other !== known) rows.push({ kind: 'relation', scope, key: value, value: other })
  }
  const own = withMore(old, 'named', named)
  if (own !== old) rows.push({ kind: 'relation', scope, key: about.value, value: own })
  const room = LIMITS.related_entities_per_partition - relations.size
  return room >= rows.length
    ? rows
    : rows.filter((row) => row.kind === 'relation' && relations.get(row.scope, row.key))
}

/** What a relation is worth as evidence that two alerts have one cause; learned ones a little less than an instance and its service. */
const WORTH: Readonly<Record<string, number>> = { instance_of: 0.9, hosted_on: 0.5, calls: 0.6 }
const WORTH_OTHER = 0.6
const WORTH_NAMED = 0.8

/** What its scope, and the topology of all scopes, know of an entity. */
function rowsOf({ relations }: State, scope: string, entity: string): readonly RelationRow[] {
  const own = relations.get(scope, entity)
  const everywhere = scope === EVERY_SCOPE ? undefined : relations.get(EVERY_SCOPE, entity)
  if (everywhere === undefined) return own === undefined ? [] : [own]
  return own === undefined ? [everywhere] : [own, everywhere]
}

/** Being related through an entity with so many relations is worth less: 1 up to 8 of them, 0.4 with 24. */
const DAMPING: readonly number[] = Array.from(
  { length: LIMITS.relations_per_entity + 1 },
  (_, relations) => 1 / Math.log2(2 + Math.max(0, relations - 8) / 4),
)

/** What being related through an entity is worth, from 0 (it is a hub) to 1. */
export function passage(state: State, scope: string, entity: string): number {
  let count = 0
  for (const row of rowsOf(state, scope, entity)) {
    if (row.hub) return 0
    count += taught(row)
    for (const { relations } of row.declared) count += relations.length
  }
  return DAMPING[count] ?? 0
}

/** Each relation of an entity: with what, in which word, and what it is worth. */
export function eachRelation(
  state: State,
  scope: string,
  entity: string,
  visit: (to: string, kind: string, worth: number) => void,
): void {
  for (const { named, named_by, declared } of rowsOf(state, scope, entity)) {
    for (let i = 0; i < named.length; i += 2) visit(named[i] as string, named[i + 1] as string, WORTH_NAMED)
    for (let i = 0; i < named_by.length; i += 2)
      visit(named_by[i] as string, named_by[i + 1] as string, WORTH_NAMED)
    for (const { relations } of declared)
      for (const [to, kind] of relations) visit(to, kind, WORTH[kind] ?? WORTH_OTHER)
  }
}

/** What a topology declares of an entity, in its scope and in all. */
export function declaredRelations(
  state: State,
  scope: string,
  entity: string,
): readonly { readonly to: string; readonly kind: string; readonly toward: Toward }[] {
  return rowsOf(state, scope, entity)
    .flatMap(({ declared }) => declared)
    .flatMap(({ relations }) => relations)
    .map(([to, kind, toward]) => ({ to, kind, toward }))
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

/**
 * Entities within two hops of `entity`, the strongest way to each; hubs are reached and not passed. `looked` is told each entity
 * whose relations count.
 */
export function nearTo(
  state: State,
  scope: string,
  entity: string,
  looked: (entity: string) => void,
): ReadonlyMap<string, Near> {
  const found = new Map<string, Near>()
  let edge: readonly (readonly [string, number])[] = [[entity, 1]]
  for (let hop = 0; hop < HOPS; hop++) {
    const next: [string, number][] = []
    for (const [from, reached] of edge) {
      looked(from)
      const damped = reached * passage(state, scope, from)
      if (damped < WORTH_MIN) continue
      eachRelation(state, scope, from, (to, kind, worth) => {
        const value = worth * damped
        if (to === entity || value < WORTH_MIN) return
        const known = found.get(to)
        if (known === undefined ? found.size >= NEAR_MAX : value <= known.worth) return
        found.set(to, { worth: value, kind, via: hop === 0 ? null : from })
        next.push([to, value])
      })
    }
    edge = next
  }
  return found
}

/** How an alert is near an entity: `label` is the one that names it, if one does. */
export interface Way extends Near {
  readonly label: string | null
}
