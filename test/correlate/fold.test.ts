import { describe, expect, it } from 'vitest'
import type { GroupByRule } from '../../schemas/grouping.ts'
import { DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const byName = (over: Partial<GroupByRule> = {}): Partial<Rules> => ({
  grouping: [
    {
      name: 'by-name',
      match: [],
      group_by: ['alertname'],
      idle_timeout_ms: 5 * MINUTE_MS,
      members_max: 100,
      ...over,
    },
  ],
})

describe('opening and joining', () => {
  it('opens an incident at once and says why', () => {
    const t = new Timeline(byName())
    const [opened] = t.alerts(0, anAlert({ host: 'a' }, { severity: 'critical' }))
    expect(opened).toMatchObject({
      kind: 'opened',
      revision: 1,
      incident: {
        state: 'open',
        severity: 'critical',
        title: 'Down on a',
        members_total: 1,
        members_firing: 1,
      },
    })
    expect(opened?.reason).toMatchObject({ code: 'new-group', rule: 'by-name', rules_version: 'test' })
    expect(opened?.reason.text).toContain('alertname="Down"')
    expect(opened?.memberships.joined).toHaveLength(1)
  })

  it('joins alerts of one group and tells growth at most once an interval', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }))
    expect(t.alerts(100, anAlert({ host: 'b' }), anAlert({ host: 'c' }))).toEqual([])
    const told = t.ticksUntil(2_000)
    expect(kinds(told)).toEqual(['grown'])
    expect(told[0]?.memberships.joined.map(({ entity }) => entity)).toEqual(['b', 'c'])
    expect(told[0]).toMatchObject({ at_ms: NOON_MS + 1_000, revision: 2, incident: { members_total: 3 } })
  })

  it('tells a rise of severity at once, with what was held back', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }, { severity: 'low' }))
    const told = t.alerts(
      10,
      anAlert({ host: 'b' }, { severity: 'low' }),
      anAlert({ host: 'c' }, { severity: 'critical' }),
    )
    expect(kinds(told)).toEqual(['severity-changed'])
    expect(told[0]?.memberships.joined).toHaveLength(2)
    expect(told[0]?.incident.severity).toBe('critical')
  })

  it('keeps what an alert was when its end tells only which alert it ends', () => {
    const t = new Timeline(byName())
    const fires = anAlert({ host: 'a' }, { severity: 'critical', annotations: { summary: 'full' } })
    t.alerts(0, fires)
    const { fingerprint } = fires
    const told = t.alerts(
      10,
      anAlert({}, { fingerprint, labels: { key: '1' }, severity: 'medium', ends_at_ms: NOON_MS }),
    )
    expect(kinds(told)).toEqual(['resolved'])
    expect(told[0]?.memberships.ended).toMatchObject([
      { labels: { alertname: 'Down', host: 'a' }, severity: 'critical', entity: 'a', firing: false },
    ])
    expect(t.state.alerts.get(fingerprint)?.alert.annotations).toEqual({ summary: 'full' })
  })

  it('tells at once that an alert whose identity is some of its labels has become worse', () => {
    const t = new Timeline(byName())
    const fires = anAlert({ host: 'a', state: 'warning' })
    t.alerts(0, fires)
    t.silence(5, { id: 'warnings', matchers: [{ name: 'state', op: '=', value: 'warning' }] })
    expect(t.incidents()[0]?.suppressed).toBe(true)
    const { fingerprint } = fires
    const told = t.alerts(
      10,
      anAlert({ host: 'a', state: 'critical' }, { fingerprint, severity: 'critical' }),
    )
    expect(kinds(told)).toEqual(['severity-changed'])
    expect(told[0]?.incident).toMatchObject({
      severity: 'critical',
      suppressed: false,
      members: [{ labels: { state: 'critical' }, severity: 'critical', silenced_by: [] }],
    })
    expect(t.alerts(20, anAlert({ host: 'a', state: 'warning' }, { fingerprint }))).toMatchObject([
      { kind: 'suppressed', incident: { severity: 'critical', members: [{ severity: 'medium' }] } },
    ])
  })

  it('keeps scopes, groups and rules apart', () => {
    const t = new Timeline({
      grouping: [
        {
          name: 'db',
          match: [{ name: 'tier', op: '=~', value: 'db|cache' }],
          group_by: ['tier'],
          idle_timeout_ms: MINUTE_MS,
          members_max: 10,
        },
        {
          name: 'rest',
          match: [{ name: 'alone', op: '=', value: '' }],
          group_by: ['alertname'],
          idle_timeout_ms: MINUTE_MS,
          members_max: 10,
        },
      ],
    })
    t.alerts(
      0,
      anAlert({ tier: 'db', host: 'a' }),
      anAlert({ tier: 'db', alertname: 'Slow', host: 'b' }),
      anAlert({ tier: 'cache' }),
    )
    t.alerts(
      0,
      anAlert({ host: 'a' }),
      anAlert({ host: 'a' }, { scope: 'other' }),
      anAlert({ alone: 'yes', host: '1' }),
      anAlert({ alone: 'yes', host: '2' }),
    )
    expect(t.incidents().map(({ rule, scope, members_total }) => [rule, scope, members_total])).toEqual([
      ['db', 'default', 2],
      ['db', 'default', 1],
      ['rest', 'default', 1],
      ['rest', 'other', 1],
      // No rule matches these: they share a label and are of the same kind.
      ['', 'default', 2],
    ])
  })

  it('takes `...` for all labels', () => {
    const t = new Timeline(byName({ group_by: ['...'] }))
    t.alerts(0, anAlert({ host: 'a' }), anAlert({ host: 'b' }))
    expect(t.incidents()).toHaveLength(2)
  })

  it('opens anew when the group was idle too long, and when it is full, and says so', () => {
    const t = new Timeline(byName({ members_max: 2, idle_timeout_ms: MINUTE_MS }))
    t.alerts(0, anAlert({ host: 'a' }))
    const idle = t.alerts(MINUTE_MS + 1, anAlert({ host: 'b' }))
    expect(idle[0]?.reason.code).toBe('idle')
    t.alerts(MINUTE_MS + 2, anAlert({ host: 'c' }))
    const full = t.alerts(MINUTE_MS + 3, anAlert({ host: 'd' }))
    expect(full.find(({ kind }) => kind === 'opened')?.reason.code).toBe('full')
  })

  it('derives the id of an incident from the log: the same log gives the same ids', () => {
    const run = () => {
      const t = new Timeline(byName())
      t.alerts(0, anAlert({ host: 'a' }))
      return t.incidents()[0]?.id
    }
    expect(run()).toBe(run())
    expect(run()).toMatch(/^inc_[0-9a-f]{20}$/)
  })
})

describe('repeats and ends', () => {
  it('takes a repeat for nothing but a later expiry', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + 4 * MINUTE_MS }))
    expect(t.alerts(MINUTE_MS, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + 5 * MINUTE_MS }))).toEqual([])
    expect(t.ticksUntil(5 * MINUTE_MS - 1)).toEqual([])
    expect(kinds(t.ticksUntil(5 * MINUTE_MS + 15_000))).toEqual(['resolved'])
  })

  it('resolves when the last member ended, at the end that the sender gave', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }), anAlert({ host: 'b' }))
    t.ticksUntil(5_000)
    t.alerts(10_000, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + 9_000 }))
    const told = t.alerts(20_000, anAlert({ host: 'b' }, { ends_at_ms: NOON_MS + 19_000 }))
    expect(told.at(-1)).toMatchObject({
      kind: 'resolved',
      incident: { state: 'resolved', members_firing: 0, resolved_at_ms: NOON_MS + 20_000 },
    })
    expect(told.at(-1)?.memberships.ended[0]).toMatchObject({
      entity: 'b',
      ended_at_ms: NOON_MS + 19_000,
      firing: false,
    })
  })

  it('tells the end of some members for what it is, at once and when it was held back', () => {
    const t = new Timeline(byName())
    t.alerts(0, ...['a', 'b', 'c', 'd'].map((host) => anAlert({ host })))
    t.ticksUntil(5_000)
    const ends = (host: string) => anAlert({ host }, { ends_at_ms: NOON_MS + 9_000 })
    const [at_once] = t.alerts(10_000, ends('a'))
    expect(at_once).toMatchObject({
      kind: 'updated',
      reason: { code: 'alerts-resolved', text: '1 stopped firing, 3 still fire.' },
    })
    expect(t.alerts(10_100, ends('b'), ends('c'))).toEqual([])
    expect(t.ticksUntil(12_000)[0]?.reason.text).toBe('2 stopped firing, 1 still fire.')
  })

  it('resolves an alert without an end by the resolve timeout', () => {
    const t = new Timeline({ ...byName(), resolve_timeout_ms: MINUTE_MS })
    t.alerts(0, anAlert({ host: 'a' }))
    expect(t.ticksUntil(MINUTE_MS - 1)).toEqual([])
    const [resolved] = t.ticksUntil(MINUTE_MS)
    expect(resolved).toMatchObject({
      kind: 'resolved',
      at_ms: NOON_MS + MINUTE_MS,
      reason: { code: 'timeout' },
    })
  })

  it('does not take an outage of its own for the end of alerts', () => {
    const t = new Timeline({ ...byName(), resolve_timeout_ms: MINUTE_MS })
    t.alerts(0, anAlert({ host: 'a' }))
    expect(t.tick(60 * MINUTE_MS)).toEqual([])
    expect(t.incidents()[0]?.members_firing).toBe(1)
    expect(kinds(t.ticksUntil(62 * MINUTE_MS))).toEqual(['resolved'])
  })

  it('notes an end of what it never knew, and opens nothing', () => {
    const t = new Timeline(byName())
    expect(t.alerts(0, anAlert({}, { ends_at_ms: NOON_MS - 1 }))).toEqual([])
    expect(t.unassigned).toEqual(['resolved-unknown'])
    expect(t.incidents()).toEqual([])
  })

  it('reopens the incident when its alert fires again soon, and opens another when late', () => {
    const t = new Timeline({ ...byName(), reopen_within_ms: 10 * MINUTE_MS })
    t.alerts(0, anAlert({ host: 'a' }))
    t.alerts(1_000, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + 1_000 }))
    const [reopened] = t.alerts(2 * MINUTE_MS, anAlert({ host: 'a' }))
    expect(reopened).toMatchObject({
      kind: 'reopened',
      incident: { state: 'open', reopened: 1, resolved_at_ms: null, members_total: 1 },
    })
    t.alerts(3 * MINUTE_MS, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + 3 * MINUTE_MS }))
    t.ticksUntil(20 * MINUTE_MS)
    expect(kinds(t.alerts(20 * MINUTE_MS, anAlert({ host: 'a' })))).toEqual(['opened'])
    expect(t.incidents()).toHaveLength(2)
  })

  it('skips what a source repeats after a crash', () => {
    const t = new Timeline(byName())
    const record = (places: [number, number][], hosts: string[]) =>
      t.record(0, {
        kind: 'alerts',
        received_at_ms: 0,
        origin: { source: 'k/alerts', partition: 3 },
        places,
        alerts: hosts.map((host) => anAlert({ host })),
      })
    record(
      [
        [7, 0],
        [7, 1],
      ],
      ['a', 'b'],
    )
    record(
      [
        [7, 0],
        [7, 1],
        [8, 0],
      ],
      ['a', 'b', 'c'],
    )
    expect(t.skipped).toBe(2)
    expect(t.incidents()[0]?.members_total).toBe(3)
  })

  it('goes on with rows that an older version stored, which lack what is new', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }), anAlert({ host: 'b' }))
    const NEW = new Set([
      'history',
      'held',
      'maintenance',
      'suppression',
      'flapping',
      'hold_ms',
      'shelve_max_ms',
    ])
    for (const [key, text] of t.rows)
      t.rows.set(
        key,
        JSON.stringify(JSON.parse(text), (name, value: unknown) => (NEW.has(name) ? undefined : value)),
      )
    t.restart()
    t.alerts(10_000, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS }))
    expect(t.state.rules.flapping).toEqual(DEFAULT_RULES.flapping)
    expect(kinds(t.alerts(20_000, anAlert({ host: 'b' }, { ends_at_ms: NOON_MS })))).toEqual(['resolved'])
    expect(kinds(t.alerts(30_000, anAlert({ host: 'c' })))).toEqual(['opened'])
  })

  it('forgets closed incidents and their alerts in time', () => {
    const t = new Timeline({ ...byName(), retain_resolved_ms: 60 * MINUTE_MS })
    t.alerts(0, anAlert({ host: 'a' }))
    t.alerts(1_000, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS }))
    t.ticksUntil(24 * 60 * MINUTE_MS)
    expect([...t.rows.keys()].filter((key) => /^[aic]/.test(key))).toEqual([])
    expect(t.state.derived).toMatchObject({ firing: 0, unresolved: 0 })
    expect(t.state.derived.groups.size).toBe(0)
  })
})

describe('commands', () => {
  function opened() {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }))
    return { t, incident_id: t.incidents()[0]?.id as string }
  }

  it('walks the lifecycle, with the actor and the times', () => {
    const { t, incident_id } = opened()
    const [acknowledged] = t.command(1_000, { kind: 'acknowledge', incident_id })
    expect(acknowledged).toMatchObject({
      kind: 'acknowledged',
      actor: 'ada',
      command_id: 'command-2',
      incident: { state: 'acknowledged', acknowledged_at_ms: NOON_MS + 1_000, assignee: 'ada' },
    })
    expect(kinds(t.command(2_000, { kind: 'mitigate', incident_id, comment: 'rolled back' }))).toEqual([
      'mitigated',
    ])
    expect(kinds(t.alerts(3_000, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + 3_000 })))).toEqual([
      'resolved',
    ])
    expect(kinds(t.command(4_000, { kind: 'review', incident_id }))).toEqual(['reviewed'])
    expect(t.incidents()[0]).toMatchObject({ state: 'reviewed', revision: 5 })
    expect(t.incidents()[0]?.timeline.map(({ kind }) => kind)).toEqual([
      'opened',
      'acknowledged',
      'mitigated',
      'resolved',
      'reviewed',
    ])
  })

  it('refuses what the state does not allow, visibly, and changes nothing else', () => {
    const { t, incident_id } = opened()
    const [refused] = t.command(1_000, { kind: 'review', incident_id })
    expect(refused).toMatchObject({
      kind: 'command-refused',
      reason: { code: 'refused' },
      incident: { state: 'open' },
    })
    expect(refused?.reason.text).toContain('review is not possible while the incident is open')
  })

  it('carries out a command once, however often it arrives', () => {
    const { t, incident_id } = opened()
    t.command(1_000, { kind: 'comment', incident_id, comment: 'looking' }, 'same')
    expect(t.command(2_000, { kind: 'comment', incident_id, comment: 'looking' }, 'same')).toEqual([])
  })

  it('resolves by an operator although alerts fire; they count again only when they fire anew', () => {
    const { t, incident_id } = opened()
    const [resolved] = t.command(1_000, { kind: 'resolve', incident_id })
    expect(resolved).toMatchObject({ kind: 'resolved', incident: { members_firing: 0 } })
    expect(t.alerts(2_000, anAlert({ host: 'a' }))).toEqual([])
    expect(kinds(t.alerts(3_000, anAlert({ host: 'a' }, { starts_at_ms: NOON_MS + 2_500 })))).toEqual([
      'reopened',
    ])
  })

  it('merges: the child points to its parent, its alerts and its group follow', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }), anAlert({ alertname: 'Slow', host: 'b' }))
    const [parent, child] = t.incidents().map(({ id }) => id) as [string, string]
    const told = t.command(1_000, { kind: 'merge', incident_id: child, into: parent })
    expect(told.map(({ kind, incident_id }) => [kind, incident_id])).toEqual([
      ['merged', child],
      ['grown', parent],
    ])
    t.alerts(2_000, anAlert({ alertname: 'Slow', host: 'c' }))
    t.ticksUntil(5_000)
    expect(t.state.incidents.get(parent)?.incident).toMatchObject({ members_total: 3, members_firing: 3 })
    expect(t.state.incidents.get(child)?.incident).toMatchObject({
      state: 'merged',
      merged_into: parent,
      members_firing: 0,
    })
    t.alerts(6_000, ...['a'].map((host) => anAlert({ host }, { ends_at_ms: NOON_MS })))
    t.alerts(
      6_000,
      ...['b', 'c'].map((host) => anAlert({ alertname: 'Slow', host }, { ends_at_ms: NOON_MS })),
    )
    expect(t.state.incidents.get(parent)?.incident.state).toBe('resolved')
  })

  it('links a ticket', () => {
    const { t, incident_id } = opened()
    t.command(1_000, { kind: 'link-ticket', incident_id, ticket: { sink: 'rt', external_id: '17', url: '' } })
    expect(t.incidents()[0]?.tickets).toEqual([{ sink: 'rt', external_id: '17', url: '' }])
  })
})

describe('silences', () => {
  it('mutes what fires and what comes, and tells when it is over', () => {
    const t = new Timeline({ ...byName(), resolve_timeout_ms: 60 * MINUTE_MS })
    t.alerts(0, anAlert({ host: 'a' }))
    const [suppressed] = t.silence(1_000, {})
    expect(suppressed).toMatchObject({ kind: 'suppressed', incident: { suppressed: true } })
    expect(t.alerts(2_500, anAlert({ host: 'b' }))[0]?.incident.suppressed).toBe(true)
    const over = t.ticksUntil(12 * MINUTE_MS)
    expect(kinds(over)).toEqual(['unsuppressed'])
    expect(over[0]?.at_ms).toBe(NOON_MS + 1_000 + 10 * MINUTE_MS)
  })

  it('opens an incident of silenced alerts as suppressed, and unsuppresses it by the first that is heard', () => {
    const t = new Timeline(byName())
    t.silence(0, { matchers: [{ name: 'host', op: '=', value: 'a' }] })
    expect(t.alerts(1_000, anAlert({ host: 'a' }))[0]).toMatchObject({
      kind: 'opened',
      incident: { suppressed: true },
    })
    expect(kinds(t.alerts(1_001, anAlert({ host: 'b' })))).toEqual(['unsuppressed'])
  })

  it('ends early, waits until it begins, and refuses what cannot be matched', () => {
    const t = new Timeline(byName())
    t.alerts(0, anAlert({ host: 'a' }))
    expect(
      t.silence(0, { id: 'later', starts_at_ms: NOON_MS + 60_000, ends_at_ms: NOON_MS + 120_000 }),
    ).toEqual([])
    expect(kinds(t.ticksUntil(60_000))).toEqual(['suppressed'])
    expect(kinds(t.command(70_000, { kind: 'expire-silence', silence_id: 'later' }))).toEqual([
      'unsuppressed',
    ])
    t.silence(80_000, { id: 'broken', matchers: [{ name: 'a', op: '=~', value: '(' }] })
    expect(t.state.silences.has('broken')).toBe(false)
    expect([...t.state.commands.values()].at(-1)?.refused).toContain('missing closing )')
  })
})
