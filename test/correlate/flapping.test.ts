import { describe, expect, it } from 'vitest'
import type { Rules } from '../../schemas/rules.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

/** All alerts of one name belong together, however long ago they came. */
const LONG: Partial<Rules> = {
  resolve_timeout_ms: 24 * 60 * MINUTE_MS,
  grouping: [
    { name: 'n', match: [], group_by: ['alertname'], idle_timeout_ms: 24 * 60 * MINUTE_MS, members_max: 9 },
  ],
}

const fires = (t: Timeline, at_ms: number, host = 'a') =>
  t.alerts(at_ms, anAlert({ host }, { starts_at_ms: NOON_MS + at_ms }))
const ends = (t: Timeline, at_ms: number, host = 'a') =>
  t.alerts(at_ms, anAlert({ host }, { ends_at_ms: NOON_MS + at_ms }))

/** Fires and ends by turns, every `step_ms` from noon on; gives what was told at each turn. */
function turns(t: Timeline, count: number, step_ms: number, from = 0): string[][] {
  return Array.from({ length: count }, (_, i) =>
    kinds(((from + i) % 2 === 0 ? fires : ends)(t, (from + i) * step_ms)),
  )
}

/** Flaps from its seventh statement on, half a minute before the time that it gives. */
function flapping(rules: Partial<Rules> = LONG): { t: Timeline; at_ms: number } {
  const t = new Timeline(rules)
  turns(t, 7, 30_000)
  return { t, at_ms: 7 * 30_000 }
}

describe('flapping', () => {
  it('begins when three tenths of the last twenty states are turns, by weight, and is told', () => {
    const t = new Timeline(LONG)
    expect(turns(t, 7, 30_000)).toEqual([
      ['opened'],
      ['resolved'],
      ['reopened'],
      ['resolved'],
      ['reopened'],
      ['resolved'],
      ['reopened', 'flapping-started'],
    ])
    const [incident] = t.incidents()
    expect(t.changes.at(-1)?.reason).toMatchObject({
      code: 'flapping',
      text: 'Down on a flaps: 6 of its last 20 states differ from the one before, 33.9 % by weight. It counts as firing until it is steady.',
    })
    expect(incident?.timeline.at(-1)?.kind).toBe('flapping-started')
    expect(incident?.members[0]?.flapping).toBe(true)
  })

  it('does not begin while turns are far between', () => {
    const t = new Timeline({ ...LONG, reopen_within_ms: 60 * MINUTE_MS })
    expect(turns(t, 20, 5 * MINUTE_MS).flat()).not.toContain('flapping-started')
  })

  it('neither resolves nor reopens the incident meanwhile, nor tells of turns', () => {
    const { t } = flapping()
    expect(turns(t, 12, 30_000, 7).flat()).toEqual([])
    expect(t.incidents()[0]).toMatchObject({ state: 'open', members_firing: 1, reopened: 3 })
  })

  it('ends when it is steady, and then resolves if it rests', () => {
    const { t, at_ms } = flapping()
    ends(t, at_ms)
    const told = t.ticksUntil(60 * MINUTE_MS)
    expect(kinds(told)).toEqual(['resolved'])
    expect(told[0]?.incident.timeline.slice(-2).map(({ kind, text }) => [kind, text])).toEqual([
      ['flapping-ended', 'Down on a is steady again: it has resolved.'],
      ['resolved', 'All alerts have resolved.'],
    ])
    expect(told[0]?.memberships.ended[0]?.ended_at_ms).toBe(NOON_MS + at_ms)
  })

  it('ends by the lower threshold, as the weights of Icinga have it', () => {
    const { t } = flapping()
    // After n states the six turns weigh 118-2n … 108-2n, together 678-12n; at 500 or less, so after 15, it is steady.
    const told = t.ticksUntil(60 * MINUTE_MS)
    expect(told.map(({ kind, at_ms: told_ms }) => [kind, told_ms - NOON_MS])).toEqual([
      ['flapping-ended', 6 * 30_000 + 15 * MINUTE_MS],
    ])
    expect(told[0]?.incident).toMatchObject({ state: 'open', members_firing: 1 })
    expect(told[0]?.incident.members[0]).not.toHaveProperty('flapping')
    expect(kinds(ends(t, 20 * MINUTE_MS))).toEqual(['resolved'])
  })

  it('holds its own membership only: the incident goes on telling of others', () => {
    const { t, at_ms } = flapping()
    ends(t, at_ms)
    expect(kinds(fires(t, at_ms + 1, 'b'))).toEqual(['grown'])
    ends(t, at_ms + 6_000, 'b')
    t.ticksUntil(at_ms + 10_000)
    expect(t.incidents()[0]).toMatchObject({ state: 'open', members_firing: 1, members_total: 2 })
    expect(kinds(fires(t, at_ms + 20_000, 'c'))).toEqual(['grown'])
    expect(kinds(t.ticksUntil(60 * MINUTE_MS))).toEqual(['flapping-ended'])
    expect(t.incidents()[0]).toMatchObject({ state: 'open', members_firing: 1 })
  })

  it('counts an alert that stops because it is not repeated, and a repeat of one that rests', () => {
    const { t, at_ms } = flapping({ ...LONG, resolve_timeout_ms: MINUTE_MS })
    expect(t.ticksUntil(at_ms + MINUTE_MS)).toEqual([])
    expect(t.state.alerts.values().next().value?.history?.rests_since_ms).not.toBeNull()
    expect(fires(t, at_ms + 70_000)).toEqual([])
    expect(t.state.alerts.values().next().value?.history?.rests_since_ms).toBeNull()
  })

  it('gives way to an operator who resolves, whether it rests or fires', () => {
    for (const resting of [true, false]) {
      const { t, at_ms } = flapping()
      if (resting) ends(t, at_ms)
      const incident_id = t.incidents()[0]?.id as string
      expect(kinds(t.command(at_ms + 1, { kind: 'resolve', incident_id }))).toEqual(['resolved'])
      expect(t.ticksUntil(30 * MINUTE_MS)).toEqual([])
      expect(t.state.derived.firing).toBe(resting ? 0 : 1)
    }
  })

  it('keeps sources in force that suppress others, so that these do not turn with them', () => {
    const rule = {
      name: 'behind',
      source: [{ name: 'host', op: '=' as const, value: 'a' }],
      target: [{ name: 'host', op: '=' as const, value: 'b' }],
      equal: [],
    }
    const { t, at_ms } = flapping({ ...LONG, suppression: [rule] })
    t.alerts(at_ms, anAlert({ alertname: 'Slow', host: 'b' }))
    expect(turns(t, 6, 30_000, 7).flat()).toEqual([])
    expect(t.incidents()[1]?.suppressed).toBe(true)
  })

  it('writes nothing while nothing turns, and is off with an interval of 0', () => {
    const steady = new Timeline(LONG)
    fires(steady, 0)
    expect(JSON.stringify([...steady.rows.values()])).not.toContain('history')
    const off = new Timeline({ ...LONG, flapping: { interval_ms: 0, start_percent: 30, end_percent: 25 } })
    expect(turns(off, 20, 30_000).flat()).not.toContain('flapping-started')
    expect(JSON.stringify([...off.rows.values()])).not.toContain('history')
  })
})
