import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Alert } from '../../schemas/alert.ts'
import { DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const HOLD: Partial<Rules> = {
  resolve_timeout_ms: 60 * MINUTE_MS,
  hold_ms: { ...DEFAULT_RULES.hold_ms, medium: 30_000, low: 60_000 },
}
const fires = (t: Timeline, at_ms: number, over: Partial<Alert> = {}) =>
  t.alerts(at_ms, anAlert({ host: 'a' }, { starts_at_ms: NOON_MS + at_ms, ...over }))
const ends = (t: Timeline, at_ms: number) =>
  t.alerts(at_ms, anAlert({ host: 'a' }, { ends_at_ms: NOON_MS + at_ms }))

describe('a held alert', () => {
  it('makes no incident when it resolves in time, and is counted as transient', () => {
    const t = new Timeline(HOLD)
    expect(fires(t, 0)).toEqual([])
    expect(ends(t, 29_999)).toEqual([])
    expect(t.ticksUntil(5 * MINUTE_MS)).toEqual([])
    expect(t.incidents()).toEqual([])
    expect(t.unassigned).toEqual(['transient'])
  })

  it('opens its incident when its time is up, and not before', () => {
    const t = new Timeline(HOLD)
    fires(t, 0)
    expect(t.ticksUntil(29_999)).toEqual([])
    const [opened] = t.ticksUntil(30_000)
    expect(opened).toMatchObject({
      kind: 'opened',
      at_ms: NOON_MS + 30_000,
      incident: { first_event_at_ms: NOON_MS, opened_at_ms: NOON_MS + 30_000, members_firing: 1 },
    })
    expect(kinds(ends(t, 40_000))).toEqual(['resolved'])
    expect(t.unassigned).toEqual([])
  })

  it('joins an incident that others opened only when its time is up', () => {
    const t = new Timeline(HOLD)
    t.alerts(0, anAlert({ host: 'b' }, { severity: 'high' }))
    fires(t, 5_000)
    t.ticksUntil(34_999)
    expect(t.incidents()[0]?.members_total).toBe(1)
    expect(kinds(t.ticksUntil(40_000))).toEqual(['grown'])
  })

  it('waits by severity, never when it is critical, and no longer when it becomes so', () => {
    const t = new Timeline(HOLD)
    expect(kinds(fires(t, 0, { severity: 'critical' }))).toEqual(['opened'])
    const other = (at_ms: number, over: Partial<Alert>) =>
      t.alerts(at_ms, anAlert({ alertname: 'Slow' }, { starts_at_ms: NOON_MS + at_ms, ...over }))
    expect(other(1_000, { severity: 'low' })).toEqual([])
    expect(t.ticksUntil(40_000)).toEqual([])
    expect(kinds(other(41_000, { severity: 'medium' }))).toEqual(['opened'])
    expect(new Timeline().alerts(0, anAlert({}))).toHaveLength(1)
  })

  it('comes back into its open incident at once', () => {
    const t = new Timeline(HOLD)
    fires(t, 0)
    t.alerts(0, anAlert({ host: 'b' }, { severity: 'high' }))
    t.ticksUntil(MINUTE_MS)
    ends(t, MINUTE_MS)
    expect(kinds(fires(t, MINUTE_MS + 5_000))).toEqual(['grown'])
  })

  it('waits again where its incident was closed, and reopens it then', () => {
    const t = new Timeline(HOLD)
    fires(t, 0)
    t.alerts(0, anAlert({ host: 'b' }, { severity: 'high' }))
    t.ticksUntil(MINUTE_MS)
    ends(t, 2 * MINUTE_MS)
    t.alerts(2 * MINUTE_MS, anAlert({ host: 'b' }, { severity: 'high', ends_at_ms: NOON_MS }))
    expect(t.incidents()[0]?.state).toBe('resolved')
    fires(t, 3 * MINUTE_MS)
    ends(t, 3 * MINUTE_MS + 1_000)
    expect(t.unassigned).toEqual(['transient'])
    fires(t, 4 * MINUTE_MS)
    expect(kinds(t.ticksUntil(5 * MINUTE_MS))).toEqual(['reopened'])
    expect(t.incidents()[0]).toMatchObject({ members_total: 2, members_firing: 1 })
  })

  it('is told as flapping when it is transient again and again', () => {
    const t = new Timeline(HOLD)
    const told = [0, 1, 2, 3, 4].flatMap((i) => [...fires(t, i * 20_000), ...ends(t, i * 20_000 + 5_000)])
    expect(kinds(told)).toEqual(['opened', 'flapping-started'])
    expect(t.unassigned).toEqual(['transient', 'transient', 'transient'])
    expect(t.incidents()[0]).toMatchObject({ state: 'open', members_firing: 1 })
  })

  it('suppresses and is suppressed while it waits', () => {
    const suppression = [
      {
        name: 'behind',
        source: [{ name: 'host', op: '=' as const, value: 'a' }],
        target: [{ name: 'host', op: '=' as const, value: 'b' }],
        equal: [],
      },
    ]
    const t = new Timeline({ ...HOLD, suppression })
    fires(t, 0)
    const [opened] = t.alerts(1_000, anAlert({ host: 'b' }, { severity: 'high' }))
    expect(opened?.incident.suppressed).toBe(true)
    expect(kinds(ends(t, 2_000))).toEqual(['unsuppressed'])
  })

  it('opens the same incident with the same id whether its owner died meanwhile or not', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 })), (deaths) => {
        const run = (dies: readonly number[]) => {
          const t = new Timeline(HOLD)
          const steps = [
            () => fires(t, 0),
            () => t.alerts(1_000, anAlert({ host: 'b' }), anAlert({ host: 'c' }, { severity: 'low' })),
            () => fires(t, 10_000, { ends_at_ms: NOON_MS + 20_000 }),
            () => t.ticksUntil(25_000),
            () => fires(t, 26_000),
            () => t.ticksUntil(2 * MINUTE_MS),
          ]
          for (const [i, step] of steps.entries()) {
            if (dies.includes(i)) t.restart()
            step()
          }
          return JSON.stringify([t.changes, t.unassigned, [...t.rows].sort(([a], [b]) => (a < b ? -1 : 1))])
        }
        expect(run(deaths)).toBe(run([]))
      }),
      { numRuns: 50 },
    )
  })
})
