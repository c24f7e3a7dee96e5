import { describe, expect, it } from 'vitest'
import type { LearnedRules } from '../../schemas/learned.ts'
import { FINGERPRINT_WORDS, fingerprintWords, RepeatsWriter } from '../../schemas/repeats.ts'
import { anAlert, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const PAIR = {
  first: 'Down',
  second: 'Slow',
  where: 'related',
  followed: 37,
  of: 41,
  confidence: 0.774,
  gap_p90_ms: 30_000,
} as const

/** The shop depends on the database. */
const DATABASE = anAlert({ host: 'db' })
const SHOP = anAlert({ host: 'shop', alertname: 'Slow', rack: 'r2' })

function timeline(learned: Partial<LearnedRules>): Timeline {
  const t = new Timeline({
    learned: { pairs: [], chronic: [], ...learned },
    resolve_timeout_ms: 60 * MINUTE_MS,
  })
  const edges = [{ from: 'shop', to: 'db', kind: 'calls' }]
  t.record(0, { kind: 'topology', topology: { source: 'file', version: '1', scope: '', edges, last: true } })
  return t
}

describe('a learned pair', () => {
  it('is evidence with its bound, told in words', () => {
    const t = timeline({ pairs: [PAIR] })
    t.alerts(0, DATABASE)
    t.alerts(20_000, SHOP)
    expect(t.incidents()).toHaveLength(1)
    expect(t.reasonOf(SHOP)?.evidence?.[0]).toEqual({ kind: 'pair', weight: 0.77, about: 'db' })
    expect(t.reasonOf(SHOP)?.text).toContain(
      'Slow followed Down 37 of 41 times within 30 s on related entities',
    )
  })

  it('is worth less the longer after its usual gap, and nothing at last', () => {
    const weights = [30_000, 60_000, 121_000].map((at_ms) => {
      const t = timeline({ pairs: [PAIR] })
      t.alerts(0, DATABASE)
      t.alerts(at_ms, SHOP)
      return t.reasonOf(SHOP)?.evidence?.find(({ kind }) => kind === 'pair')?.weight
    })
    expect(weights).toEqual([0.77, 0.28, undefined])
  })

  it('counts only in its direction, where it was learned, and near', () => {
    const seen = (first = DATABASE, second = SHOP, pair: LearnedRules['pairs'][number] = PAIR) => {
      const t = timeline({ pairs: [pair] })
      t.alerts(0, first)
      t.alerts(1_000, second)
      const reason = t.reasonOf(second)
      return reason?.evidence?.some(({ kind }) => kind === 'pair') ?? false
    }
    expect(seen()).toBe(true)
    expect(seen(SHOP, DATABASE)).toBe(false)
    expect(seen(anAlert({ host: 'elsewhere' }))).toBe(false)
    expect(seen(DATABASE, anAlert({ host: 'db', alertname: 'Slow' }))).toBe(false)
    const same = { ...PAIR, where: 'same-entity' } as const
    expect(seen(DATABASE, anAlert({ host: 'db', alertname: 'Slow' }), same)).toBe(true)
    expect(seen(DATABASE, SHOP, same)).toBe(false)
  })

  it('decides the same after a restart, and after rules that came later than the alerts', () => {
    const decided = [false, true].map((restarts) => {
      const t = timeline({ pairs: [PAIR] })
      for (let i = 0; i < 40; i++) t.alerts(0, anAlert({ host: 'db', disk: `${i}` }))
      t.alerts(100_000, DATABASE)
      if (restarts) t.restart()
      // All but the newest are long past.
      t.alerts(125_000, SHOP)
      return t.reasonOf(SHOP)
    })
    expect(decided[1]).toEqual(decided[0])
    expect(decided[0]?.evidence?.some(({ kind }) => kind === 'pair')).toBe(true)
    const t = timeline({})
    t.alerts(0, DATABASE)
    t.record(1_000, {
      kind: 'rules',
      rules: { ...t.state.rules, version: '2', learned: { pairs: [PAIR], chronic: [] } },
    })
    t.alerts(2_000, SHOP)
    expect(t.reasonOf(SHOP)).toMatchObject({ rules_version: '2', evidence: [{ kind: 'pair' }, {}, {}] })
  })
})

describe('what leads a pair', () => {
  it('is looked for only among alerts that are known, and is forgotten with them', () => {
    const t = timeline({ pairs: [PAIR] })
    const leads = () => t.state.derived.learned.leadsOf('default', 'Down').length
    t.alerts(0, { ...DATABASE, ends_at_ms: NOON_MS + MINUTE_MS }, SHOP)
    t.ticksUntil(2 * MINUTE_MS)
    t.alerts(3 * MINUTE_MS, { ...DATABASE, ends_at_ms: NOON_MS + 4 * MINUTE_MS })
    expect(leads()).toBe(1)
    t.ticksUntil(240 * MINUTE_MS)
    expect(t.state.alerts.size).toBe(0)
    expect(leads()).toBe(0)
  })
})

describe('a chronic alert', () => {
  const chronic = [{ scope: 'default', alertname: 'CertSoon' }]
  const cert = anAlert({ host: 'db', alertname: 'CertSoon' })

  it('is left out with its reason where it would open an incident, unless it is critical', () => {
    const t = timeline({ chronic })
    t.alerts(0, cert, anAlert({ host: 'db', alertname: 'CertSoon' }, { scope: 'other' }))
    expect(t.unassigned).toEqual(['chronic'])
    expect(t.incidents().map(({ scope }) => scope)).toEqual(['other'])
    expect(t.state.derived.firing).toBe(1)
    t.alerts(1_000, { ...cert, severity: 'critical' })
    expect(t.incidents()).toHaveLength(2)
  })

  it('is so for one entity when that is named', () => {
    const t = timeline({ chronic: [{ scope: 'default', alertname: 'CertSoon', entity: 'db' }] })
    t.alerts(0, cert, anAlert({ host: 'far', alertname: 'CertSoon' }))
    expect(t.unassigned).toEqual(['chronic'])
    expect(t.incidents().map(({ members }) => members[0]?.entity)).toEqual(['far'])
  })

  it('opens none by a grouping rule either', () => {
    const rule = { name: 'by-host', match: [], group_by: ['host'], idle_timeout_ms: 60_000, members_max: 100 }
    const t = new Timeline({ grouping: [rule], learned: { pairs: [], chronic } })
    t.alerts(0, cert)
    t.alerts(1, DATABASE)
    t.alerts(2, cert)
    expect(t.unassigned).toEqual(['chronic'])
    expect(t.incidents().map(({ members_firing }) => members_firing)).toEqual([2])
  })

  it('joins an incident when it is told again, and does not keep it going', () => {
    const paces = [[], chronic].map((list) => {
      const t = timeline({ chronic: list })
      t.alerts(0, DATABASE)
      const before = [...t.state.incidents.values()][0]?.pace
      t.alerts(1_000, cert)
      expect(t.incidents().map(({ members_firing }) => members_firing)).toEqual([2])
      return { before, after: [...t.state.incidents.values()][0]?.pace }
    })
    expect(paces[1]?.after).toEqual(paces[1]?.before)
    expect(paces[0]?.after).not.toEqual(paces[0]?.before)
  })

  it('is found by a repeat, and joins by it when there is an incident to join', () => {
    const t = timeline({ chronic })
    const repeat = (at_ms: number) => {
      const writer = new RepeatsWriter()
      const words = new Int32Array(FINGERPRINT_WORDS)
      fingerprintWords(cert.fingerprint, words)
      writer.add(words, 0, NOON_MS, Number.NaN, null)
      t.record(at_ms, {
        kind: 'alerts',
        received_at_ms: NOON_MS + at_ms,
        origin: null,
        places: [],
        alerts: [],
        repeats: writer.done(),
        repeats_before: [],
      })
    }
    t.alerts(0, cert)
    repeat(10_000)
    expect(t.unassigned).toEqual(['chronic', 'chronic'])
    t.alerts(20_000, DATABASE)
    t.restart()
    repeat(30_000)
    expect(t.unassigned).toHaveLength(2)
    expect(t.incidents().map(({ members_firing, members_total }) => [members_firing, members_total])).toEqual(
      [[2, 2]],
    )
    t.ticksUntil(240 * MINUTE_MS)
    expect(t.state.alerts.size).toBe(0)
  })

  it('reopens no incident', () => {
    const states = [[], chronic].map((list) => {
      const t = timeline({ chronic: list })
      t.alerts(0, DATABASE, cert)
      t.alerts(60_000, ...[DATABASE, cert].map((alert) => ({ ...alert, ends_at_ms: NOON_MS + 60_000 })))
      t.alerts(70_000, cert)
      return [t.incidents()[0]?.state, ...t.unassigned]
    })
    expect(states).toEqual([['open'], ['resolved', 'chronic']])
  })

  it('does not join for its entity alone what takes no more alerts', () => {
    const joined = [[], chronic].map((list) => {
      const t = timeline({ chronic: list })
      t.alerts(0, DATABASE)
      t.alerts(4 * MINUTE_MS, cert)
      return t.incidents().map(({ members_firing }) => members_firing)
    })
    expect(joined).toEqual([[2], [1]])
  })

  it('never bridges two incidents', () => {
    for (const list of [[], chronic]) {
      const t = timeline({ chronic: list })
      t.alerts(0, anAlert({ host: 'a1', rack: 'r7' }))
      t.alerts(1_000, anAlert({ host: 'b1', rack: 'r8', alertname: 'Full' }))
      for (const host of ['x1', 'x2'])
        t.alerts(2_000, anAlert({ host, rack: 'r7', dep: 'b1', alertname: 'CertSoon' }))
      expect(t.incidents().some(({ merged_into }) => merged_into !== null)).toBe(list.length === 0)
    }
  })

  it('that begins anew again and again stays where it is, and counts once', () => {
    const t = timeline({ chronic })
    t.alerts(0, DATABASE, cert)
    const found = (i: number) => ({ ...cert, starts_at_ms: NOON_MS + i * MINUTE_MS })
    for (let i = 1; i < 30; i++) t.alerts(i * MINUTE_MS, found(i))
    expect(t.incidents().map(({ members_total, members_firing }) => [members_total, members_firing])).toEqual(
      [[2, 2]],
    )
  })

  it('that nobody repeated comes back into its incident or is left out, and is counted right', () => {
    const t = timeline({ chronic })
    t.record(0, {
      kind: 'rules',
      rules: { ...t.state.rules, version: '2', resolve_timeout_ms: 5 * MINUTE_MS },
    })
    t.alerts(0, { ...DATABASE, ends_at_ms: NOON_MS + 20 * MINUTE_MS }, cert)
    t.ticksUntil(6 * MINUTE_MS)
    t.alerts(7 * MINUTE_MS, cert)
    expect(t.incidents().map(({ members_total, members_firing }) => [members_total, members_firing])).toEqual(
      [[2, 2]],
    )
    t.ticksUntil(30 * MINUTE_MS)
    expect(t.incidents()[0]?.state).toBe('resolved')
    t.alerts(31 * MINUTE_MS, cert)
    expect(t.unassigned).toEqual(['chronic'])
    expect(t.incidents().map(({ members_firing }) => members_firing)).toEqual([0])
  })
})
