import { describe, expect, it } from 'vitest'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const HOUR_MS = 60 * MINUTE_MS
const A = anAlert({ host: 'a' })
const B = anAlert({ host: 'b' })
const ended = (alert: typeof A, at_ms: number) => ({ ...alert, ends_at_ms: NOON_MS + at_ms })

function opened() {
  const t = new Timeline({ resolve_timeout_ms: 48 * HOUR_MS, reopen_within_ms: 48 * HOUR_MS })
  t.alerts(0, A, B)
  t.ticksUntil(2_000)
  const incident_id = t.incidents()[0]?.id as string
  const shelve = (at_ms: number, over: { fingerprint?: string; until_ms?: number } = {}) =>
    t.command(at_ms, {
      kind: 'shelve',
      incident_id,
      until_ms: NOON_MS + HOUR_MS,
      comment: 'known, spare part on its way',
      ...over,
    })
  return { t, incident_id, shelve }
}

describe('shelving', () => {
  it('suppresses an incident with reason and actor, and lets it come up by itself', () => {
    const { t, shelve } = opened()
    const [shelved] = shelve(MINUTE_MS)
    expect(shelved).toMatchObject({
      kind: 'shelved',
      actor: 'ada',
      reason: { text: 'Shelved for 3540 s: known, spare part on its way' },
      incident: {
        suppressed: true,
        members: [{ silenced_by: ['shelf:ada'] }, { silenced_by: ['shelf:ada'] }],
      },
    })
    expect(shelved?.incident.timeline.at(-1)).toMatchObject({ kind: 'shelved', actor: 'ada' })
    expect(t.ticksUntil(HOUR_MS - 1)).toEqual([])
    const up = t.ticksUntil(HOUR_MS)
    expect(kinds(up)).toEqual(['unsuppressed'])
    expect(up[0]).toMatchObject({ reason: { code: 'shelved' }, incident: { suppressed: false } })
    expect([...t.rows.keys()].filter((key) => key.startsWith('h/'))).toEqual([])
  })

  it('is of alerts: one of them, and a new one is heard all the same', () => {
    const { t, shelve } = opened()
    expect(shelve(MINUTE_MS, { fingerprint: A.fingerprint })[0]?.incident.suppressed).toBe(false)
    shelve(MINUTE_MS + 1, { fingerprint: B.fingerprint })
    expect(t.incidents()[0]?.suppressed).toBe(true)
    expect(kinds(t.alerts(2 * MINUTE_MS, anAlert({ host: 'c' })))).toEqual(['unsuppressed'])
  })

  it('lasts while the alert stops and fires again', () => {
    const { t, shelve } = opened()
    shelve(MINUTE_MS)
    t.alerts(2 * MINUTE_MS, ended(A, 2 * MINUTE_MS), ended(B, 2 * MINUTE_MS))
    expect(t.incidents()[0]?.state).toBe('resolved')
    expect(t.alerts(3 * MINUTE_MS, A)[0]).toMatchObject({ kind: 'reopened', incident: { suppressed: true } })
    expect(kinds(t.ticksUntil(HOUR_MS))).toEqual(['unsuppressed'])
  })

  it('is undone by command, for all or for one, whether it fires or not', () => {
    const { t, incident_id, shelve } = opened()
    shelve(MINUTE_MS)
    t.alerts(2 * MINUTE_MS, ended(A, 2 * MINUTE_MS))
    const unshelve = (at_ms: number, fingerprint?: string) =>
      t.command(at_ms, { kind: 'unshelve', incident_id, ...(fingerprint !== undefined && { fingerprint }) })
    expect(kinds(unshelve(3 * MINUTE_MS, A.fingerprint))).toEqual(['unshelved'])
    expect(t.incidents()[0]?.suppressed).toBe(true)
    expect(unshelve(4 * MINUTE_MS)[0]).toMatchObject({ kind: 'unshelved', incident: { suppressed: false } })
    expect(kinds(unshelve(5 * MINUTE_MS))).toEqual(['command-refused'])
    expect(t.ticksUntil(2 * HOUR_MS)).toEqual([])
  })

  it('refuses what is over, too long, unknown or closed', () => {
    const { t, incident_id, shelve } = opened()
    const textOf = (changes: ReturnType<typeof shelve>) => changes[0]?.reason.text
    expect(textOf(shelve(MINUTE_MS, { until_ms: NOON_MS }))).toContain('over')
    expect(textOf(shelve(MINUTE_MS, { until_ms: NOON_MS + 25 * HOUR_MS }))).toContain('at most 86400 s')
    expect(textOf(shelve(MINUTE_MS, { fingerprint: '0'.repeat(32) }))).toContain('no such alert')
    t.command(2 * MINUTE_MS, { kind: 'resolve', incident_id })
    expect(textOf(shelve(3 * MINUTE_MS))).toContain('while the incident is resolved')
  })

  it('moves with a merge, is renewed by the next who shelves, and outlasts a restart', () => {
    const { t, incident_id, shelve } = opened()
    t.alerts(MINUTE_MS, anAlert({ alertname: 'Slow' }))
    shelve(MINUTE_MS)
    shelve(2 * MINUTE_MS, { until_ms: NOON_MS + 2 * HOUR_MS })
    const parent = t.incidents().find(({ id }) => id !== incident_id)?.id as string
    t.command(3 * MINUTE_MS, { kind: 'merge', incident_id, into: parent })
    t.restart()
    expect(t.ticksUntil(2 * HOUR_MS - 1)).toEqual([])
    t.restart()
    expect(t.ticksUntil(2 * HOUR_MS).map((change) => [change.incident_id, change.kind])).toEqual([
      [parent, 'updated'],
    ])
    expect(t.state.alerts.get(A.fingerprint)?.silenced_by).toEqual([])
  })
})
