import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply, storedKey } from '../../correlate/apply.ts'
import type { RelationRow } from '../../correlate/match/relations.ts'
import { emptyState, type Row, type State } from '../../correlate/state.ts'

const SCOPES = ['', 'here', 'there']
const ENTITIES = Array.from('abcdefghijklmnopqr')
const entity = fc.constantFrom(...ENTITIES)

const row: fc.Arbitrary<RelationRow | null> = fc.option(
  fc.record({
    named: fc.array(entity, { maxLength: 12 }).map((list) => list.flatMap((one) => [one, 'host'])),
    named_by: fc.array(entity, { maxLength: 12 }).map((list) => list.flatMap((one) => [one, 'host'])),
    declared: fc.array(
      fc.record({
        source: fc.constant('file'),
        version: fc.constant('1'),
        relations: fc.array(fc.tuple(entity, fc.constant('calls'), fc.constant('dependent' as const)), {
          maxLength: 12,
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
    const beside = (kind: string) => Array.from({ length: 20 }, (_, i) => `${kind}-${i}`)
    const joined = (kind: string): RelationRow => ({
      named: beside(kind).flatMap((to) => [to, 'host']),
      named_by: [],
      declared: [],
      hub: false,
    })
    const install = (key: string, kind: string) =>
      apply(state, [{ kind: 'relation', scope: 'here', key, value: joined(kind) }])
    const { vicinity } = state.derived
    const askAboutOthers = () => {
      for (let i = 0; i < 3_000; i++) vicinity.nearTo(state, 'here', `other-${i}`)
    }
    for (let i = 0; i < 3_000; i++) install(`other-${i}`, 'far')
    install('a', 'b')
    askAboutOthers()
    expect([...vicinity.nearTo(state, 'here', 'a').keys()]).toEqual(beside('b'))
    askAboutOthers()
    install('a', 'c')
    expect([...vicinity.nearTo(state, 'here', 'a').keys()]).toEqual(beside('c'))
  })
})
