import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { combine, type Placed } from '../../ingest/combine.ts'
import type { Alert } from '../../schemas/alert.ts'
import { comparePlaces, unseen } from '../../schemas/places.ts'
import type { Place } from '../../schemas/record.ts'

const statement = (name: string, ends_at_ms: number | null = null, annotation = ''): Alert => ({
  fingerprint: name.padEnd(32, '0'),
  labels: { name },
  annotations: { annotation },
  generator_url: '',
  severity: 'info',
  entity: '',
  scope: 'default',
  source: 'test',
  starts_at_ms: 1,
  ends_at_ms,
  repeats: 1,
})
const say = (alert: Alert, place: Place | null = null): Placed => ({ alert, place, repeats_before: 0 })
const told = (combined: readonly Placed[]) =>
  combined.map(({ alert, place }) => [alert.labels['name'], alert.ends_at_ms, alert.repeats, place])

describe('statements without places', () => {
  it('collapse when they say the same, in order of first occurrence', () => {
    const [a, b] = [statement('a'), statement('b')]
    expect(told(combine([a, b, a, { ...b, repeats: 5 }, a].map((alert) => say(alert))))).toEqual([
      ['a', null, 3, null],
      ['b', null, 6, null],
    ])
  })

  it('stay when anything differs: a resolve between two firings keeps its place', () => {
    const list = [
      statement('a'),
      statement('a', 7),
      statement('a'),
      statement('a', null, 'x'),
      statement('a', null, 'x'),
    ]
    expect(told(combine(list.map((alert) => say(alert))))).toEqual([
      ['a', null, 1, null],
      ['a', 7, 1, null],
      ['a', null, 1, null],
      ['a', null, 2, null],
    ])
  })
})

describe('statements with places', () => {
  it('are never collapsed: each keeps its own', () => {
    const a = statement('a')
    const list = [say(a, [4, 0]), say(statement('b'), [4, 1]), say(a, [4, 2]), say(a, [5, 0])]
    expect(combine(list)).toEqual(list)
  })
})

/** Messages of a source partition, each with some statements about few alerts. */
const messages = fc.array(
  fc.array(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(null, 5))
      .map(([name, ends_at_ms]) => statement(name, ends_at_ms)),
    { maxLength: 5 },
  ),
  { minLength: 1, maxLength: 30 },
)
/** Batches of a source that reads `sizes` messages at a time, and at some points falls back by as many as it may have taken before. */
const cuts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 8 }), crashed: fc.boolean() }), {
  minLength: 1,
  maxLength: 40,
})

function* batches(
  all: readonly (readonly Alert[])[],
  plan: readonly { readonly size: number; readonly crashed: boolean }[],
): Generator<readonly Placed[]> {
  let committed = 0
  for (let step = 0; committed < all.length; step++) {
    const { size, crashed } = plan[step % plan.length] ?? { size: 1, crashed: false }
    // A crash after the append and before the source's own commit: the same messages come again, cut in another way.
    const again = crashed && step < plan.length
    yield all
      .slice(committed, committed + size)
      .flatMap((alerts, i) => alerts.map((alert, ordinal) => say(alert, [committed + i, ordinal])))
    if (!again) committed += size
  }
}

/** What a fold accepts, skipping what it has had. */
function accepted(appended: Iterable<readonly Placed[]>): readonly Placed[] {
  const taken: Placed[] = []
  let highest: Place | undefined
  for (const placed of appended) {
    const entry = combine(placed)
    const places = entry.map(({ place }): Place => place ?? [0, 0])
    const first = unseen(places, highest)
    taken.push(...entry.slice(first))
    if (first < places.length) highest = places.at(-1)
  }
  return taken
}

describe('a source that repeats itself after crashes, cut in other ways', () => {
  it('gives the same statements in the same order with the same counts as one that never crashed', () => {
    let skipped = 0
    fc.assert(
      fc.property(messages, cuts, (all, plan) => {
        const calm = accepted(
          all.map((alerts, offset) => alerts.map((alert, ordinal) => say(alert, [offset, ordinal]))),
        )
        const repeated = [...batches(all, plan)]
        expect(accepted(repeated)).toEqual(calm)
        const total = calm.reduce((sum, { alert }) => sum + alert.repeats, 0)
        expect(total).toBe(all.flat().length)
        skipped += repeated.flat().length - total
      }),
      { numRuns: 500 },
    )
    expect(skipped).toBeGreaterThan(0)
  })

  it('keeps places ascending', () => {
    fc.assert(
      fc.property(messages, cuts, (all, plan) => {
        for (const { place } of accepted(batches(all, plan))) expect(place).not.toBeNull()
        const places = accepted(batches(all, plan)).map(({ place }): Place => place ?? [0, 0])
        expect(places).toEqual(places.toSorted(comparePlaces))
      }),
    )
  })

  it('no statement is lost in what is collapsed: replaying the repeats gives what came in', () => {
    fc.assert(
      fc.property(messages, (all) => {
        const list = all.flat()
        const combined = combine(list.map((alert) => say(alert)))
        for (const name of ['a', 'b', 'c']) {
          const of = (alerts: readonly Alert[]) =>
            alerts.filter(({ labels }) => labels['name'] === name).map(({ ends_at_ms }) => ends_at_ms)
          const replayed = combined.flatMap(({ alert }) => Array.from({ length: alert.repeats }, () => alert))
          expect(of(replayed)).toEqual(of(list))
        }
      }),
    )
  })
})
