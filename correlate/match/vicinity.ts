import type { Alert } from '../../schemas/alert.ts'
import type { State } from '../state.ts'
import type { Mention } from './mentions.ts'
import { eachRelation, EVERY_SCOPE, type Near, nearTo, passage, type Way } from './relations.ts'

interface Remembered {
  near: ReadonlyMap<string, Near> | null
  /** Whose `near` was found by looking at this entity. */
  read_by: Set<Remembered> | null
}

/** Entities near others that are remembered in all; beyond that everything is looked up anew. */
const REMEMBERED_MAX = 50_000
/** With fewer it is found again sooner than it is kept. */
const REMEMBERED_MIN = 8

/**
 * Remembers which entities are near another until a relation changes, because alerts ask again and again about the same entities and
 * their relations seldom change. It follows from the rows and decides nothing.
 */
export class Vicinity {
  private readonly scopes = new Map<string, Map<string, Remembered>>()
  private size = 0

  nearTo(state: State, scope: string, entity: string): ReadonlyMap<string, Near> {
    const known = this.scopes.get(scope)?.get(entity)?.near
    if (known) return known
    const looked_at: string[] = []
    const near = nearTo(state, scope, entity, (other) => looked_at.push(other))
    if (near.size >= REMEMBERED_MIN) this.remember(scope, entity, near, looked_at)
    return near
  }

  private remember(
    scope: string,
    entity: string,
    near: ReadonlyMap<string, Near>,
    looked_at: readonly string[],
  ): void {
    if (this.size >= REMEMBERED_MAX) {
      this.scopes.clear()
      this.size = 0
    }
    const own = this.of(scope, entity)
    own.near = near
    this.size += near.size
    for (const other of looked_at) {
      const remembered = this.of(scope, other)
      remembered.read_by ??= new Set()
      remembered.read_by.add(own)
    }
  }

  /** The relation row of that entity is another. */
  changed(scope: string, entity: string): void {
    const scopes = scope === EVERY_SCOPE ? this.scopes.values() : [this.scopes.get(scope)]
    for (const entities of scopes) {
      const own = entities?.get(entity)
      if (own === undefined) continue
      for (const reader of own.read_by ?? []) {
        this.size -= reader.near?.size ?? 0
        reader.near = null
      }
      own.read_by = null
    }
  }

  private of(scope: string, entity: string): Remembered {
    let entities = this.scopes.get(scope)
    let own = entities?.get(entity)
    if (own !== undefined) return own
    if (entities === undefined) this.scopes.set(scope, (entities = new Map<string, Remembered>()))
    own = { near: null, read_by: null }
    entities.set(entity, own)
    this.size++
    return own
  }
}

/** Each entity that is near to what an alert names; of what is two steps away only that of the entity itself counts. */
export function eachNear(
  state: State,
  { scope, entity }: Pick<Alert, 'scope' | 'entity'>,
  mentioned: string,
  visit: (to: string, worth: number, kind: string, via: string) => void,
): void {
  if (mentioned === entity) {
    for (const [to, { worth, kind, via }] of state.derived.vicinity.nearTo(state, scope, mentioned))
      visit(to, worth, kind, via ?? mentioned)
    return
  }
  const through = passage(state, scope, mentioned)
  if (through === 0) return
  eachRelation(state, scope, mentioned, (to, kind, worth) => {
    if (to !== mentioned) visit(to, worth * through, kind, mentioned)
  })
}

/** All entities that an alert is near: those that it names, its own first, and those within two hops of them. */
export function waysOf(
  state: State,
  alert: Pick<Alert, 'scope' | 'entity'>,
  mentions: readonly Mention[],
): ReadonlyMap<string, Way> {
  const ways = new Map<string, Way>()
  for (const { value, label } of mentions) {
    ways.set(value, { worth: 1, kind: label, via: null, label })
    eachNear(state, alert, value, (to, worth, kind, via) => {
      if (worth > (ways.get(to)?.worth ?? 0)) ways.set(to, { worth, kind, via, label: null })
    })
  }
  return ways
}
