import { describe, expect, it } from 'vitest'
import { likeness, score, scoreCauses } from '../../bench/grouping/score.ts'

describe('the score of a grouping', () => {
  it('is perfect when each incident is one group', () => {
    const found = score(['a', 'a', 'b', 'b', 'b'], ['1', '1', '2', '2', '2'])
    expect(found).toMatchObject({ f1: 1, precision: 1, recall: 1, match: 1, groups_per_incident: 1 })
    expect(found.compression).toBeCloseTo(0.6)
  })

  it('counts a small incident like a large one', () => {
    // Eight alerts of `a` and two of `b` in one group: B³ precision 0.8 and 0.2.
    const found = score('aaaaaaaabb'.split(''), Array<string>(10).fill('1'))
    expect(found.precision).toBeCloseTo((0.8 + 0.2) / 2)
    expect(found.recall).toBe(1)
    expect(found.f1).toBeCloseTo(2 / 3)
    // The group is more than half `a`, and not half `b`.
    expect(found.match).toBe(0.5)
  })

  it('takes pieces from the recall', () => {
    // `a` in pieces of 3 and 1: (9 + 1) / 4 of 4.
    const found = score('aaaab'.split(''), ['1', '1', '1', '2', '3'])
    expect(found.precision).toBe(1)
    expect(found.recall).toBeCloseTo((10 / 16 + 1) / 2)
    expect(found.groups_per_incident).toBe(1.5)
    expect(found.match).toBe(1)
  })

  it('counts noise in contamination, groups and compression alone', () => {
    const found = score(['a', '-', 'a', '-', '-'], ['1', '1', '1', '2', null])
    expect(found).toMatchObject({ f1: 1, match: 1, incidents: 1, groups: 3 })
    expect(found.contamination).toBeCloseTo(1 / 3)
    expect(found.compression).toBeCloseTo(0.4)
  })

  it('leaves each alert without a group alone', () => {
    const found = score(['a', 'a'], [null, null])
    expect(found.recall).toBe(0.5)
    expect(found.groups).toBe(2)
  })
})

describe('the score of causes', () => {
  const { of_incident } = score(['a', 'a', 'a', 'b', 'c'], ['1', '1', '9', '2', '3'])
  const faults = new Map([
    ['a', { entity: 'db' }],
    ['b', { entity: 'shop' }],
    ['c', { entity: 'node' }],
  ])

  it('asks the group with most of the incident, and knows no rank for what is not named', () => {
    const causes = new Map([
      ['1', ['shop', 'db']],
      ['9', ['db']],
      ['2', ['shop']],
      ['3', ['a', 'b', 'c', 'node']],
    ])
    const found = scoreCauses({ of_incident }, faults, causes)
    expect(found.faults).toBe(3)
    expect(found.at_1).toBeCloseTo(1 / 3)
    expect(found.at_3).toBeCloseTo(2 / 3)
    expect(found.mrr).toBeCloseTo((0.5 + 1 + 0.25) / 3)
    expect(scoreCauses({ of_incident }, faults, new Map()).mrr).toBe(0)
  })

  it('leaves incidents out of which no fault is known', () => {
    const found = scoreCauses(
      { of_incident },
      new Map([['b', { entity: 'shop' }]]),
      new Map([['2', ['shop']]]),
    )
    expect(found).toMatchObject({ faults: 1, at_1: 1 })
  })
})

describe('the likeness of two groupings', () => {
  it('is that of pairs: kept, and new', () => {
    // Before {0,1,2} {3}: 3 pairs. After {0,1} {2,3}: 2 pairs, of which one was there.
    const found = likeness(['1', '1', '1', '2'], ['x', 'x', 'y', 'y'])
    expect(found.kept).toBeCloseTo(1 / 3)
    expect(found.new).toBeCloseTo(1 / 2)
  })

  it('does not ask what groups are called', () => {
    expect(likeness(['1', '1', '2', '2', null], ['b', 'b', 'a', 'a', null])).toEqual({ kept: 1, new: 0 })
  })
})
