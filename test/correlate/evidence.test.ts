import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../schemas/limits.ts'
import type { TopologyEdge } from '../../schemas/topology.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

/** Which hosts are together, each incident as the hosts of its listed members. */
function together(t: Timeline): string[] {
  return t
    .incidents()
    .map(({ members }) => members.map(({ labels }) => labels['host']).join(' '))
    .sort()
}

function topology(t: Timeline, version: string, ...edges: TopologyEdge[]): void {
  t.record(0, { kind: 'topology', topology: { source: 'file', version, scope: '', edges, last: true } })
}

describe('evidence', () => {
  it('joins alerts about one entity and says what spoke for it', () => {
    const t = new Timeline()
    t.alerts(0, anAlert({ host: 'a1' }))
    t.alerts(5_000, anAlert({ host: 'a1', alertname: 'Slow' }))
    t.ticksUntil(10_000)
    const [incident] = t.incidents()
    expect(t.incidents()).toHaveLength(1)
    expect(incident?.members[1]?.reason).toMatchObject({
      code: 'related',
      evidence: [
        { kind: 'entity', weight: 0.9, about: 'a1' },
        { kind: 'time', about: incident?.id },
      ],
    })
    expect(incident?.members[1]?.reason.text).toContain(
      '5 s after the last new alert: it has an alert about a1',
    )
  })

  it('holds nothing of sharing a number, a flag or a digest', () => {
    const t = new Timeline()
    const shared = { port: '8080', enabled: 'true', key: '0123456789abcdef0123' }
    t.alerts(0, anAlert({ host: 'a1', rack: 'r1', ...shared }))
    t.alerts(0, anAlert({ host: 'b1', rack: 'r2', alertname: 'Slow', ...shared }))
    expect(together(t)).toEqual(['a1', 'b1'])
  })

  it('joins alerts that share a label, or are of one kind', () => {
    const t = new Timeline()
    t.alerts(0, anAlert({ host: 'a1', rack: 'r7' }), anAlert({ host: 'a2', rack: 'r7', alertname: 'Slow' }))
    t.alerts(1_000, anAlert({ host: 'a3', alertname: 'Slow' }))
    expect(together(t)).toEqual(['a1 a2 a3'])
  })

  it('keeps apart what is known to belong elsewhere, and tells what came second', () => {
    const t = new Timeline()
    t.alerts(0, anAlert({ host: 'a1', rack: 'r7' }))
    const [opened] = t.alerts(1_000, anAlert({ host: 'b1', rack: 'r8', alertname: 'Slow' }))
    expect(together(t)).toEqual(['a1', 'b1'])
    const first = t.incidents()[0]?.id
    expect(opened?.reason).toMatchObject({ code: 'unrelated', runner_up: { incident_id: first } })
    expect(opened?.reason.text).toContain(`the evidence for the nearest, ${first}, is 0.15, less than 0.5`)
  })

  /** Two incidents, and two alerts that belong to both. */
  const bridged = (between: (t: Timeline, younger: string) => void) => {
    const t = new Timeline({ growth_interval_ms: 0 })
    t.alerts(0, anAlert({ host: 'a1', rack: 'r7' }))
    t.alerts(1_000, anAlert({ host: 'b1', rack: 'r8', alertname: 'Slow' }))
    between(t, t.incidents()[1]?.id ?? '')
    t.alerts(2_000, anAlert({ host: 'x1', rack: 'r7', dep: 'b1' }))
    expect(t.incidents().map(({ merged_into }) => merged_into)).toEqual([null, null])
    return { t, told: t.alerts(3_000, anAlert({ host: 'x2', rack: 'r7', dep: 'b1' })) }
  }

  it('merges two young incidents when alerts come that belong to both', () => {
    const { t, told } = bridged(() => {})
    const [older, younger] = t.incidents()
    expect(t.incidents().map(({ members_firing }) => members_firing)).toEqual([4, 0])
    expect(told[0]).toMatchObject({
      kind: 'merged',
      incident: { id: younger?.id, merged_into: older?.id },
      reason: { text: `Merged into ${older?.id}: 2 alerts belong to both.` },
    })
  })

  it('only proposes to merge what somebody has taken', () => {
    const { t, told } = bridged((line, incident_id) =>
      line.command(1_500, { kind: 'acknowledge', incident_id }),
    )
    const [older, younger] = t.incidents()
    expect([older?.merged_into, younger?.merged_into]).toEqual([null, null])
    expect(told.find(({ incident_id }) => incident_id === younger?.id)?.reason).toMatchObject({
      code: 'merge-proposed',
      text: `2 alerts belong to ${older?.id} as well: should this be merged into it?`,
    })
  })

  it('never joins incidents of another scope', () => {
    const t = new Timeline()
    t.alerts(0, anAlert({ host: 'a1' }), anAlert({ host: 'a1', alertname: 'Slow' }, { scope: 'other' }))
    expect(t.incidents()).toHaveLength(2)
  })

  it('finds that two entities are near by what labels of earlier alerts said', () => {
    const t = new Timeline()
    t.alerts(0, anAlert({ host: 'shop-1', dep: 'db-1' }, { ends_at_ms: NOON_MS + 1_000 }))
    t.ticksUntil(60 * MINUTE_MS)
    t.alerts(60 * MINUTE_MS, anAlert({ host: 'db-1', alertname: 'Full', rack: 'r1' }))
    t.alerts(60 * MINUTE_MS, anAlert({ host: 'shop-1', alertname: 'Slow', rack: 'r2' }))
    expect(
      t
        .incidents()
        .at(-1)
        ?.members.map(({ labels }) => labels['host']),
    ).toEqual(['db-1', 'shop-1'])
  })

  it('takes no more alerts when silence has told that it is over, but for those about its own entities', () => {
    const t = new Timeline({ resolve_timeout_ms: 60 * MINUTE_MS })
    t.alerts(0, anAlert({ host: 'a1', rack: 'r7' }))
    t.alerts(4 * MINUTE_MS, anAlert({ host: 'a1', rack: 'r9', alertname: 'Slow' }))
    t.alerts(4 * MINUTE_MS + 1, anAlert({ host: 'a2', rack: 'r7' }))
    expect(together(t)).toEqual(['a1 a1', 'a2'])
    expect(t.reasonOf(anAlert({ host: 'a1', rack: 'r9', alertname: 'Slow' }))?.code).toBe('same-entity')
    t.alerts(20 * MINUTE_MS, anAlert({ host: 'a1', rack: 'r7', alertname: 'Full' }))
    expect(t.incidents()).toHaveLength(3)
  })

  it('forgets an incident sooner where alerts are usual', () => {
    const quiet = new Timeline({ resolve_timeout_ms: 60 * MINUTE_MS })
    const busy = new Timeline({ resolve_timeout_ms: 60 * MINUTE_MS })
    for (let minute = 0; minute < 20; minute++)
      for (let i = 0; i < 6; i++)
        busy.alerts(
          minute * MINUTE_MS + i * 10_000,
          anAlert({ host: `n${minute}-${i}`, alertname: `N${minute}-${i}`, rack: `x${minute}-${i}` }),
        )
    for (const t of [quiet, busy]) {
      t.alerts(20 * MINUTE_MS, anAlert({ host: 'a1', rack: 'r7', alertname: 'A' }))
      t.alerts(21 * MINUTE_MS, anAlert({ host: 'a2', rack: 'r7', alertname: 'B' }))
    }
    expect(together(quiet)).toContain('a1 a2')
    expect(together(busy)).not.toContain('a1 a2')
  })
})

describe('topology', () => {
  const edge = { from: 'shop', to: 'db', kind: 'calls' }
  const shop = anAlert({ host: 'shop', rack: 'r1' })
  const db = anAlert({ host: 'db', alertname: 'Full', rack: 'r2' })

  it('joins alerts of entities that are near, and says how', () => {
    const t = new Timeline()
    topology(t, '1', edge, { from: 'web', to: 'shop', kind: 'calls' })
    t.alerts(0, db)
    t.alerts(1_000, shop)
    expect(together(t)).toEqual(['db shop'])
    expect(t.reasonOf(shop)?.text).toContain('it has an alert about db, which shop is related to (calls)')
  })

  it('takes what alerts have in common for no cause, unless it is a thing', () => {
    const causes = (label: string) => {
      const t = new Timeline()
      const alerts = ['a', 'b', 'c'].map((host) => anAlert({ host, [label]: 'common' }))
      t.alerts(0, ...alerts)
      t.ticksUntil(MINUTE_MS)
      return t.incidents()[0]?.causes.map(({ entity }) => entity) ?? []
    }
    expect(causes('switch')).toContain('common')
    expect(causes('cluster')).toEqual(expect.arrayContaining(['a', 'b', 'c']))
  })

  it('ranks causes toward what others depend on', () => {
    const t = new Timeline({ growth_interval_ms: 0 })
    const pods = ['shop-1', 'shop-2', 'shop-3']
    topology(t, '1', edge, ...pods.map((from) => ({ from, to: 'shop', kind: 'instance_of' })))
    for (const [i, host] of pods.entries()) t.alerts(i * 1_000, anAlert({ host, service: 'shop' }))
    expect(t.incidents()).toHaveLength(1)
    expect(t.incidents()[0]?.causes[0]).toMatchObject({
      entity: 'shop',
      reasons: ['3 of its 3 instances have Down'],
    })
  })

  it('forgets edges that the next version does not repeat', () => {
    const t = new Timeline()
    topology(t, '1', edge)
    topology(t, '2', { from: 'a', to: 'b', kind: 'calls' })
    t.alerts(0, db, shop)
    expect(together(t)).toEqual(['db', 'shop'])
    const declared = [...t.state.relations.entries()].filter(([scope]) => scope === '')
    expect(declared.map(([, entity]) => entity).sort()).toEqual(['a', 'b'])
  })

  it('holds nothing of being related through a hub, and bears cycles and unknown entities', () => {
    const t = new Timeline()
    const spokes = Array.from({ length: LIMITS.relations_per_entity + 1 }, (_, i) => ({
      from: `s${i}`,
      to: 'hub',
      kind: 'calls',
    }))
    topology(
      t,
      '1',
      ...spokes,
      { from: 's1', to: 's0', kind: 'calls' },
      { from: 's0', to: 's1', kind: 'calls' },
    )
    t.alerts(0, anAlert({ host: 's2', rack: 'r1' }), anAlert({ host: 's3', rack: 'r2', alertname: 'Slow' }))
    t.alerts(
      0,
      anAlert({ host: 's0', rack: 'r3', alertname: 'A' }),
      anAlert({ host: 's1', rack: 'r4', alertname: 'B' }),
    )
    t.alerts(0, anAlert({ host: 'nobody', rack: 'r5', alertname: 'C' }))
    expect(together(t)).toEqual(['nobody', 's0 s1', 's2', 's3'])
  })
})

describe('alerts that begin anew', () => {
  /** Twelve alerts of one service, one every half second. */
  const burst = (t: Timeline, at_ms: number, count = 12, over = {}) => {
    for (let i = 0; i < count; i++) {
      const time_ms = at_ms + i * 500
      t.alerts(
        time_ms,
        anAlert({ host: `h${i}`, service: 'shop' }, { starts_at_ms: NOON_MS + time_ms, ...over }),
      )
    }
  }

  it('open an incident beside the first when several do, and say so', () => {
    const t = new Timeline()
    burst(t, 0)
    burst(t, 60_000)
    t.ticksUntil(70_000)
    const [first, second] = t.incidents()
    expect(t.incidents()).toHaveLength(2)
    expect(second?.members[0]?.reason).toMatchObject({ code: 'new-burst' })
    expect(second?.members[0]?.reason.text).toContain(`beside ${first?.id}`)
    // The first three did not tell yet that it was a burst.
    expect([first?.members_firing, second?.members_firing]).toEqual([3, 9])
  })

  it('are repeats when they are few, when the sender tells ends, and when it did not tell a start', () => {
    for (const over of [{ ends_at_ms: NOON_MS + 10 * MINUTE_MS }, { start_assumed: true as const }]) {
      const t = new Timeline()
      burst(t, 0, 12, over)
      burst(t, 60_000, 12, over)
      expect(t.incidents()).toHaveLength(1)
    }
    const few = new Timeline()
    burst(few, 0)
    burst(few, 60_000, 3)
    expect(few.incidents()).toHaveLength(1)
  })

  it('open an incident when theirs was silent for long, which resolves once none of its members fires', () => {
    const t = new Timeline({ resolve_timeout_ms: 60 * MINUTE_MS, growth_interval_ms: 0 })
    t.alerts(0, anAlert({ host: 'a1' }))
    const later = 10 * MINUTE_MS
    const told = t.alerts(later, anAlert({ host: 'a1' }, { starts_at_ms: NOON_MS + later }))
    expect(kinds(told)).toEqual(['resolved', 'opened'])
    expect(t.incidents().map(({ state, members_firing }) => [state, members_firing])).toEqual([
      ['resolved', 0],
      ['open', 1],
    ])
  })

  it('come back to their incident after an end that was told, and not after one that was only a timeout', () => {
    for (const ends_told of [true, false]) {
      const t = new Timeline()
      t.alerts(0, anAlert({ host: 'a1' }))
      if (ends_told) t.alerts(1_000, anAlert({ host: 'a1' }, { ends_at_ms: NOON_MS + 1_000 }))
      t.ticksUntil(7 * MINUTE_MS)
      const again_ms = ends_told ? 5 * MINUTE_MS : 7 * MINUTE_MS
      t.alerts(again_ms, anAlert({ host: 'a1' }, { starts_at_ms: NOON_MS + again_ms }))
      expect(t.incidents().map(({ state, reopened }) => [state, reopened])).toEqual(
        ends_told
          ? [['open', 1]]
          : [
              ['resolved', 0],
              ['open', 0],
            ],
      )
    }
  })
})
