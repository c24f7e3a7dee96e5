import { describe, expect, it } from 'vitest'
import { anAlert, MINUTE_MS, Timeline } from './timeline.ts'

/** Alerts that nothing speaks for: every one of another kind, on another entity, in another place. */
const stray = (n: number) => anAlert({ alertname: `Odd${n}`, host: `h${n}x`, place: `p${n}x` })

function storm(t: Timeline, from: number, count: number): void {
  for (let n = from; n < from + count; n++) t.alerts(20 * n, stray(n))
}

describe('a storm', () => {
  it('gathers what would open incidents by the thousand in one, counted by kind and class of entity', () => {
    const t = new Timeline({ growth_interval_ms: 1_000, resolve_timeout_ms: 60 * MINUTE_MS })
    storm(t, 0, 1_000)
    expect(t.incidents()).toHaveLength(1_000)
    storm(t, 1_000, 500)
    for (let n = 0; n < 10; n++)
      t.alerts(30_100, anAlert({ alertname: 'Lost', host: `cell-${n}`, place: `q${n}x` }))
    t.ticksUntil(40_000)
    expect(t.incidents()).toHaveLength(1_001)
    const gathered = t.incidents().at(-1)
    expect(gathered).toMatchObject({
      title: 'Storm of alerts in default',
      members_total: 510,
      members_firing: 510,
    })
    expect(gathered?.storm?.counters).toHaveLength(50)
    const counted = gathered?.storm?.counters.reduce((sum, { alerts }) => sum + alerts, 0) ?? 0
    expect(counted + (gathered?.storm?.others ?? 0)).toBe(510)
    expect(gathered?.members[0]?.reason.code).toBe('storm')
  })

  it('still brings alerts to the incident that they are near', () => {
    const t = new Timeline({ resolve_timeout_ms: 60 * MINUTE_MS })
    storm(t, 0, 1_001)
    t.alerts(20_100, anAlert({ alertname: 'Slow', host: 'h5x', place: 'p5x' }))
    expect(t.incidents().find(({ title }) => title === 'Odd5 on h5x')?.members_total).toBe(2)
  })

  it('ends when alerts have become few, which is told, and survives a restart', () => {
    const t = new Timeline({ growth_interval_ms: 0, resolve_timeout_ms: 60 * MINUTE_MS })
    storm(t, 0, 1_010)
    t.restart()
    t.alerts(30_000, stray(2_000))
    expect(t.incidents().filter(({ storm: counts }) => counts)).toHaveLength(1)
    t.ticksUntil(3 * MINUTE_MS)
    const gathered = t.incidents().find(({ storm: counts }) => counts)
    expect(gathered?.timeline.at(-1)).toMatchObject({
      kind: 'storm-ended',
      text: 'The storm has passed: 11 alerts gathered here, 11 still fire.',
    })
    const before = t.incidents().length
    t.alerts(4 * MINUTE_MS, stray(3_000))
    expect(t.incidents()).toHaveLength(before + 1)
  })
})
