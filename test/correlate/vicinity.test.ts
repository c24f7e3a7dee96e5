import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply, storedKey } from '../../correlate/apply.ts'
import type { RelationRow } from '../../correlate/match/relations.ts'
import { emptyState, type Row, type State } from '../../correlate/state.ts'
import { LIMITS } from '../../schemas/limits.ts'

const SCOPES = ['', 'here', 'there']
const ENTITIES = ['a', 'b', 'c', 'd', 'e', 'f']
const entity = fc.constantFrom(...ENTITIES)

const row: fc.Arbitrary<RelationRow | null> = fc.option(
  fc.record({
    named: fc.array(entity, { maxLength: 3 }).map((list) => list.flatMap((one) => [one, 'host'])),
    named_by: fc.array(entity, { maxLength: 3 }).map((list) => list.flatMap((one) => [one, 'host'])),
    declared: fc.array(
      fc.record({
        source: fc.constant('file'),
        version: fc.constant('1'),
        relations: fc.array(fc.tuple(entity, fc.constant('calls'), fc.constant('dependent' as const)), {
          maxLength: 3,
        }),
      }),
      { maxLength: 1 },
    ),
    hub: fc.boolean(),
  }),
  { freq: 4 },
)
const change = fc.record({ scope: fc.constantFrom(...SCOPES), entity, row })

/** What is around each entity, in each scope. */
function seen(state: State) {
  const { vicinity } = state.derived
  return SCOPES.flatMap((scope) =>
    ENTITIES.map((one) => ({
      near: [...vicinity.nearTo(state, scope, one)],
      around: vicinity.around(state, scope, one),
    })),
  )
}

describe('the vicinity of entities', () => {
  it('is what the rows say, whatever was asked before they changed', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const state = emptyState(0)
        const rows = new Map<string, Extract<Row, { kind: 'relation' }>>()
        for (const { scope, entity: key, row: value } of changes) {
          const changed = { kind: 'relation', scope, key, value } as const
          apply(state, [changed])
          rows.set(storedKey(changed), changed)
          const anew = emptyState(0)
          apply(anew, [...rows.values()])
          expect(seen(state)).toEqual(seen(anew))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is what the rows say when more was asked about than is remembered', () => {
    const state = emptyState(0)
    const joined = (to: string): RelationRow => ({
      named: [to, 'host'],
      named_by: [],
      declared: [],
      hub: false,
    })
    apply(state, [{ kind: 'relation', scope: 'here', key: 'a', value: joined('b') }])
    const { vicinity } = state.derived
    for (let i = 0; i < 2 * LIMITS.related_entities_per_partition; i++)
      vicinity.around(state, 'here', `other-${i}`)
    expect([...vicinity.nearTo(state, 'here', 'a').keys()]).toEqual(['b'])
    for (let i = 0; i < 2 * LIMITS.related_entities_per_partition; i++)
      vicinity.around(state, 'here', `more-${i}`)
    apply(state, [{ kind: 'relation', scope: 'here', key: 'a', value: joined('c') }])
    expect([...vicinity.nearTo(state, 'here', 'a').keys()]).toEqual(['c'])
  })
})
