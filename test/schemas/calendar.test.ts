import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Calendar, isWithin, nextTurn, weekly, WEEKDAYS } from '../../schemas/calendar.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const at = (iso: string) => Date.parse(iso)

/** The beginnings and ends after a time, as ISO times. */
function turns(calendar: Calendar, from: string, count: number): string[] {
  const found: string[] = []
  for (let turn_ms = nextTurn(calendar, at(from)); turn_ms !== null && found.length < count; ) {
    found.push(new Date(turn_ms).toISOString())
    turn_ms = nextTurn(calendar, turn_ms)
  }
  return found
}

describe('a calendar', () => {
  it('of one stretch begins, ends, and has no turn after that', () => {
    const calendar = { starts_at_ms: 1_000, ends_at_ms: 2_000 }
    expect([999, 1_000, 1_999, 2_000].map((time_ms) => isWithin(calendar, time_ms))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect([0, 1_000, 2_000].map((time_ms) => nextTurn(calendar, time_ms))).toEqual([1_000, 2_000, null])
  })

  it('of a week begins at its local time on its days, across midnight and the turn of the year', () => {
    const calendar: Calendar = {
      weekdays: ['thu', 'sat'],
      at: '22:30',
      time_zone: 'Europe/Berlin',
      duration_ms: 4 * HOUR_MS,
    }
    expect(turns(calendar, '2026-12-31T00:00:00Z', 4)).toEqual([
      '2026-12-31T21:30:00.000Z',
      '2027-01-01T01:30:00.000Z',
      '2027-01-02T21:30:00.000Z',
      '2027-01-03T01:30:00.000Z',
    ])
    expect(isWithin(calendar, at('2027-01-01T01:29:59.999Z'))).toBe(true)
  })

  const nightly = (time: string, time_zone: string): Calendar => ({
    weekdays: [...WEEKDAYS],
    at: time,
    time_zone,
    duration_ms: HOUR_MS,
  })
  const starts = (calendar: Calendar, from: string) => turns(calendar, from, 6).filter((_, i) => i % 2 === 0)

  it('takes the later time when clocks go forward over its beginning', () => {
    expect(starts(nightly('02:30', 'Europe/Berlin'), '2026-03-28T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:30:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
  })

  it('takes the first time when clocks go back over its beginning', () => {
    expect(starts(nightly('02:30', 'Europe/Berlin'), '2026-10-24T00:00:00Z')).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
  })

  it('knows zones beside the hour and beyond the date line', () => {
    expect(starts(nightly('00:15', 'Asia/Kathmandu'), '2026-05-01T00:00:00Z')[0]).toBe(
      '2026-05-01T18:30:00.000Z',
    )
    expect(starts(nightly('13:00', 'Pacific/Kiritimati'), '2026-05-01T00:00:00Z')[0]).toBe(
      '2026-05-01T23:00:00.000Z',
    )
  })

  it('holds from each beginning to its end and at no other time', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'America/Sao_Paulo']
    fc.assert(
      fc.property(
        fc.record({
          weekdays: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
          hour: fc.nat(23),
          time_zone: fc.constantFrom(...zones),
          duration_ms: fc.integer({ min: 1, max: 7 * 24 }).map((hours) => hours * HOUR_MS),
        }),
        fc.integer({ min: at('2017-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
        ({ hour, ...rest }, from_ms) => {
          const calendar = { ...rest, at: `${String(hour).padStart(2, '0')}:00` }
          const turn_ms = nextTurn(calendar, from_ms) as number
          expect(turn_ms).toBeGreaterThan(from_ms)
          expect(turn_ms).toBeLessThanOrEqual(from_ms + 8 * DAY_MS)
          for (const part of [0, 0.3, 0.99])
            expect(isWithin(calendar, from_ms + Math.floor((turn_ms - from_ms) * part))).toBe(
              isWithin(calendar, from_ms),
            )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('refuses zones, times and lengths that are none', () => {
    const good = { weekdays: ['mon'], at: '07:05', time_zone: 'Europe/Berlin', duration_ms: 1 }
    const says = (over: object) => weekly.safeParse({ ...good, ...over }).error?.issues[0]?.path[0] ?? null
    expect(says({})).toBe(null)
    expect(says({ time_zone: 'Europe/Atlantis' })).toBe('time_zone')
    expect(says({ at: '24:00' })).toBe('at')
    expect(says({ duration_ms: 8 * DAY_MS })).toBe('duration_ms')
    expect(says({ weekdays: [] })).toBe('weekdays')
  })
})
