import { describe, expect, it } from 'vitest'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const down = (host: string) => anAlert({ host, rack: 'r7' })
const slow = (host: string) => anAlert({ host, rack: 'r7', alertname: 'Slow' })

/** One incident of two kinds of alerts in one rack. */
function mixed(): { t: Timeline; id: string } {
  const t = new Timeline({ growth_interval_ms: 0, resolve_timeout_ms: 60 * MINUTE_MS })
  t.alerts(0, down('a1'), down('a2'), slow('b1'))
  return { t, id: t.incidents()[0]?.id ?? '' }
}

const sizes = (t: Timeline) => t.incidents().map(({ state, members_firing }) => `${state} ${members_firing}`)

describe('splitting an incident', () => {
  it('gives the alerts an incident of their own, and says who did it', () => {
    const { t, id } = mixed()
    const told = t.command(
      1_000,
      { kind: 'split', incident_id: id, fingerprints: [slow('b1').fingerprint] },
      'c1',
    )
    expect(kinds(told)).toEqual(['updated', 'opened'])
    expect(sizes(t)).toEqual(['open 2', 'open 1'])
    expect(told[0]).toMatchObject({ command_id: 'c1', memberships: { ended: [{ labels: { host: 'b1' } }] } })
    expect(told[1]?.memberships.joined[0]?.reason).toMatchObject({
      code: 'moved',
      text: `Moved from ${id} by ada.`,
    })
  })

  it('keeps the kinds apart from then on, until somebody merges them', () => {
    const { t, id } = mixed()
    t.command(1_000, { kind: 'split', incident_id: id, fingerprints: [slow('b1').fingerprint] })
    t.alerts(2_000, slow('b2'), down('a3'))
    expect(sizes(t)).toEqual(['open 3', 'open 2'])
    const other = t.incidents()[1]?.id ?? ''
    t.command(3_000, { kind: 'merge', incident_id: other, into: id })
    t.restart()
    t.alerts(4_000, slow('b3'))
    expect(sizes(t).sort()).toEqual(['merged 0', 'open 6'])
  })

  it('is refused when nothing would be left, and when the alerts are not there', () => {
    const { t, id } = mixed()
    const all = [down('a1'), down('a2'), slow('b1')].map(({ fingerprint }) => fingerprint)
    const [whole] = t.command(1_000, { kind: 'split', incident_id: id, fingerprints: all })
    expect(whole).toMatchObject({
      kind: 'command-refused',
      reason: { text: expect.stringContaining('nothing to split off') },
    })
    const [unknown] = t.command(1_000, { kind: 'split', incident_id: id, fingerprints: ['0'.repeat(32)] })
    expect(unknown?.reason.text).toBe('none of these alerts fires in the incident')
    expect(sizes(t)).toEqual(['open 3'])
  })
})

describe('moving alerts', () => {
  it('brings them to the other incident, which takes their kind from then on; an empty incident resolves', () => {
    const t = new Timeline({ growth_interval_ms: 0, resolve_timeout_ms: 60 * MINUTE_MS })
    t.alerts(0, down('a1'))
    t.alerts(10, anAlert({ host: 'z1', rack: 'r9', alertname: 'Odd' }))
    const [first, second] = t.incidents().map(({ id }) => id)
    const told = t.command(1_000, {
      kind: 'move',
      incident_id: second ?? '',
      fingerprints: [anAlert({ host: 'z1', rack: 'r9', alertname: 'Odd' }).fingerprint],
      into: first ?? '',
    })
    expect(kinds(told)).toEqual(['updated', 'resolved', 'grown'])
    expect(sizes(t)).toEqual(['open 2', 'resolved 0'])
    t.alerts(2_000, anAlert({ host: 'z2', alertname: 'Odd' }, { starts_at_ms: NOON_MS + 2_000 }))
    expect(sizes(t)).toEqual(['open 3', 'resolved 0'])
    expect(t.incidents()[0]?.members.at(-1)?.reason.evidence).toContainEqual(
      expect.objectContaining({ kind: 'kind', about: 'Odd' }),
    )
  })

  it('is refused into a closed incident, and into where they are', () => {
    const { t, id } = mixed()
    const fingerprints = [slow('b1').fingerprint]
    const [same] = t.command(1_000, { kind: 'move', incident_id: id, fingerprints, into: id })
    expect(same?.reason.text).toBe('the alerts are there already')
    const [none] = t.command(1_000, { kind: 'move', incident_id: id, fingerprints, into: 'inc_none' })
    expect(none?.reason.text).toContain('no incident inc_none')
  })
})
