import { describe, expect, it } from 'vitest'
import type { SuppressionRule } from '../../schemas/rules.ts'
import type { TopologyEdge } from '../../schemas/topology.ts'
import { anAlert, MINUTE_MS, Timeline } from './timeline.ts'

/** A dead switch suppresses what it carries. */
const RULE: SuppressionRule = {
  name: 'carried',
  source: [{ name: 'alertname', op: '=', value: 'SwitchDown' }],
  target: [{ name: 'alertname', op: '=~', value: 'Unreachable|SwitchDown' }],
  equal: [],
  behind: true,
}
const BY = 'dependency:carried'

const hosted = (from: string, to: string): TopologyEdge => ({ from, to, kind: 'hosted_on' })
const down = (host: string) => anAlert({ host, alertname: 'SwitchDown' })
const unreachable = (host: string) => anAlert({ host, alertname: 'Unreachable' })

function timeline(...edges: TopologyEdge[]): Timeline {
  const t = new Timeline({ suppression: [RULE], resolve_timeout_ms: 60 * MINUTE_MS })
  declare(t, '1', ...edges)
  return t
}

function declare(t: Timeline, version: string, ...edges: TopologyEdge[]): void {
  t.record(0, { kind: 'topology', topology: { source: 'file', version, scope: '', edges, last: true } })
}

function muted(t: Timeline): string[] {
  return [...t.state.alerts.values()]
    .filter(({ silenced_by }) => silenced_by.includes(BY))
    .map(({ alert }) => alert.entity)
    .sort()
}

describe('suppression of what is behind something in the topology', () => {
  it('mutes what depends on it over some steps, whichever came first, and nothing else', () => {
    const t = timeline(hosted('vm-1', 'host-1'), hosted('host-1', 'switch-1'), hosted('host-2', 'switch-2'))
    t.alerts(0, unreachable('vm-1'), unreachable('host-2'))
    t.alerts(1_000, down('switch-1'))
    t.alerts(2_000, unreachable('host-1'))
    expect(muted(t)).toEqual(['host-1', 'vm-1'])
  })

  it('lets what still fires be heard when the source has ended', () => {
    const t = timeline(hosted('host-1', 'switch-1'))
    t.alerts(0, down('switch-1'), unreachable('host-1'))
    expect(muted(t)).toEqual(['host-1'])
    t.alerts(1_000, { ...down('switch-1'), ends_at_ms: down('switch-1').starts_at_ms + 1_000 })
    expect(muted(t)).toEqual([])
    expect(t.changes.at(-1)?.kind).toMatch(/unsuppressed|updated/)
  })

  it('follows the topology as it changes', () => {
    const t = timeline(hosted('host-1', 'switch-1'))
    t.alerts(0, down('switch-1'), unreachable('host-1'), unreachable('host-2'))
    declare(t, '2', hosted('host-2', 'switch-1'))
    expect(muted(t)).toEqual(['host-2'])
  })

  it('mutes a dead switch behind a dead switch, and neither of two that depend on each other', () => {
    const chain = timeline(hosted('switch-2', 'switch-1'), hosted('host-1', 'switch-2'))
    chain.alerts(0, down('switch-1'), down('switch-2'), unreachable('host-1'))
    expect(muted(chain)).toEqual(['host-1', 'switch-2'])
    const ring = timeline(hosted('switch-1', 'switch-2'), hosted('switch-2', 'switch-1'))
    ring.alerts(0, down('switch-1'), down('switch-2'))
    expect(muted(ring)).toEqual([])
  })

  it('holds after a restart, also one between the parts of a topology', () => {
    const t = timeline()
    t.alerts(0, down('switch-1'), unreachable('host-1'), unreachable('host-2'))
    const part = (edges: TopologyEdge[], last: boolean) =>
      t.record(0, { kind: 'topology', topology: { source: 'file', version: '2', scope: '', edges, last } })
    part([hosted('host-1', 'switch-1')], false)
    expect(muted(t)).toEqual(['host-1'])
    t.restart()
    t.restart()
    part([hosted('host-2', 'switch-1')], true)
    expect(muted(t)).toEqual(['host-1', 'host-2'])
    t.restart()
    t.alerts(1_000, { ...down('switch-1'), ends_at_ms: down('switch-1').starts_at_ms + 1_000 })
    expect(muted(t)).toEqual([])
  })

  it('is off where the rule does not ask for it', () => {
    const { behind: _off, ...anywhere } = RULE
    const t = new Timeline({ suppression: [anywhere] })
    declare(t, '1', hosted('host-1', 'switch-1'))
    t.alerts(0, down('switch-1'), unreachable('elsewhere'))
    expect(muted(t)).toEqual(['elsewhere'])
  })
})
