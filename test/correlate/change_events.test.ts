import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../schemas/limits.ts'
import { anAlert, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const DEPLOYED = 'checkout 2.14.0 deployed'

function changed(
  t: Timeline,
  at_ms: number,
  over: Partial<{ scope: string; entity: string; text: string }> = {},
) {
  const change = { scope: 'default', entity: 'checkout', text: DEPLOYED, at_ms: NOON_MS + at_ms, ...over }
  t.command(at_ms, { kind: 'change-event', change })
}

/** Two entities alert together, so that there is something to rank. */
function outage(t: Timeline, at_ms: number) {
  const starts_at_ms = NOON_MS + at_ms
  const of = (host: string) => anAlert({ host, rack: 'r7' }, { starts_at_ms })
  t.alerts(at_ms, of('checkout'), of('apache'))
  t.ticksUntil(at_ms + MINUTE_MS)
  return t.incidents().at(-1)?.causes ?? []
}

describe('changes of what alerts soon after', () => {
  it('are the likeliest cause, and say what was done how long before', () => {
    const t = new Timeline()
    changed(t, 0)
    const [first] = outage(t, 2 * MINUTE_MS)
    expect(first?.entity).toBe('checkout')
    expect(first?.reasons[0]).toBe(`${DEPLOYED}, 2 min before the first alert`)
  })

  it('count in their scope, or in all, and are kept over a restart', () => {
    const reasons = (scope: string) => {
      const t = new Timeline()
      changed(t, 0, { scope })
      t.restart()
      return outage(t, MINUTE_MS)
        .flatMap(({ reasons: list }) => list)
        .join('; ')
    }
    expect(reasons('default')).toContain(DEPLOYED)
    expect(reasons('')).toContain(DEPLOYED)
    expect(reasons('elsewhere')).not.toContain(DEPLOYED)
  })

  it('are forgotten after hours, and the oldest beyond the bounds', () => {
    const t = new Timeline()
    for (let n = 0; n < LIMITS.change_events_per_scope + 1; n++) changed(t, n, { text: `change ${n}` })
    const kept = t.state.change_events.get('default') ?? []
    expect([kept.length, kept[0]?.text]).toEqual([LIMITS.change_events_per_scope, 'change 1'])
    changed(t, 5 * 60 * MINUTE_MS)
    expect(t.state.change_events.get('default')?.map(({ text }) => text)).toEqual([DEPLOYED])
    for (let n = 0; n < LIMITS.change_event_scopes_per_partition; n++)
      changed(t, 5 * 60 * MINUTE_MS + 1 + n, { scope: `scope-${n}` })
    expect(t.state.change_events.size).toBe(LIMITS.change_event_scopes_per_partition)
    expect(t.state.change_events.has('default')).toBe(false)
  })
})
