import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Alert } from '../../schemas/alert.ts'
import type { Heartbeat } from '../../schemas/heartbeat.ts'
import { fingerprintWords, RepeatsWriter } from '../../schemas/repeats.ts'
import { DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

const WATCHDOG: Heartbeat = {
  name: 'watchdog',
  source: null,
  match: [{ name: 'alertname', op: '=', value: 'Watchdog' }],
  every_ms: MINUTE_MS,
  grace_ms: MINUTE_MS,
  severity: 'critical',
  labels: { team: 'platform' },
}
const RULES: Partial<Rules> = { heartbeats: [WATCHDOG] }
const SECOND_MS = 1_000

const watchdog = (labels: Record<string, string> = { prometheus: 'eu' }, over: Partial<Alert> = {}) =>
  anAlert({ alertname: 'Watchdog', ...labels }, over)
const beats = (t: Timeline, at_ms: number, ...alerts: Alert[]) =>
  t.alerts(at_ms, ...(alerts.length === 0 ? [watchdog()] : alerts))
const newRules = (t: Timeline, at_ms: number, heartbeats: readonly Heartbeat[]) =>
  t.record(at_ms, {
    kind: 'rules',
    rules: { ...DEFAULT_RULES, version: `at ${at_ms}`, heartbeats: [...heartbeats] },
  })

describe('a heartbeat', () => {
  it('opens no incident while it is heard', () => {
    const t = new Timeline(RULES)
    for (let at_ms = 0; at_ms < 20 * MINUTE_MS; at_ms += MINUTE_MS) {
      beats(t, at_ms)
      t.ticksUntil(at_ms + 59 * SECOND_MS)
    }
    expect(t.changes).toEqual([])
    expect(new Set(t.unassigned)).toEqual(new Set(['heartbeat']))
  })

  it('opens one that names it and since when it is silent, and resolves it when it is heard again', () => {
    const t = new Timeline(RULES)
    beats(t, 0)
    expect(t.ticksUntil(2 * MINUTE_MS - 1)).toEqual([])
    const [opened] = t.ticksUntil(2 * MINUTE_MS)
    expect(opened).toMatchObject({
      kind: 'opened',
      at_ms: NOON_MS + 2 * MINUTE_MS,
      incident: { severity: 'critical', first_event_at_ms: NOON_MS, title: 'HeartbeatLost on watchdog' },
    })
    expect(opened?.incident.members[0]?.labels).toEqual({
      alertname: 'HeartbeatLost',
      heartbeat: 'watchdog',
      prometheus: 'eu',
      severity: 'critical',
      team: 'platform',
    })
    const [row] = [...t.state.alerts.values()]
    expect(row?.alert.annotations['summary']).toBe(
      'Nothing was heard of watchdog since 2026-01-01T12:00:00.000Z; it should be heard every 60 s.',
    )
    expect(t.ticksUntil(24 * 60 * MINUTE_MS)).toEqual([])
    expect(kinds(beats(t, 25 * 60 * MINUTE_MS))).toEqual(['resolved'])
  })

  it('is expected once more after it came back', () => {
    const t = new Timeline({ ...RULES, retain_resolved_ms: 60 * MINUTE_MS })
    beats(t, 0)
    t.ticksUntil(2 * MINUTE_MS)
    beats(t, 3 * MINUTE_MS)
    expect(kinds(t.ticksUntil(5 * MINUTE_MS))).toEqual(['reopened'])
    beats(t, 6 * MINUTE_MS)
    t.ticksUntil(7 * MINUTE_MS)
    beats(t, 7 * MINUTE_MS)
    expect(t.incidents()).toMatchObject([{ state: 'resolved', reopened: 1 }])
  })

  it('is told from others of the same declaration', () => {
    const t = new Timeline(RULES)
    const [eu, us] = [watchdog({ prometheus: 'eu' }), watchdog({ prometheus: 'us' })]
    beats(t, 0, eu, us)
    for (let at_ms = MINUTE_MS; at_ms < 5 * MINUTE_MS; at_ms += MINUTE_MS) {
      t.ticksUntil(at_ms)
      beats(t, at_ms, us)
    }
    expect(t.incidents().map(({ members }) => members.map(({ labels }) => labels['prometheus']))).toEqual([
      ['eu'],
    ])
  })

  it('counts only of the source that is named', () => {
    const t = new Timeline({ heartbeats: [{ ...WATCHDOG, source: 'plant' }] })
    expect(kinds(beats(t, 0))).toEqual(['opened'])
    expect(beats(t, 0, watchdog({ line: '1' }, { source: 'plant' }))).toEqual([])
  })

  it('says nothing when it says that it is over, and is missed then', () => {
    const t = new Timeline(RULES)
    beats(t, 0)
    t.ticksUntil(MINUTE_MS)
    expect(beats(t, MINUTE_MS, watchdog({ prometheus: 'eu' }, { ends_at_ms: NOON_MS }))).toEqual([])
    expect(kinds(t.ticksUntil(2 * MINUTE_MS))).toEqual(['opened'])
  })

  it('is heard in a repeat that names it by its fingerprint alone', () => {
    const t = new Timeline(RULES)
    beats(t, 0)
    for (let at_ms = MINUTE_MS; at_ms <= 5 * MINUTE_MS; at_ms += MINUTE_MS) {
      t.ticksUntil(at_ms)
      repeat(t, at_ms)
    }
    expect(t.changes).toEqual([])
    expect(kinds(t.ticksUntil(8 * MINUTE_MS))).toEqual(['opened'])
  })
})

function repeat(t: Timeline, at_ms: number) {
  const writer = new RepeatsWriter()
  const words = new Int32Array(4)
  fingerprintWords(watchdog().fingerprint, words)
  writer.add(words, 0, NOON_MS, Number.NaN, null)
  const repeats = writer.done()
  return t.record(at_ms, {
    kind: 'alerts',
    received_at_ms: NOON_MS + at_ms,
    origin: null,
    places: [],
    alerts: [],
    repeats,
    repeats_before: [],
  })
}

describe('when nobody kept the clock', () => {
  it('the whole term begins anew, and what is silent then is lost', () => {
    for (const back_ms of [2.2 * MINUTE_MS, 24 * 60 * MINUTE_MS]) {
      const t = new Timeline(RULES)
      beats(t, 0)
      t.restart()
      expect(t.tick(back_ms)).toEqual([])
      expect(t.ticksUntil(back_ms + 2 * MINUTE_MS - 1)).toEqual([])
      expect(kinds(t.ticksUntil(back_ms + 2 * MINUTE_MS))).toEqual(['opened'])
      expect(t.incidents()[0]?.first_event_at_ms).toBe(NOON_MS)
    }
  })

  it('in the middle of the grace likewise', () => {
    const t = new Timeline(RULES)
    beats(t, 0)
    t.ticksUntil(MINUTE_MS + 5 * SECOND_MS)
    t.restart()
    expect(t.tick(2 * MINUTE_MS - SECOND_MS)).toEqual([])
    expect(t.ticksUntil(3 * MINUTE_MS)).toEqual([])
  })

  it('a reader that lags hears what was said meanwhile before it looks', () => {
    const t = new Timeline(RULES)
    // Everything lies in the log, and is folded hours later: the times are those of the log.
    for (let at_ms = 0; at_ms < 10 * MINUTE_MS; at_ms += MINUTE_MS) beats(t, at_ms)
    expect(t.changes).toEqual([])
  })
})

describe('new rules', () => {
  it('forget what is declared no more, and end the alert that it is lost', () => {
    const t = new Timeline(RULES)
    beats(t, 0, watchdog({ prometheus: 'eu' }), watchdog({ prometheus: 'us' }))
    t.ticksUntil(2 * MINUTE_MS)
    expect(t.incidents()[0]?.members_firing).toBe(2)
    expect(kinds(newRules(t, 3 * MINUTE_MS, []))).toContain('resolved')
    expect(t.state.heartbeats.size).toBe(0)
    expect(kinds(beats(t, 4 * MINUTE_MS))).toEqual(['opened'])
  })

  it('set another term for what was heard before', () => {
    const t = new Timeline({ heartbeats: [{ ...WATCHDOG, every_ms: 60 * MINUTE_MS }] })
    beats(t, 0)
    t.ticksUntil(MINUTE_MS)
    newRules(t, MINUTE_MS, [WATCHDOG])
    expect(kinds(t.ticksUntil(2 * MINUTE_MS))).toEqual(['opened'])
  })

  it('take an alert over that opened an incident before it was declared', () => {
    const t = new Timeline({ resolve_timeout_ms: 5 * MINUTE_MS })
    beats(t, 0)
    newRules(t, MINUTE_MS, [WATCHDOG])
    for (let at_ms = 2 * MINUTE_MS; at_ms < 10 * MINUTE_MS; at_ms += MINUTE_MS) {
      beats(t, at_ms)
      t.ticksUntil(at_ms + 30 * SECOND_MS)
    }
    expect(t.incidents()).toMatchObject([{ state: 'resolved' }])
  })
})

it('whoever owns the partition, and wherever it dies, the same is told', () => {
  const steps = fc.array(
    fc.record({
      wait_ms: fc.integer({ min: 1, max: 4 * MINUTE_MS }),
      who: fc.constantFrom('eu', 'us', 'none'),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (told, restart_every) => {
      const [steady, dying] = [new Timeline(RULES), new Timeline(RULES)]
      let at_ms = 0
      for (const [i, { wait_ms, who }] of told.entries()) {
        at_ms += wait_ms
        for (const t of [steady, dying]) {
          t.ticksUntil(at_ms)
          if (who !== 'none') beats(t, at_ms, watchdog({ prometheus: who }))
        }
        if (i % restart_every === 0) dying.restart()
      }
      expect(dying.changes).toEqual(steady.changes)
      expect(Object.fromEntries(dying.rows)).toEqual(Object.fromEntries(steady.rows))
    }),
    { numRuns: 100 },
  )
})
