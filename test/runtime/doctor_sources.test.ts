import { describe, expect, it } from 'vitest'
import { sourceFindings } from '../../runtime/doctor_sources.ts'
import { RecentRate } from '../../runtime/recent_rate.ts'

const NOW_MS = Date.UTC(2026, 10, 25, 12)
const SOURCE = {
  name: 'plant',
  kind: 'kafka',
  last_event_at_ms: NOW_MS - 12_000,
  alerts: 900,
  alerts_per_minute: 3.25,
  rejects: 2,
  halted: 0,
  lag_messages: 7,
}

const findings = (answers: Readonly<Record<string, unknown>>) =>
  sourceFindings((path) => Promise.resolve(answers[path] ?? null), NOW_MS)
const ofSource = (over: Partial<typeof SOURCE> | { last_event_at_ms: null }) =>
  findings({ '/api/v1/sources': { sources: [{ ...SOURCE, ...over }], tables: [] } })

describe('what the doctor says of a source', () => {
  it('tells when it was last heard, its rate, rejects and lag', async () => {
    expect(await ofSource({})).toEqual([
      {
        level: 'ok',
        part: 'source plant',
        detail: 'last heard 12 s ago, 3.3 alerts a minute, 2 rejects beside 900 alerts, 7 messages behind',
        remedy: '',
      },
    ])
  })

  it.each([
    [{ last_event_at_ms: null, rejects: 0, alerts: 0 }, 'warn', 'tocsin try'],
    [{ rejects: 500 }, 'warn', 'tocsin deadletters list --source plant'],
    [{ lag_messages: 5_000 }, 'warn', 'start more processes'],
    [{ halted: 2 }, 'fail', 'tocsin deadletters list --source plant'],
  ])('%j is %s', async (over, level, remedy) => {
    expect(await ofSource(over)).toMatchObject([{ level, remedy: expect.stringContaining(remedy) as string }])
  })

  it('knows of tables and heartbeats', async () => {
    const heard = (heard_at_ms: number, lost: boolean) => ({ heard_at_ms, lost })
    const told = await findings({
      '/api/v1/sources': {
        sources: [],
        tables: [
          { name: 'hosts', rows: 3, error: null },
          { name: 'racks', rows: 1, error: 'racks.csv is no CSV' },
        ],
      },
      '/api/v1/heartbeats': {
        heartbeats: [
          { name: 'watchdog', heard: [heard(NOW_MS - 7_200_000, true), heard(NOW_MS, false)] },
          { name: 'new', heard: [] },
          { name: 'fine', heard: [heard(NOW_MS, false)] },
        ],
      },
    })
    expect(told.map(({ level, part, detail }) => [level, part, detail])).toEqual([
      ['ok', 'table hosts', '3 rows'],
      ['fail', 'table racks', 'racks.csv is no CSV; 1 rows that were read before hold on'],
      ['fail', 'heartbeat watchdog', '1 of 2 are lost, one since 2 h ago'],
      ['warn', 'heartbeat new', 'never heard, and so not expected yet'],
      ['ok', 'heartbeat fine', '1 are heard'],
    ])
  })

  it('says nothing of what it may not read', async () => {
    expect(await findings({})).toEqual([])
  })
})

describe('a recent rate', () => {
  it('is that of the last five minutes', () => {
    const rate = new RecentRate()
    expect(rate.perMinute(NOW_MS)).toBe(0)
    for (let at_ms = 0; at_ms < 3_600_000; at_ms += 1_000) rate.add(2, NOW_MS + at_ms)
    expect(rate.perMinute(NOW_MS + 3_600_000)).toBeCloseTo(120, -1)
    const half = rate.perMinute(NOW_MS + 3_600_000 + 150_000)
    expect(half).toBeGreaterThan(50)
    expect(half).toBeLessThan(70)
    expect(rate.perMinute(NOW_MS + 2 * 3_600_000)).toBe(0)
  })

  it('of a source that began just now is not made small', () => {
    const rate = new RecentRate()
    rate.add(10, NOW_MS)
    rate.add(10, NOW_MS + 30_000)
    expect(rate.perMinute(NOW_MS + 60_000)).toBeCloseTo(20, -1)
  })
})
