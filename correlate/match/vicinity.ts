import type { Alert } from '../../schemas/alert.ts'
import type { State } from '../state.ts'
import type { Mention } from './mentions.ts'
import {
  damping,
  EVERY_SCOPE,
  type Near,
  nearTo,
  type Surroundings,
  surroundings,
  type Way,
} from './relations.ts'

/** What the relation rows say of one entity. */
export interface Around {
  readonly relations: Surroundings['relations']
  readonly hub: boolean
  /** What being related through the entity is worth. */
  readonly damping: number
}

interface Remembered {
  around: Around | null
  near: ReadonlyMap<string, Near> | null
  /** Whose `near` was found by looking at this entity. */
  read_by: Set<Remembered> | null
}

/** Entities near others, and relations, that are remembered in all; beyond that everything is looked up anew. */
const REMEMBERED_MAX = 20_000

/**
 * Remembers what relation rows come to until one of them changes, because alerts ask again and again about the same entities and
 * their relations seldom change. It follows from the rows and decides nothing.
 */
export class Vicinity {
  private readonly scopes = new Map<string, Map<string, Remembered>>()
  private size = 0

  around(state: State, scope: string, entity: string): Around {
    return this.lookAt(state, scope, entity, this.of(scope, entity))
  }

  nearTo(state: State, scope: string, entity: string): ReadonlyMap<string, Near> {
    const own = this.of(scope, entity)
    if (own.near === null) {
      const found = nearTo(entity, (other) => {
        const remembered = this.of(scope, other)
        remembered.read_by ??= new Set()
        remembered.read_by.add(own)
        return this.lookAt(state, scope, other, remembered)
      })
      own.near = found
      this.size += found.size
    }
    return own.near
  }

  /** Only what is one step away. */
  *nextTo(state: State, scope: string, entity: string): Generator<readonly [string, Near]> {
    const { relations, hub, damping: through } = this.around(state, scope, entity)
    if (hub) return
    for (const { to, kind, worth } of relations)
      if (to !== entity) yield [to, { worth: worth * through, kind, via: null }]
  }

  /** The relation row of that entity is another. */
  changed(scope: string, entity: string): void {
    const scopes = scope === EVERY_SCOPE ? this.scopes.values() : [this.scopes.get(scope)]
    for (const entities of scopes) {
      const own = entities?.get(entity)
      if (own === undefined) continue
      this.size -= own.around?.relations.length ?? 0
      own.around = null
      for (const reader of own.read_by ?? []) {
        this.size -= reader.near?.size ?? 0
        reader.near = null
      }
      own.read_by = null
    }
  }

  private lookAt(state: State, scope: string, entity: string, own: Remembered): Around {
    if (own.around === null) {
      const { relations, hub } = surroundings(state, scope, entity)
      own.around = { relations, hub, damping: damping(relations.length) }
      this.size += relations.length
    }
    return own.around
  }

  private of(scope: string, entity: string): Remembered {
    let entities = this.scopes.get(scope)
    let own = entities?.get(entity)
    if (own !== undefined) return own
    if (this.size >= REMEMBERED_MAX) {
      this.scopes.clear()
      this.size = 0
      entities = undefined
    }
    if (entities === undefined) this.scopes.set(scope, (entities = new Map<string, Remembered>()))
    own = { around: null, near: null, read_by: null }
    entities.set(entity, own)
    this.size++
    return own
  }
}

/** All entities that an alert is near: those that it names, its own first, and those within two hops of them. */
export function waysOf(
  state: State,
  { scope, entity }: Pick<Alert, 'scope' | 'entity'>,
  mentions: readonly Mention[],
): ReadonlyMap<string, Way> {
  const { vicinity } = state.derived
  const ways = new Map<string, Way>()
  for (const { value, label } of mentions) {
    ways.set(value, { worth: 1, kind: label, via: null, label })
    // Of what is two steps away only that of the entity itself counts.
    const near_to =
      value === entity ? vicinity.nearTo(state, scope, value) : vicinity.nextTo(state, scope, value)
    for (const [to, near] of near_to) {
      if (near.worth > (ways.get(to)?.worth ?? 0))
        ways.set(to, { ...near, via: near.via ?? value, label: null })
    }
  }
  return ways
}
