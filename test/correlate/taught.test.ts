import { describe, expect, it } from 'vitest'
import { anAlert, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const HOUR_MS = 60 * MINUTE_MS

/** An alert of which nothing but its kind is like that of another one; it ends on its own after a minute. */
function brief(at_ms: number, alertname: string, host: string, more: Record<string, string> = {}) {
  const starts_at_ms = NOON_MS + at_ms
  return anAlert({ host, alertname, ...more }, { starts_at_ms, ends_at_ms: starts_at_ms + MINUTE_MS })
}

function open(t: Timeline): string[] {
  return t
    .incidents()
    .filter(({ state }) => state === 'open')
    .map(({ members }) => members.map(({ labels }) => labels['host']).join(' '))
}

describe('what operators said, in incidents long after', () => {
  it('brings together kinds that were merged, and says who merged them', () => {
    const t = new Timeline({ growth_interval_ms: 0 })
    t.alerts(0, brief(0, 'Down', 'a1', { rack: 'r-a1' }))
    t.alerts(1_000, brief(1_000, 'Slow', 'b1', { rack: 'r-b1' }))
    expect(open(t)).toEqual(['a1', 'b1'])
    const [into, incident_id] = t.incidents().map(({ id }) => id)
    t.command(2_000, { kind: 'merge', incident_id: incident_id ?? '', into: into ?? '' })
    t.ticksUntil(HOUR_MS)
    expect(open(t)).toEqual([])
    t.alerts(HOUR_MS, brief(HOUR_MS, 'Down', 'c1', { rack: 'r-c1' }))
    t.alerts(HOUR_MS + 1_000, brief(HOUR_MS + 1_000, 'Slow', 'd1', { rack: 'r-d1' }))
    expect(open(t)).toEqual(['c1 d1'])
    expect(t.incidents().at(-1)?.members[1]?.reason.evidence).toContainEqual(
      expect.objectContaining({ kind: 'operator', about: 'Down' }),
    )
  })

  it('keeps kinds apart that were split, though they share a label', () => {
    const t = new Timeline({ growth_interval_ms: 0 })
    const slow = brief(0, 'Slow', 'b1', { rack: 'r7' })
    t.alerts(0, brief(0, 'Down', 'a1', { rack: 'r7' }), slow)
    expect(open(t)).toEqual(['a1 b1'])
    const incident_id = t.incidents()[0]?.id ?? ''
    t.command(1_000, { kind: 'split', incident_id, fingerprints: [slow.fingerprint] })
    t.ticksUntil(HOUR_MS)
    expect(open(t)).toEqual([])
    t.alerts(HOUR_MS, brief(HOUR_MS, 'Down', 'c1', { rack: 'r7' }))
    t.alerts(HOUR_MS + 1_000, brief(HOUR_MS + 1_000, 'Slow', 'd1', { rack: 'r7' }))
    expect(open(t)).toEqual(['c1', 'd1'])
  })
})

describe('what resolved incidents teach', () => {
  it('is kept over a restart: what alerts in every incident is no longer its likely cause', () => {
    const t = new Timeline({ growth_interval_ms: 0 })
    const episode = (at_ms: number, host: string) => {
      t.alerts(at_ms, brief(at_ms, 'Noise', 'always', { rack: 'r7' }))
      t.alerts(at_ms + 1_000, brief(at_ms + 1_000, 'Down', host, { rack: 'r7' }))
    }
    episode(0, 'h0')
    expect(t.incidents().at(-1)?.causes[0]?.entity).toBe('always')
    for (let n = 1; n < 12; n++) {
      t.ticksUntil(n * HOUR_MS)
      episode(n * HOUR_MS, `h${n}`)
    }
    t.ticksUntil(12 * HOUR_MS)
    t.restart()
    episode(12 * HOUR_MS, 'fresh')
    expect(open(t)).toEqual(['always fresh'])
    expect(t.incidents().at(-1)?.causes[0]?.entity).toBe('fresh')
  })
})
