import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_BACKGROUND } from '../../correlate/rank/background.ts'
import type { Edge, EntityEvidence, Graph, RankedCause } from '../../correlate/rank/evidence.ts'
import { rankCauses } from '../../correlate/rank/rank.ts'
import { after, alerting, topology } from './rank_world.ts'

const names = (ranked: readonly RankedCause[]): string[] => ranked.map(({ entity }) => entity)
const reasonsFor = (ranked: readonly RankedCause[], entity: string): readonly string[] =>
  ranked.find((cause) => cause.entity === entity)?.reasons ?? []

const NOTHING_KNOWN: Graph = { edges: () => [] }

/** Services `cart` and `pay` of four instances each, spread over two hosts; `shop` calls both. */
const SHOP = topology([
  ...['cart', 'pay'].flatMap((service) =>
    [0, 1, 2, 3].flatMap((i): [string, string, string][] => [
      [`${service}-${i}`, 'instance_of', service],
      [`${service}-${i}`, 'hosted_on', `host-${i % 2}`],
    ]),
  ),
  ['shop', 'calls', 'cart'],
  ['shop', 'calls', 'pay'],
])

describe('an instance or what it is an instance of', () => {
  test('one of four instances that alerts is the cause, not the service', () => {
    const ranked = rankCauses([alerting('cart-2', ['MemoryHigh', 'CpuHigh'])], SHOP)
    expect(names(ranked)[0]).toBe('cart-2')
    expect(reasonsFor(ranked, 'cart-2')).toContain('of the 4 instances of cart it alone has CpuHigh')
  })

  test('all instances with the same alertname: the service is the cause, though it is silent', () => {
    const ranked = rankCauses(
      [0, 1, 2, 3].map((i) => alerting(`cart-${i}`, ['MemoryHigh'])),
      SHOP,
    )
    expect(names(ranked)[0]).toBe('cart')
    expect(reasonsFor(ranked, 'cart')).toContain('4 of its 4 instances have MemoryHigh')
  })

  test('one instance that has more than its siblings share stays before the service', () => {
    const usual = [0, 1, 3].map((i) => alerting(`cart-${i}`, ['Slow']))
    const ill = alerting('cart-2', ['Slow', 'DiskFull', 'CpuHigh', 'Restarted'])
    expect(names(rankCauses([...usual, ill], SHOP))[0]).toBe('cart-2')
  })

  test('four of ten instances with the same alertname do not speak of their service', () => {
    const ten = topology(Array.from({ length: 10 }, (_, i) => [`mail-${i}`, 'instance_of', 'mail']))
    const ranked = rankCauses(
      [0, 1, 2, 3].map((i) => alerting(`mail-${i}`, ['Slow'])),
      ten,
    )
    expect(names(ranked)[0]).toBe('mail-0')
  })

  test('two instances with different alertnames do not speak of their service', () => {
    const ranked = rankCauses([alerting('cart-0', ['DiskFull']), alerting('cart-1', ['CpuHigh'])], SHOP)
    expect(names(ranked).slice(0, 2).sort()).toEqual(['cart-0', 'cart-1'])
  })
})

describe('a host', () => {
  const onHost0 = ['cart-0', 'cart-2', 'pay-0', 'pay-2']

  test('is the cause when what runs on it alerts alike, whatever the service', () => {
    const ranked = rankCauses(
      onHost0.map((pod) => alerting(pod, ['Unreachable'])),
      SHOP,
    )
    expect(names(ranked)[0]).toBe('host-0')
    expect(reasonsFor(ranked, 'host-0')).toContain('4 of the 4 entities hosted on it have Unreachable')
  })

  test('is the cause by an alert of its own that the others do not have', () => {
    const pods = ['cart-0', 'cart-1', 'pay-0', 'pay-3'].map((pod) => alerting(pod, ['Slow']))
    const ranked = rankCauses([...pods, alerting('host-0', ['DiskBroken'])], SHOP)
    expect(names(ranked)[0]).toBe('host-0')
    expect(reasonsFor(ranked, 'host-0')).toContain('DiskBroken fires on it alone')
  })

  test('that alerts in every incident does not take the blame from what runs on it', () => {
    const chronic = [alerting('host-0', ['DiskFull'])]
    const ranked = rankCauses(
      [...chronic, alerting('cart-0', ['Leak'])],
      SHOP,
      [],
      after(chronic, chronic, chronic),
    )
    expect(names(ranked)[0]).toBe('cart-0')
    expect(ranked[0]?.score).toBeGreaterThan(4 * (ranked[1]?.score ?? 0))
  })

  test('that the alerts name and the topology knows counts once', () => {
    const named = onHost0.map((pod) => alerting(pod, ['Unreachable'], { mentions: { 'host-0': 1 } }))
    const unnamed = onHost0.map((pod) => alerting(pod, ['Unreachable']))
    expect(rankCauses(named, SHOP)).toEqual(rankCauses(unnamed, SHOP))
  })

  test('is found without topology from what the alerts name', () => {
    const pods = ['a', 'b', 'c', 'd'].map((pod) =>
      alerting(pod, ['Unreachable'], { mentions: { 'host-9': 1 } }),
    )
    const ranked = rankCauses(pods, NOTHING_KNOWN)
    expect(names(ranked)[0]).toBe('host-9')
    expect(reasonsFor(ranked, 'host-9')).toContain('Unreachable of 4 entities names it')
  })

  test('that few of the alerts name is no cause by that', () => {
    const pods = ['a', 'b', 'c', 'd'].map((pod) =>
      alerting(pod, ['Slow'], { alerts: 20, mentions: { far: 1, near: 20 } }),
    )
    const ranked = rankCauses(pods, NOTHING_KNOWN, [], EMPTY_BACKGROUND, 10)
    expect(names(ranked).indexOf('near')).toBe(0)
    expect(names(ranked).indexOf('far')).toBe(5)
  })
})

describe('toward dependencies', () => {
  test('of two services with the same alertname, the one that is called is the likelier cause', () => {
    const ranked = rankCauses([alerting('shop', ['ErrorsHigh']), alerting('pay', ['ErrorsHigh'])], SHOP)
    expect(names(ranked)[0]).toBe('pay')
    expect(reasonsFor(ranked, 'pay')).toContain('shop, which depends on it, alerts as well')
  })

  test('a silent thing that all who call it complain alike of is a candidate', () => {
    const graph = topology(['a', 'b', 'c'].map((caller) => [caller, 'calls', 'database']))
    const ranked = rankCauses(
      ['a', 'b', 'c'].map((caller) => alerting(caller, ['ErrorsHigh'])),
      graph,
    )
    expect(names(ranked)[0]).toBe('database')
    expect(reasonsFor(ranked, 'database')).toContain('3 of the 3 entities that call it have ErrorsHigh')
  })

  test('a cycle of calls comes to an end, and equals stay equal', () => {
    const ring = ['a', 'b', 'c']
    const graph = topology(ring.map((entity, i) => [entity, 'calls', ring[(i + 1) % 3] as string]))
    const ranked = rankCauses(
      ring.map((entity) => alerting(entity, ['ErrorsHigh'])),
      graph,
    )
    expect(names(ranked)).toEqual(ring)
    expect(new Set(ranked.map(({ score }) => score)).size).toBe(1)
  })

  test('what a silent service runs on is the cause when those who call the service complain', () => {
    const graph = topology([
      ['a', 'calls', 'db'],
      ['b', 'calls', 'db'],
      ['db', 'hosted_on', 'db-1'],
    ])
    const evidence = [alerting('a', ['Slow', 'Errors']), alerting('b', ['Slow']), alerting('db-1', ['Full'])]
    const ranked = rankCauses(evidence, graph)
    expect(names(ranked)[0]).toBe('db-1')
    expect(reasonsFor(ranked, 'db-1')).toContain('a and b, which depend on it, alert as well')
  })

  test('an edge of an entity to itself changes nothing', () => {
    const evidence = [alerting('a', ['X']), alerting('b', ['X', 'Y'])]
    const itself = topology([['a', 'calls', 'a']])
    expect(rankCauses(evidence, itself)).toEqual(rankCauses(evidence, NOTHING_KNOWN))
  })
})

describe('changes', () => {
  const MINUTE = 60_000
  const evidence = [
    alerting('cart-0', ['Slow'], { first_at_ms: 100 * MINUTE }),
    alerting('pay-0', ['Slow'], { first_at_ms: 100 * MINUTE }),
  ]
  const deployed = (entity: string, minute: number) => ({
    entity,
    at_ms: minute * MINUTE,
    text: `${entity} 2.0 deployed`,
  })

  test('a deployment shortly before decides between equals', () => {
    const ranked = rankCauses(evidence, SHOP, [deployed('pay-0', 96)])
    expect(names(ranked)[0]).toBe('pay-0')
    expect(reasonsFor(ranked, 'pay-0')[0]).toBe('pay-0 2.0 deployed, 4 min before the first alert')
  })

  test('a silent service that was deployed comes up when its instances alert', () => {
    expect(names(rankCauses(evidence, SHOP, [deployed('pay', 99)]))).toContain('pay')
    expect(reasonsFor(rankCauses(evidence, SHOP, [deployed('pay', 99)]), 'pay')[0]).toMatch(
      /^pay 2.0 deployed/,
    )
  })

  test('what came after the first alert, hours before it, or to something unrelated is no cause', () => {
    const without = rankCauses(evidence, SHOP)
    for (const change of [deployed('pay-0', 101), deployed('pay-0', 30), deployed('billing', 99)])
      expect(rankCauses(evidence, SHOP, [change])).toEqual(without)
  })

  test('of several changes of one entity the weightiest is told', () => {
    const ranked = rankCauses(evidence, SHOP, [
      deployed('pay-0', 60),
      deployed('pay-0', 99),
      deployed('pay-0', 80),
    ])
    expect(reasonsFor(ranked, 'pay-0')[0]).toBe('pay-0 2.0 deployed, 60 s before the first alert')
  })
})

describe('what is usual', () => {
  test('an alertname that an entity has in every incident weighs less than one that is new to it', () => {
    const chronic = [alerting('always', ['DiskFull'])]
    const background = after(chronic, chronic, chronic)
    const ranked = rankCauses(
      [alerting('always', ['DiskFull']), alerting('ill', ['DiskFull'])],
      NOTHING_KNOWN,
      [],
      background,
    )
    expect(names(ranked)).toEqual(['ill', 'always'])
    expect(reasonsFor(ranked, 'ill')).toEqual(['DiskFull has not been seen on it in recent incidents'])
  })

  test('without history, an alertname of one entity weighs more than one that all have', () => {
    const others = ['a', 'b', 'c'].map((entity) => alerting(entity, ['Slow']))
    expect(names(rankCauses([...others, alerting('z', ['Leak'])], NOTHING_KNOWN))[0]).toBe('z')
  })
})

test('order of arrival decides between equals only, then the name', () => {
  const ranked = rankCauses(
    [
      alerting('a', ['Slow'], { first_at_ms: 9 }),
      alerting('c', ['Slow'], { first_at_ms: 5 }),
      alerting('b', ['Slow'], { first_at_ms: 5 }),
      alerting('d', ['Slow', 'Leak'], { first_at_ms: 99 }),
    ],
    NOTHING_KNOWN,
    [],
    EMPTY_BACKGROUND,
    4,
  )
  expect(names(ranked)).toEqual(['d', 'b', 'c', 'a'])
})

test('no entity, no cause; three at most unless more are asked for', () => {
  expect(rankCauses([], SHOP)).toEqual([])
  const five = ['a', 'b', 'c', 'd', 'e'].map((entity) => alerting(entity, ['Slow']))
  expect(rankCauses(five, NOTHING_KNOWN)).toHaveLength(3)
  expect(rankCauses(five, NOTHING_KNOWN, [], EMPTY_BACKGROUND, 5)).toHaveLength(5)
})

test('entities and alertnames called like properties of every object are entities and alertnames', () => {
  const odd = ['__proto__', 'constructor', 'toString'].map((name) => alerting(name, [name]))
  const background = after(odd)
  const graph = topology([
    ['constructor', 'constructor', '__proto__'],
    ['toString', 'constructor', '__proto__'],
  ])
  expect(names(rankCauses(odd, graph, [], background)).sort()).toEqual([
    '__proto__',
    'constructor',
    'toString',
  ])
})

describe('bounds', () => {
  test('a hub with more dependents than are read is weighed by those that are, and its dependents are ranked', () => {
    const spokes: Edge[] = Array.from({ length: 5_000 }, (_, i) => ({
      to: `spoke-${i}`,
      kind: 'calls',
      toward: 'dependent',
    }))
    const toHub: Edge[] = [{ to: 'hub', kind: 'calls', toward: 'dependency' }]
    const graph: Graph = { edges: (entity) => (entity === 'hub' ? spokes : toHub) }
    const evidence = [alerting('spoke-1', ['Slow']), alerting('spoke-4999', ['Slow'])]
    const ranked = rankCauses(evidence, graph)
    expect(names(ranked)).toEqual(['spoke-1', 'spoke-4999', 'hub'])
  })

  test('reasons are few, and name few', () => {
    const alertnames = Array.from({ length: 500 }, (_, i) => `Alert${i}`)
    const background = after([alerting('other', ['X'])])
    const [cause] = rankCauses([alerting('a', alertnames)], SHOP, [], background)
    expect(cause?.reasons).toEqual(['Alert0, Alert1 and 6 more have not been seen on it in recent incidents'])
  })

  test('no more than four reasons', () => {
    const pods = [0, 1, 2, 3].map((i) => alerting(`pay-${i}`, ['Slow']))
    const evidence = [
      alerting('pay', ['ErrorsHigh', 'Leak', 'Restarted']),
      alerting('shop', ['ErrorsHigh']),
      ...pods,
    ]
    const change = { entity: 'pay', at_ms: 7_100_000, text: 'pay 2.0 deployed' }
    expect(rankCauses(evidence, SHOP, [change])[0]?.reasons).toHaveLength(4)
  })

  test('more entities than are weighed: the first ones are', () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      alerting(`e-${i}`, ['Slow'], { first_at_ms: 1_000 - i }),
    )
    const ranked = rankCauses(many, NOTHING_KNOWN, [], EMPTY_BACKGROUND, 2_000)
    expect(names(ranked)).toContain('e-199')
    expect(names(ranked)).not.toContain('e-200')
  })
})

describe('whatever arrives', () => {
  const entity = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const evidence = fc
    .uniqueArray(
      fc.record({
        entity,
        alertnames: fc.uniqueArray(fc.constantFrom('W', 'X', 'Y', 'Z'), { minLength: 1 }),
        first_at_ms: fc.nat(5),
        mentions: fc.dictionary(entity, fc.integer({ min: 1, max: 3 })),
      }),
      { selector: (one) => one.entity },
    )
    .map((all) => all.map((one) => alerting(one.entity, one.alertnames, one)))
  const edges = fc.array(
    fc.tuple(entity, fc.constantFrom('calls', 'instance_of', 'hosted_on', 'feeds'), entity),
  )
  const changes = fc.array(
    fc.record({ entity, at_ms: fc.nat(5), text: fc.constantFrom('deployed', 'configured') }),
  )

  const reversed = (all: readonly EntityEvidence[]): EntityEvidence[] =>
    all
      .map((one) => ({
        ...one,
        alertnames: new Map([...one.alertnames].reverse()),
        mentions: new Map([...one.mentions].reverse()),
      }))
      .reverse()

  test('the same evidence in another order gives the same ranking', () => {
    fc.assert(
      fc.property(evidence, edges, changes, evidence, (all, links, changed, earlier) => {
        const graph = topology(links)
        const once = rankCauses(all, graph, changed, after(earlier), 10)
        expect(
          rankCauses(reversed(all), graph, [...changed].reverse(), after(reversed(earlier)), 10),
        ).toEqual(once)
      }),
    )
  })

  test('every entity that alerts is ranked, once, with a finite score and a reason', () => {
    fc.assert(
      fc.property(evidence, edges, changes, (all, links, changed) => {
        const ranked = rankCauses(all, topology(links), changed, EMPTY_BACKGROUND, 100)
        expect(new Set(names(ranked)).size).toBe(ranked.length)
        for (const one of all) expect(names(ranked)).toContain(one.entity)
        for (const { score, reasons } of ranked) {
          expect(Number.isFinite(score)).toBe(true)
          expect(score).toBeGreaterThanOrEqual(0)
          expect(reasons.length).toBeGreaterThan(0)
        }
      }),
    )
  })
})
