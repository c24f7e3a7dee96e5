import { describe, expect, it } from 'vitest'
import type { MaintenanceWindow } from '../../schemas/maintenance.ts'
import { DEFAULT_RULES } from '../../schemas/rules.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const HOUR_MS = 60 * MINUTE_MS
const LONG = { resolve_timeout_ms: 100 * HOUR_MS }

function once(over: Partial<Extract<MaintenanceWindow, { kind: 'once' }>> = {}): MaintenanceWindow {
  return {
    kind: 'once',
    name: 'move',
    match: [{ name: 'host', op: '=', value: 'a' }],
    starts_at_ms: NOON_MS + HOUR_MS,
    ends_at_ms: NOON_MS + 2 * HOUR_MS,
    comment: 'racks are moved',
    ...over,
  }
}

const rulesWith = (version: string, ...maintenance: MaintenanceWindow[]) => ({
  kind: 'rules' as const,
  rules: { ...DEFAULT_RULES, ...LONG, version, maintenance },
})

describe('maintenance of the rules', () => {
  it('suppresses what fires when it begins, shows the name, and lets it come up at the end', () => {
    const t = new Timeline({ ...LONG, maintenance: [once()] })
    t.alerts(0, anAlert({ host: 'a' }))
    const [begins] = t.ticksUntil(HOUR_MS)
    expect(begins).toMatchObject({
      kind: 'suppressed',
      at_ms: NOON_MS + HOUR_MS,
      reason: { code: 'maintenance', rule: 'move', text: 'Maintenance move began: racks are moved' },
      incident: { suppressed: true, members: [{ silenced_by: ['maintenance:move'] }] },
    })
    const [ends] = t.ticksUntil(2 * HOUR_MS)
    expect(ends).toMatchObject({
      kind: 'unsuppressed',
      at_ms: NOON_MS + 2 * HOUR_MS,
      incident: { suppressed: false, members: [{ silenced_by: [] }] },
    })
    expect(ends?.incident.timeline.map(({ kind }) => kind)).toEqual(['opened', 'suppressed', 'unsuppressed'])
  })

  it('opens the incident of an alert that comes meanwhile as suppressed, and drops nothing', () => {
    const t = new Timeline({ ...LONG, maintenance: [once()] })
    const [opened] = t.alerts(HOUR_MS, anAlert({ host: 'a' }))
    expect(opened).toMatchObject({ kind: 'opened', incident: { suppressed: true, members_firing: 1 } })
    expect(kinds(t.ticksUntil(2 * HOUR_MS))).toEqual(['unsuppressed'])
  })

  it('comes every week at the same local time', () => {
    const window: MaintenanceWindow = {
      kind: 'weekly',
      name: 'patch-night',
      match: [{ name: 'host', op: '=', value: 'a' }],
      // Noon of 1 January 2026, a Thursday, is 13:00 in Berlin.
      weekdays: ['thu'],
      at: '14:00',
      time_zone: 'Europe/Berlin',
      duration_ms: HOUR_MS,
      comment: '',
    }
    const t = new Timeline({ resolve_timeout_ms: 20 * 24 * HOUR_MS, maintenance: [window] })
    t.alerts(0, anAlert({ host: 'a' }))
    const told = t.ticksUntil(8 * 24 * HOUR_MS)
    const week_ms = 7 * 24 * HOUR_MS
    expect(told.map(({ kind, at_ms }) => [kind, (at_ms - NOON_MS) / HOUR_MS])).toEqual([
      ['suppressed', 1],
      ['unsuppressed', 2],
      ['suppressed', week_ms / HOUR_MS + 1],
      ['unsuppressed', week_ms / HOUR_MS + 2],
    ])
  })

  it('keeps an alert down that a silence mutes as well until both are over', () => {
    const t = new Timeline({ ...LONG, maintenance: [once()] })
    t.alerts(0, anAlert({ host: 'a' }))
    t.silence(90 * MINUTE_MS, { ends_at_ms: NOON_MS + 3 * HOUR_MS })
    expect(kinds(t.ticksUntil(2 * HOUR_MS))).toEqual(['updated'])
    expect(kinds(t.ticksUntil(3 * HOUR_MS))).toEqual(['unsuppressed'])
  })

  it('follows a change of the rules at once, whether it brings, changes or takes windows', () => {
    const t = new Timeline({ ...LONG, maintenance: [once()] })
    t.alerts(0, anAlert({ host: 'a' }))
    t.ticksUntil(HOUR_MS)
    const [taken] = t.record(HOUR_MS + 1, rulesWith('without'))
    expect(taken).toMatchObject({ kind: 'unsuppressed', reason: { code: 'rules', rules_version: 'without' } })
    const [brought] = t.record(HOUR_MS + 2, rulesWith('with', once({ name: 'other' })))
    expect(brought?.incident.members[0]?.silenced_by).toEqual(['maintenance:other'])
    t.record(HOUR_MS + 3, rulesWith('longer', once({ name: 'other', ends_at_ms: NOON_MS + 3 * HOUR_MS })))
    expect(t.ticksUntil(3 * HOUR_MS - 1)).toEqual([])
    expect(kinds(t.ticksUntil(3 * HOUR_MS))).toEqual(['unsuppressed'])
  })

  it('takes no notice of windows while rules change in other things', () => {
    const t = new Timeline({ ...LONG, maintenance: [once()] })
    t.alerts(0, anAlert({ host: 'a' }))
    expect(t.record(HOUR_MS, rulesWith('same', once()))).toHaveLength(1)
    expect(t.record(HOUR_MS + 1, rulesWith('same again', once()))).toEqual([])
  })
})

describe('maintenance that an operator opens', () => {
  const window = once() as Extract<MaintenanceWindow, { kind: 'once' }>

  it('suppresses from its beginning, can be changed and ended, and is forgotten after it', () => {
    const t = new Timeline(LONG)
    t.alerts(0, anAlert({ host: 'a' }))
    const now = { ...window, starts_at_ms: NOON_MS }
    expect(t.command(1_000, { kind: 'maintenance', window: now })[0]).toMatchObject({
      kind: 'suppressed',
      reason: { text: 'Maintenance move by ada began: racks are moved' },
    })
    expect(kinds(t.command(2_000, { kind: 'end-maintenance', name: 'move' }))).toEqual(['unsuppressed'])
    t.command(3_000, { kind: 'maintenance', window })
    expect(kinds(t.ticksUntil(2 * HOUR_MS))).toEqual(['suppressed', 'unsuppressed'])
    expect([...t.rows.keys()].filter((key) => key.startsWith('m/'))).toEqual([])
  })

  it('refuses what is over, what stands in the rules, what is unknown and what cannot be matched', () => {
    const t = new Timeline({ ...LONG, maintenance: [once()] })
    const refusedOf = (body: Parameters<Timeline['command']>[1]) => {
      t.command(0, body)
      return [...t.state.commands.values()].at(-1)?.refused
    }
    expect(refusedOf({ kind: 'maintenance', window })).toContain('stands in the configuration')
    expect(refusedOf({ kind: 'end-maintenance', name: 'move' })).toContain('stands in the configuration')
    expect(refusedOf({ kind: 'end-maintenance', name: 'none' })).toContain('no maintenance none')
    const past = { ...window, name: 'past', starts_at_ms: NOON_MS - 2, ends_at_ms: NOON_MS - 1 }
    expect(refusedOf({ kind: 'maintenance', window: past })).toContain('over')
    const broken = { ...window, name: 'broken', match: [{ name: 'a', op: '=~' as const, value: '(' }] }
    expect(refusedOf({ kind: 'maintenance', window: broken })).toContain('missing closing )')
  })

  it('is kept over a restart', () => {
    const t = new Timeline(LONG)
    t.alerts(0, anAlert({ host: 'a' }))
    t.command(1_000, { kind: 'maintenance', window })
    t.restart()
    expect(kinds(t.ticksUntil(HOUR_MS))).toEqual(['suppressed'])
    t.restart()
    expect(t.alerts(HOUR_MS + 1, anAlert({ host: 'a', disk: '1' }))[0]?.incident.suppressed).toBe(true)
    t.restart()
    expect(kinds(t.ticksUntil(2 * HOUR_MS))).toEqual(['unsuppressed', 'unsuppressed'])
  })
})
