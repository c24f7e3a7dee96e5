import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member } from '../../schemas/incident.ts'
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
    arbitrary: fc.record({ what: fc.constant('merge' as const), child: fc.nat(5), parent: fc.nat(5) }),
  },
)
const story = fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), happening), { maxLength: 60 })
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never

const RULES = {
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

function play(events: Story, between: (t: Timeline, step: number, next_ms: number) => void): Timeline {
  const t = new Timeline(RULES)
  let at_ms = 0
  for (const [i, [gap_ms, event]] of events.entries()) {
    between(t, i, at_ms + gap_ms)
    at_ms += gap_ms
    happen(t, at_ms, event)
  }
  return t
}

/** Hosts share racks, so that they are related. */
function labelsOf(event: { readonly name: number; readonly host: number }): Record<string, string> {
  return { alertname: `n${event.name}`, host: `h${event.host}`, rack: `r${event.host % 3}` }
}

function happen(t: Timeline, at_ms: number, event: Story[number][1]): void {
  // In the order of opening: ids depend on positions, and ticks shift those.
  const rows = [...t.state.incidents.values()].sort(
    (a, b) => a.opened_place[0] - b.opened_place[0] || a.opened_place[1] - b.opened_place[1],
  )
  const ids = rows.map(({ incident }) => incident.id)
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
  else if (event.what === 'command') t.command(at_ms, { kind: event.kind, incident_id: nth(event.nth) })
  else t.command(at_ms, { kind: 'merge', incident_id: nth(event.child), into: nth(event.parent) })
}

const keepClock = (t: Timeline, _step: number, next_ms: number) => void t.ticksUntil(next_ms)

const byKey = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : 1)

function checkInvariants(t: Timeline): void {
  const firing = new Map<string, number>()
  const heard = new Map<string, number>()
  for (const row of t.state.alerts.values()) {
    if (!row.firing || row.dismissed) continue
    firing.set(row.incident_id, (firing.get(row.incident_id) ?? 0) + 1)
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

describe('the fold', () => {
  it('counts exactly who fires, and never holds an incident closed while a member fires', () => {
    let checked = 0
    fc.assert(
      fc.property(
        story,
        (events) =>
          void play(events, (t, step, next_ms) => {
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
        for (const change of play(events, keepClock).changes) {
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
        const whole = play(events, keepClock)
        const torn = play(events, (t, step, next_ms) => {
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
        expect(told(play(events, () => {}))).toBe(told(play(events, keepClock)))
      }),
      { numRuns: 200 },
    )
  })

  it('tells every membership exactly once', () => {
    fc.assert(
      fc.property(story, (events) => {
        const t = play(events, keepClock)
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
