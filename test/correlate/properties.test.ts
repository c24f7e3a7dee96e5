import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silencedBy } from '../../correlate/suppress.ts'
import type { CommandBody } from '../../schemas/command.ts'
import type { Member } from '../../schemas/incident.ts'
import type { MaintenanceWindow } from '../../schemas/maintenance.ts'
import { DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'
import { anAlert, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

/** What can happen, as small numbers, so that alerts meet. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('fires' as const),
      name: fc.nat(2),
      host: fc.nat(5),
      severity: fc.constantFrom('critical' as const, 'medium' as const),
      end_s: fc.option(fc.integer({ min: 1, max: 200 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('ends' as const), name: fc.nat(2), host: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('tick' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('silence' as const),
      host: fc.nat(5),
      length_s: fc.integer({ min: 1, max: 120 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('maintenance' as const),
      host: fc.nat(5),
      after_s: fc.integer({ min: -30, max: 60 }),
      length_s: fc.integer({ min: 0, max: 120 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('rules' as const), version: fc.constantFrom('one', 'two') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('command' as const),
      kind: fc.constantFrom(
        'acknowledge' as const,
        'mitigate' as const,
        'resolve' as const,
        'review' as const,
        'reopen' as const,
      ),
      nth: fc.nat(5),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('shelve' as const),
      nth: fc.nat(5),
      length_s: fc.integer({ min: 0, max: 120 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('merge' as const), child: fc.nat(5), parent: fc.nat(5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('move' as const),
      from: fc.nat(5),
      into: fc.option(fc.nat(5)),
      name: fc.nat(2),
      host: fc.nat(5),
    }),
  },
)
const story = fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), happening), { maxLength: 60 })
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never

const RULES: Partial<Rules> = {
  // The others find their incident by evidence.
  grouping: [
    {
      name: 'n',
      match: [{ name: 'alertname', op: '=' as const, value: 'n0' }],
      group_by: ['alertname'],
      idle_timeout_ms: 60_000,
      members_max: 4,
    },
  ],
  learned: {
    pairs: [
      {
        first: 'n1',
        second: 'n2',
        where: 'related' as const,
        followed: 9,
        of: 10,
        confidence: 0.6,
        gap_p90_ms: 20_000,
      },
    ],
    chronic: [{ scope: 'default', alertname: 'n2', entity: 'h1' }],
  },
  resolve_timeout_ms: MINUTE_MS,
  reopen_within_ms: MINUTE_MS,
  retain_resolved_ms: 5 * MINUTE_MS,
}

const onHosts = (value: string) => [{ name: 'host', op: '=~' as const, value }]
/** Every kind of rule, so that each takes some of the alerts. */
const ALL_KINDS: Partial<Rules> = {
  ...RULES,
  grouping: [
    { kind: 'separate', name: 'apart', separate: ['zone'] },
    {
      kind: 'pairs',
      name: 'pairs',
      pairs: [
        {
          a: [{ name: 'alertname', op: '=', value: 'n0' }],
          b: [{ name: 'alertname', op: '=~', value: 'n[01]' }],
          within_ms: 30_000,
          equal: ['rack'],
        },
      ],
      members_max: 5,
    },
    { kind: 'never', name: 'never', match: onHosts('h0') },
    {
      kind: 'any_of',
      name: 'any',
      match: onHosts('h[12]'),
      any_of: ['rack', 'alertname'],
      idle_timeout_ms: 40_000,
      members_max: 4,
    },
    {
      kind: 'time_frame',
      name: 'frame',
      match: onHosts('h3'),
      within_ms: 50_000,
      members_max: 4,
      open_after: { alerts: 2, within_ms: 45_000 },
    },
    {
      kind: 'group_by',
      name: 'enough',
      match: onHosts('h4'),
      group_by: ['rack'],
      idle_timeout_ms: 60_000,
      members_max: 4,
      open_after: { alerts: 2, within_ms: 90_000 },
    },
  ],
}

/** In force from the beginning, and what they may be changed to: planned work comes, goes and lasts longer. */
function rulesOf(version: 'one' | 'two'): Rules {
  const window = (host: number, from_min: number, to_min: number): MaintenanceWindow => ({
    kind: 'once',
    name: `work on h${host}`,
    match: [{ name: 'host', op: '=', value: `h${host}` }],
    starts_at_ms: NOON_MS + from_min * MINUTE_MS,
    ends_at_ms: NOON_MS + to_min * MINUTE_MS,
    comment: '',
  })
  const maintenance =
    version === 'one' ? [window(0, 2, 6), window(1, 5, 9)] : [window(1, 5, 14), window(2, 8, 12)]
  // Hosts 3 and 4 depend on host 5, 4 on 3 as well; n0 alerts that are both are muted by no other such.
  const suppression: Rules['suppression'] = [
    {
      name: 'behind',
      source: [{ name: 'host', op: '=~', value: version === 'one' ? 'h5|h3' : 'h5' }],
      target: [{ name: 'host', op: '=~', value: 'h3|h4' }],
      equal: ['alertname'],
    },
    {
      name: 'any',
      source: [{ name: 'alertname', op: '=', value: 'n0' }],
      target: [{ name: 'alertname', op: '=~', value: 'n0|n1' }],
      equal: ['host', 'absent'],
    },
  ]
  // Two turns in twenty states are enough, so that it happens.
  const flapping = { interval_ms: version === 'one' ? 20_000 : 0, start_percent: 10, end_percent: 6 }
  const hold_ms = { ...DEFAULT_RULES.hold_ms, medium: version === 'one' ? 10_000 : 0 }
  return { ...DEFAULT_RULES, ...RULES, version, maintenance, suppression, flapping, hold_ms }
}

function play(
  rules: Partial<Rules>,
  events: Story,
  between: (t: Timeline, step: number, next_ms: number) => void,
): Timeline {
  const t = new Timeline({ ...rulesOf('one'), ...rules })
  let at_ms = 0
  for (const [i, [gap_ms, event]] of events.entries()) {
    between(t, i, at_ms + gap_ms)
    at_ms += gap_ms
    happen(t, at_ms, at_ms - gap_ms, event)
  }
  return t
}

/** Hosts share racks, so that they are related. */
function labelsOf(event: { readonly name: number; readonly host: number }): Record<string, string> {
  return {
    alertname: `n${event.name}`,
    host: `h${event.host}`,
    rack: `r${event.host % 3}`,
    zone: `z${event.name % 2}`,
  }
}

/** `before_ms`: when something happened before. What a timer opened since then is not known to everybody yet. */
function happen(t: Timeline, at_ms: number, before_ms: number, event: Story[number][1]): void {
  // In the order of opening: ids depend on positions, and ticks shift those.
  const rows = [...t.state.incidents.values()].sort(
    (a, b) => a.opened_place[0] - b.opened_place[0] || a.opened_place[1] - b.opened_place[1],
  )
  const known = rows.filter(({ incident }) => incident.opened_at_ms <= NOON_MS + before_ms)
  const ids = known.map(({ incident }) => incident.id)
  const nth = (n: number) => ids[n % Math.max(1, ids.length)] ?? 'inc_none'
  if (event.what === 'fires') {
    const over = {
      severity: event.severity,
      starts_at_ms: NOON_MS + at_ms,
      ends_at_ms: event.end_s === null ? null : NOON_MS + at_ms + event.end_s * 1_000,
    }
    t.alerts(at_ms, anAlert(labelsOf(event), over))
  } else if (event.what === 'ends') t.alerts(at_ms, anAlert(labelsOf(event), { ends_at_ms: NOON_MS + at_ms }))
  else if (event.what === 'tick') t.tick(at_ms)
  else if (event.what === 'silence')
    t.silence(at_ms, {
      id: `s${event.host}`,
      matchers: [{ name: 'host', op: '=', value: `h${event.host}` }],
      ends_at_ms: NOON_MS + at_ms + event.length_s * 1_000,
    })
  else if (event.what === 'shelve') {
    const until_ms = NOON_MS + at_ms + event.length_s * 1_000
    const incident_id = nth(event.nth)
    if (event.length_s === 0) t.command(at_ms, { kind: 'unshelve', incident_id })
    else t.command(at_ms, { kind: 'shelve', incident_id, until_ms, comment: '' })
  } else if (event.what === 'rules') t.record(at_ms, { kind: 'rules', rules: rulesOf(event.version) })
  else if (event.what === 'maintenance') t.command(at_ms, maintenanceOf(event, NOON_MS + at_ms))
  else if (event.what === 'command') t.command(at_ms, { kind: event.kind, incident_id: nth(event.nth) })
  else if (event.what === 'merge')
    t.command(at_ms, { kind: 'merge', incident_id: nth(event.child), into: nth(event.parent) })
  else {
    const moved = { incident_id: nth(event.from), fingerprints: [anAlert(labelsOf(event)).fingerprint] }
    if (event.into === null) t.command(at_ms, { kind: 'split', ...moved })
    else t.command(at_ms, { kind: 'move', ...moved, into: nth(event.into) })
  }
}

/** A length of nothing ends what was opened before. */
function maintenanceOf(
  { host, after_s, length_s }: { host: number; after_s: number; length_s: number },
  now_ms: number,
): CommandBody {
  const name = `by hand on h${host}`
  if (length_s === 0) return { kind: 'end-maintenance', name }
  const starts_at_ms = now_ms + after_s * 1_000
  const match = [{ name: 'host', op: '=' as const, value: `h${host}` }]
  const ends_at_ms = starts_at_ms + length_s * 1_000
  return { kind: 'maintenance', window: { kind: 'once', name, match, starts_at_ms, ends_at_ms, comment: '' } }
}

const keepClock = (t: Timeline, _step: number, next_ms: number) => void t.ticksUntil(next_ms)

const byKey = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : 1)

function checkInvariants(t: Timeline): void {
  const firing = new Map<string, number>()
  const heard = new Map<string, number>()
  for (const [key, row] of t.state.alerts) {
    if (!row.firing || row.dismissed || row.held || row.incident_id === '') continue
    firing.set(row.incident_id, (firing.get(row.incident_id) ?? 0) + 1)
    // What mutes an alert that fires is what would mute it if it came now.
    expect([key, row.silenced_by]).toEqual([key, silencedBy(t.state, row.alert)])
    if (row.silenced_by.length === 0) heard.set(row.incident_id, (heard.get(row.incident_id) ?? 0) + 1)
  }
  for (const { incident, members_heard } of t.state.incidents.values()) {
    expect(incident.members_firing).toBe(firing.get(incident.id) ?? 0)
    expect(members_heard).toBe(heard.get(incident.id) ?? 0)
    const closed = ['resolved', 'reviewed', 'merged'].includes(incident.state)
    expect([incident.id, closed && incident.members_firing > 0]).toEqual([incident.id, false])
    expect(incident.members_total).toBeGreaterThanOrEqual(incident.members_firing)
    firing.delete(incident.id)
  }
  expect([...firing.keys()]).toEqual([])
}

const RULE_SETS = [
  ['labels and evidence', RULES],
  ['every kind of rule', ALL_KINDS],
] as const

describe.each(RULE_SETS)('the fold with rules of %s', (_of, rules) => {
  it('counts exactly who fires, and never holds an incident closed while a member fires', () => {
    let checked = 0
    fc.assert(
      fc.property(
        story,
        (events) =>
          void play(rules, events, (t, step, next_ms) => {
            keepClock(t, step, next_ms)
            checkInvariants(t)
            checked++
          }),
      ),
      { numRuns: 300 },
    )
    expect(checked).toBeGreaterThan(1_000)
  })

  it('raises the revision of an incident by one with each change, and never goes back in time', () => {
    fc.assert(
      fc.property(story, (events) => {
        const seen = new Map<string, number>()
        let time_ms = 0
        for (const change of play(rules, events, keepClock).changes) {
          expect(change.revision).toBe((seen.get(change.incident_id) ?? 0) + 1)
          expect(change.at_ms).toBeGreaterThanOrEqual(time_ms)
          seen.set(change.incident_id, change.revision)
          time_ms = change.at_ms
        }
      }),
      { numRuns: 200 },
    )
  })

  it('gives the same bytes when its owner dies between any two records', () => {
    fc.assert(
      fc.property(story, fc.array(fc.nat(60)), (events, deaths) => {
        const whole = play(rules, events, keepClock)
        const torn = play(rules, events, (t, step, next_ms) => {
          if (deaths.includes(step)) t.restart()
          keepClock(t, step, next_ms)
        })
        expect(JSON.stringify(torn.changes)).toBe(JSON.stringify(whole.changes))
        expect([...torn.rows].sort(byKey)).toEqual([...whole.rows].sort(byKey))
      }),
      { numRuns: 300 },
    )
  })

  it('comes to the same whether ticks come in between or not, while the clock is kept', () => {
    // Gaps shorter than an outage: then a record itself carries the time.
    const brief = fc.array(fc.tuple(fc.integer({ min: 0, max: 29_000 }), happening), { maxLength: 60 })
    fc.assert(
      fc.property(brief, (events) => {
        const plain = (members: readonly Member[]) =>
          members.map(({ reason, ...rest }) => [rest, reason.code])
        const told = (t: Timeline) =>
          JSON.stringify(
            t.changes.map(({ kind, at_ms, revision, memberships }) => [
              kind,
              at_ms,
              revision,
              plain(memberships.joined),
              plain(memberships.ended),
            ]),
          )
        expect(told(play(rules, events, () => {}))).toBe(told(play(rules, events, keepClock)))
      }),
      { numRuns: 200 },
    )
  })

  it('keeps alerts apart that a rule separates, and leaves none waiting for ever', () => {
    let met = 0
    fc.assert(
      fc.property(story, (events) => {
        // Operators may put together what rules keep apart, and other rules may be put in force.
        const merged = events.some(([, { what }]) => ['merge', 'move', 'rules'].includes(what))
        const t = play(rules, events, keepClock)
        for (const { incident_id, alert } of t.state.alerts.values()) {
          const [first] = t.state.incidents.get(incident_id)?.incident.members ?? []
          if (rules !== ALL_KINDS || merged || !first) continue
          met++
          expect(alert.labels['zone']).toBe(first.labels['zone'])
        }
        t.ticksUntil(24 * 60 * MINUTE_MS)
        expect([t.state.derived.waiting.count, t.state.sightings.size]).toEqual([0, 0])
      }),
      { numRuns: 200 },
    )
    expect(met > 0).toBe(rules === ALL_KINDS)
  })

  it('tells every membership exactly once', () => {
    fc.assert(
      fc.property(story, (events) => {
        const t = play(rules, events, keepClock)
        t.ticksUntil(24 * 60 * MINUTE_MS)
        const open = new Map<string, string>()
        for (const { incident_id, memberships } of t.changes) {
          for (const { fingerprint } of memberships.joined) {
            open.set(fingerprint, incident_id)
          }
          for (const { fingerprint } of memberships.ended)
            if (open.get(fingerprint) === incident_id) open.delete(fingerprint)
        }
        expect([...open]).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})
