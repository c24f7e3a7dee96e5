import { describe, expect, it } from 'vitest'
import type { GroupingRule } from '../../schemas/grouping.ts'
import type { Matcher } from '../../schemas/matcher.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const is = (name: string, value: string): Matcher => ({ name, op: '=', value })
const named = (alertname: string): Matcher[] => [is('alertname', alertname)]

function timeline(...grouping: GroupingRule[]): Timeline {
  return new Timeline({ grouping })
}

/** The alerts of each incident by one of their labels, incidents in the order of opening. */
function together(t: Timeline, label = 'host'): string[] {
  return t.incidents().map(({ members }) => members.map(({ labels }) => labels[label] ?? '-').join(' '))
}

function reasons(t: Timeline) {
  return t.incidents().flatMap(({ members }) => members.map(({ reason }) => reason))
}

describe('a time frame', () => {
  const rule: GroupingRule = {
    kind: 'time_frame',
    name: 'power',
    match: [is('team', 'power')],
    within_ms: MINUTE_MS,
    members_max: 3,
  }
  const alert = (host: string) => anAlert({ alertname: `Odd-${host}`, team: 'power', host })

  it('takes whatever matches until the frame is over, counted from the opening', () => {
    const t = timeline(rule)
    t.alerts(0, alert('a'))
    t.alerts(50_000, alert('b'), anAlert({ host: 'other' }))
    t.alerts(60_000, alert('c'))
    t.alerts(60_001, alert('d'))
    expect(together(t)).toEqual(['a b c', 'other', 'd'])
    expect(reasons(t).map(({ code, rule: name }) => [code, name])).toEqual([
      ['new-group', 'power'],
      ['in-time-frame', 'power'],
      ['in-time-frame', 'power'],
      ['unrelated', ''],
      ['frame-over', 'power'],
    ])
    expect(reasons(t)[2]?.text).toContain('60 s after the incident was opened, within 60 s')
  })

  it('opens another when it is full', () => {
    const t = timeline(rule)
    t.alerts(0, alert('a'), alert('b'), alert('c'), alert('d'), alert('e'))
    expect(together(t)).toEqual(['a b c', 'd e'])
  })
})

describe('any of several labels', () => {
  const rule: GroupingRule = {
    kind: 'any_of',
    name: 'host-or-service',
    match: [],
    any_of: ['host', 'service'],
    idle_timeout_ms: MINUTE_MS,
    members_max: 100,
  }

  it('joins by either label, and through members that joined', () => {
    const t = timeline(rule)
    t.alerts(0, anAlert({ n: '1', host: 'a', service: 'shop' }))
    t.alerts(1_000, anAlert({ n: '2', host: 'b', service: 'shop' }))
    t.alerts(2_000, anAlert({ n: '3', host: 'b', service: 'mail' }))
    t.alerts(3_000, anAlert({ n: '4', host: 'c', service: 'web' }))
    expect(together(t, 'n')).toEqual(['1 2 3', '4'])
    expect(reasons(t).map(({ code }) => code)).toEqual(['new-group', 'any-of', 'any-of', 'new-group'])
    expect(reasons(t)[2]?.text).toContain('an alert of the incident has host="b" too')
  })

  it('prefers the incident that agrees in more, then the newest, and names the other', () => {
    const t = timeline(rule)
    t.alerts(0, anAlert({ n: '1', host: 'a', service: 'shop' }))
    t.alerts(0, anAlert({ n: '2', host: 'b', service: 'mail' }))
    t.alerts(0, anAlert({ n: '3', host: 'a', service: 'mail' }))
    expect(together(t, 'n')).toEqual(['1', '2 3'])
    expect(reasons(t)[2]?.text).toContain(`${t.incidents()[0]?.id} has host="a"`)
  })

  it('finds alerts that came before the rule did', () => {
    const t = timeline({ kind: 'never', name: 'before', match: [] })
    t.alerts(0, anAlert({ n: '1', host: 'a' }))
    t.record(1, { kind: 'rules', rules: { ...t.state.rules, version: 'next', grouping: [rule] } })
    t.alerts(2, anAlert({ n: '2', host: 'a' }))
    expect(together(t, 'n')).toEqual(['1 2'])
  })

  it('goes on to the next rule with an alert that has none of the labels', () => {
    const t = timeline(rule, { kind: 'never', name: 'rest', match: [] })
    t.alerts(0, anAlert({ x: '1' }), anAlert({ x: '2', host: '' }))
    expect(reasons(t).map(({ rule: name }) => name)).toEqual(['rest', 'rest'])
  })

  it('does not join what is idle, closed, full or of another scope, and says why', () => {
    const t = timeline({ ...rule, members_max: 2 })
    t.alerts(
      0,
      anAlert({ n: '1', host: 'a' }),
      anAlert({ n: '2', host: 'a' }),
      anAlert({ n: '3', host: 'a' }),
    )
    t.alerts(0, anAlert({ n: '4', host: 'a' }, { scope: 'other' }))
    t.alerts(MINUTE_MS + 1, anAlert({ n: '5', host: 'a' }))
    expect(together(t, 'n')).toEqual(['1 2', '3', '4', '5'])
    expect(reasons(t).map(({ code }) => code)).toEqual(['new-group', 'any-of', 'full', 'new-group', 'idle'])
  })
})

describe('a value that too many incidents have', () => {
  it('is not looked up, and the reason says so', () => {
    const t = timeline({
      kind: 'any_of',
      name: 'r',
      match: [],
      any_of: ['host'],
      idle_timeout_ms: MINUTE_MS,
      members_max: 1,
    })
    for (let n = 0; n < 258; n++) t.alerts(0, anAlert({ n: `${n}`, host: 'a' }))
    expect(t.incidents()).toHaveLength(258)
    expect(reasons(t)[256]?.text).toContain('is full with 1 alerts')
    expect(reasons(t)[257]?.text).toContain('more than 256 incidents have the same host')
  })
})

describe('pairs', () => {
  const rule: GroupingRule = {
    kind: 'pairs',
    name: 'link-and-session',
    pairs: [{ a: named('LinkDown'), b: named('SessionDown'), within_ms: MINUTE_MS, equal: ['router'] }],
    members_max: 100,
  }
  const rest: GroupingRule = { kind: 'never', name: 'rest', match: [] }
  const link = (router: string) => anAlert({ alertname: 'LinkDown', router, port: '1' })
  const session = (router: string, peer = '9') => anAlert({ alertname: 'SessionDown', router, peer })

  it('puts the later alert to the earlier one, in either order', () => {
    for (const [first, second] of [
      [link('r'), session('r')],
      [session('r'), link('r')],
    ] as const) {
      const t = timeline(rule, rest)
      t.alerts(0, first)
      t.alerts(MINUTE_MS, second)
      expect(t.incidents()).toHaveLength(1)
      expect(reasons(t)[1]).toMatchObject({ code: 'paired', rule: 'link-and-session' })
      expect(reasons(t)[1]?.text).toContain('which came 60 s before, with router="r" in both')
    }
  })

  it('needs the time and the equal labels; what is alone goes on to the next rule', () => {
    const t = timeline(rule, rest)
    t.alerts(0, link('r'), session('other'))
    t.ticksUntil(MINUTE_MS + 1)
    t.alerts(MINUTE_MS + 1, session('r'))
    expect(reasons(t).map(({ code }) => code)).toEqual(['never-grouped', 'never-grouped', 'never-grouped'])
  })

  it('leaves an alert that begins anew where it is when its partner is there', () => {
    const t = new Timeline({ grouping: [rule], resolve_timeout_ms: 60 * MINUTE_MS })
    const named_alike = (alertname: string, at_ms: number) =>
      anAlert({ alertname, router: 'r', host: 'r' }, { starts_at_ms: NOON_MS + at_ms })
    t.alerts(0, named_alike('LinkDown', 0))
    const later = 10 * MINUTE_MS
    t.alerts(later, named_alike('SessionDown', later))
    t.alerts(later + 5_000, named_alike('LinkDown', later + 5_000))
    t.ticksUntil(later + MINUTE_MS)
    expect(t.incidents().map(({ members_firing, members_total }) => [members_firing, members_total])).toEqual(
      [[2, 2]],
    )
  })

  it('passes over a partner whose incident is closed, and one that came too long ago', () => {
    const t = timeline(rule, rest)
    const other = anAlert({ alertname: 'LinkDown', router: 'r', port: '2' })
    t.alerts(0, link('r'))
    t.alerts(50_000, other)
    t.alerts(55_000, { ...other, ends_at_ms: NOON_MS + 55_000 })
    t.alerts(58_000, session('r', '1'))
    t.alerts(70_000, session('r', '2'))
    expect(together(t, 'port')).toEqual(['1 -', '2', '-'])
  })

  it('makes an incident that evidence opened its own, unless somebody works on it', () => {
    const far = (alert: ReturnType<typeof link>, n: number) => ({ ...alert, starts_at_ms: NOON_MS + n })
    const alone = timeline(rule)
    alone.alerts(0, far(link('r'), 0))
    alone.alerts(1_000, far(session('r'), 1_000))
    expect(alone.incidents()).toMatchObject([{ rule: 'link-and-session', members_total: 2 }])
    expect(reasons(alone).map(({ code }) => code)).toEqual(['paired', 'paired'])
    expect(reasons(alone)[0]?.text).toContain('SessionDown, which came 1 s after')

    const worked_on = timeline(rule)
    worked_on.alerts(0, link('r'))
    worked_on.command(10, { kind: 'acknowledge', incident_id: worked_on.incidents()[0]?.id ?? '' })
    worked_on.alerts(1_000, session('r'))
    expect(worked_on.incidents()).toMatchObject([{ rule: '', state: 'acknowledged', members_total: 2 }])
    expect(reasons(worked_on).map(({ code }) => code)).toEqual(['unrelated', 'paired'])
  })

  it('finds a partner that came again, and forgets partners when the window is over', () => {
    const t = timeline(rule, rest)
    t.alerts(0, link('r'))
    t.alerts(1_000, { ...link('r'), ends_at_ms: NOON_MS + 1_000 })
    expect(t.state.sightings.size).toBe(1)
    t.ticksUntil(2 * MINUTE_MS)
    expect(t.state.sightings.size).toBe(0)
    t.alerts(2 * MINUTE_MS, { ...link('r'), starts_at_ms: NOON_MS + 2 * MINUTE_MS })
    t.alerts(2 * MINUTE_MS, session('r'))
    expect(t.incidents()).toMatchObject([{ members_total: 2 }])
  })
})

describe('an incident that needs several alerts', () => {
  const rule: GroupingRule = {
    name: 'disks',
    match: [],
    group_by: ['rack'],
    idle_timeout_ms: 10 * MINUTE_MS,
    members_max: 100,
    open_after: { alerts: 3, within_ms: MINUTE_MS },
  }
  const disk = (host: string, over: Parameters<typeof anAlert>[1] = {}) => anAlert({ host, rack: 'r1' }, over)

  it('is opened by the last of them with all that waited; later ones join at once', () => {
    const t = timeline(rule)
    expect(t.alerts(0, disk('a', { severity: 'critical' }))).toEqual([])
    t.alerts(30_000, disk('b'), anAlert({ host: 'x', rack: 'r2' }))
    expect(t.unassigned).toEqual(['waiting-for-more', 'waiting-for-more', 'waiting-for-more'])
    expect(t.state.derived.waiting.count).toBe(3)
    t.restart()
    const told = t.alerts(60_000, disk('c'))
    expect(kinds(told)).toEqual(['opened'])
    expect(told[0]?.memberships.joined.map(({ entity }) => entity)).toEqual(['a', 'b', 'c'])
    expect(told[0]?.incident).toMatchObject({ severity: 'critical', members_firing: 3, title: 'Down on a' })
    expect(reasons(t)[0]).toMatchObject({ code: 'enough-came', rule: 'disks' })
    expect(reasons(t)[0]?.text).toContain('3 alerts came within 60 s')
    t.alerts(61_000, disk('d'))
    expect(together(t)).toEqual(['a b c d'])
    expect(t.state.derived.waiting.count).toBe(1)
  })

  it('is not opened when they come too far apart, and what waited in vain is told', () => {
    const t = timeline({ ...rule, open_after: { alerts: 2, within_ms: MINUTE_MS } })
    t.alerts(0, disk('a'))
    t.ticksUntil(MINUTE_MS + 1)
    expect(t.unassigned).toEqual(['waiting-for-more', 'too-few'])
    t.alerts(MINUTE_MS + 1, disk('a'), disk('b'))
    expect(t.incidents()).toEqual([])
    // It ends, and comes again.
    t.alerts(MINUTE_MS + 2, disk('a', { ends_at_ms: NOON_MS + MINUTE_MS + 2 }))
    t.alerts(MINUTE_MS + 3, disk('a', { starts_at_ms: NOON_MS + MINUTE_MS + 3 }))
    expect(together(t)).toEqual(['b a'])
  })

  it('counts an alert once, however often it is told, and one that ended while it waited', () => {
    const t = timeline(rule)
    t.alerts(0, disk('a'), disk('a'))
    t.alerts(1_000, disk('a'), disk('b'))
    t.alerts(2_000, disk('b', { ends_at_ms: NOON_MS + 2_000 }))
    const [opened] = t.alerts(3_000, disk('c'))
    expect(opened?.incident).toMatchObject({ members_total: 3, members_firing: 2 })
    expect(opened?.memberships.ended.map(({ entity }) => entity)).toEqual(['b'])
  })

  it('lets go of what waits when the rules have changed', () => {
    const t = timeline(rule)
    t.alerts(0, disk('a'))
    t.record(1_000, { kind: 'rules', rules: { ...t.state.rules, version: 'next', grouping: [] } })
    t.ticksUntil(2 * MINUTE_MS)
    expect(together(t)).toEqual(['a'])
  })

  it('works for a time frame as well', () => {
    const open_after = { alerts: 2, within_ms: 10_000 }
    const t = timeline({
      kind: 'time_frame',
      name: 'frame',
      match: [],
      within_ms: MINUTE_MS,
      members_max: 100,
      open_after,
    })
    t.alerts(0, disk('a'))
    t.alerts(5_000, anAlert({ alertname: 'Other', host: 'b' }))
    t.alerts(65_000, disk('c'))
    t.alerts(65_001, disk('d'))
    expect(together(t)).toEqual(['a b c'])
    expect(t.state.derived.waiting.count).toBe(1)
  })
})

describe('alerts that are never grouped', () => {
  it('have an incident each, which nothing else joins', () => {
    const t = timeline({ kind: 'never', name: 'audits', match: [is('kind', 'audit')] })
    t.alerts(0, anAlert({ host: 'a', kind: 'audit', n: '1' }), anAlert({ host: 'a', kind: 'audit', n: '2' }))
    t.alerts(0, anAlert({ host: 'a', n: '3' }))
    expect(together(t, 'n')).toEqual(['1', '2', '3'])
    expect(reasons(t).map(({ code, rule }) => [code, rule])).toEqual([
      ['never-grouped', 'audits'],
      ['never-grouped', 'audits'],
      ['unrelated', ''],
    ])
  })
})

describe('alerts that are kept apart', () => {
  const apart: GroupingRule = { kind: 'separate', name: 'environments', separate: ['env'] }
  const alert = (n: string, env: string) => anAlert({ n, host: 'a', ...(env === '' ? {} : { env }) })

  it('are not together by evidence, and the reason says which rule', () => {
    const t = timeline(apart)
    t.alerts(
      0,
      alert('1', 'prod'),
      alert('2', 'test'),
      alert('3', 'prod'),
      alert('4', ''),
      alert('5', 'test'),
    )
    expect(together(t, 'n')).toEqual(['1 3', '2 5', '4'])
    expect(t.incidents()[1]?.members[0]?.reason).toMatchObject({ code: 'kept-apart', rule: 'environments' })
    expect(t.incidents()[1]?.members[0]?.reason.text).toContain(
      `keeps it apart from ${t.incidents()[0]?.id}: env is "test", there "prod"`,
    )
  })

  it.each<[string, GroupingRule]>([
    ['labels', { name: 'r', match: [], group_by: ['host'], idle_timeout_ms: MINUTE_MS, members_max: 9 }],
    ['a time frame', { kind: 'time_frame', name: 'r', match: [], within_ms: MINUTE_MS, members_max: 9 }],
    [
      'any label',
      { kind: 'any_of', name: 'r', match: [], any_of: ['host'], idle_timeout_ms: MINUTE_MS, members_max: 9 },
    ],
    [
      'pairs',
      {
        kind: 'pairs',
        name: 'r',
        pairs: [{ a: named('Down'), b: named('Down'), within_ms: MINUTE_MS, equal: ['host'] }],
        members_max: 9,
      },
    ],
  ])('are not together by %s', (_what, rule) => {
    const t = timeline(rule, apart)
    t.alerts(0, alert('1', 'prod'), alert('2', 'test'))
    t.alerts(1_000, alert('3', 'test'), alert('4', 'prod'))
    expect(together(t, 'n')).toEqual(['1 4', '2 3'])
  })
})

describe('rules that an older version stored', () => {
  it('have no kind and group by labels', () => {
    const t = timeline({
      name: 'old',
      match: [],
      group_by: ['rack'],
      idle_timeout_ms: MINUTE_MS,
      members_max: 9,
    })
    t.restart()
    t.alerts(0, anAlert({ host: 'a', rack: '1' }), anAlert({ host: 'b', rack: '1' }))
    expect(together(t)).toEqual(['a b'])
  })
})
