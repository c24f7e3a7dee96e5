import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAlerts, RefusedBody } from '../../ingest/sources/alertmanager.ts'
import type { RawAlert, RejectedAlert } from '../../ingest/sources/raw_alert.ts'
import { parseDateTime } from '../../ingest/sources/date_time.ts'

const NOW_MS = Date.UTC(2026, 10, 23, 19, 27, 39)
const CONTEXT = { resolve_timeout_ms: 300_000, lone_alert: false }
const decode = (value: unknown, context = CONTEXT) =>
  decodeAlerts(Buffer.from(JSON.stringify(value)), NOW_MS, context)

describe('times, as Alertmanager 0.34 stores them', () => {
  it.each([
    ['2026-11-23T16:00:00Z', '2026-11-23T16:00:00.000Z'],
    ['2026-11-23T16:00:00.123456789Z', '2026-11-23T16:00:00.123Z'],
    ['2026-11-23T16:00:00.1234567890123Z', '2026-11-23T16:00:00.123Z'],
    ['2026-11-23T16:00:00,5', '2026-11-23T16:00:00.500Z'],
    ['2026-11-23T16:00:00.123+0530', '2026-11-23T10:30:00.123Z'],
    ['2026-11-23T16:00:00.123456-0730', '2026-11-23T23:30:00.123Z'],
    ['2026-11-23T16:00:00+05:30', '2026-11-23T10:30:00.000Z'],
    ['2026-11-23T16:00:00+24:00', '2026-11-22T16:00:00.000Z'],
    ['2026-11-23T16:00:00+05:60', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T16:00:00-00:00', '2026-11-23T16:00:00.000Z'],
    ['2026-11-23T5:00:00Z', '2026-11-23T05:00:00.000Z'],
    ['2026-11-23 16:00:00', '2026-11-23T16:00:00.000Z'],
    ['2026-11-23T16:00:00', '2026-11-23T16:00:00.000Z'],
    ['2026-11-23T16:00Z', '2026-11-23T16:00:00.000Z'],
    ['2026-11-23T1:00', '2026-11-23T01:00:00.000Z'],
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500Z'],
    ['', '1970-01-01T00:00:00.000Z'],
  ])('%s', (text, stored) => {
    expect(new Date(parseDateTime(text)?.ms ?? Number.NaN).toISOString()).toBe(stored)
  })

  it('reads back what JavaScript writes, in any offset', () => {
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 })
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1000-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
        offset,
        fc.integer({ min: 0, max: 999_999 }),
        (at, minutes, ns) => {
          const local = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, -1)
          const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
            String(part).padStart(2, '0'),
          )
          const text = `${local}${String(ns).padStart(6, '0')}${minutes < 0 ? '-' : '+'}${hours}:${rest}`
          expect(parseDateTime(text)).toEqual({ ms: at.getTime(), ns })
        },
      ),
    )
  })
})

describe('start and end', () => {
  const [start, end] = ['2026-11-23T16:00:00Z', '2026-11-23T17:00:00Z']
  it.each([
    ['both', { startsAt: start, endsAt: end }, Date.parse(start), Date.parse(end)],
    ['neither: it starts now and ends by timeout', {}, NOW_MS, null],
    ['no end', { startsAt: start }, Date.parse(start), null],
    ['no start: it starts at its end', { endsAt: end }, Date.parse(end), Date.parse(end)],
    [
      "Go's zero times",
      { startsAt: '0001-01-01T00:00:00Z', endsAt: '0001-01-01T01:00:00+01:00' },
      NOW_MS,
      null,
    ],
    ['null', { startsAt: null, endsAt: null }, NOW_MS, null],
    ['names in another case', { STARTSAT: start, endsat: end }, Date.parse(start), Date.parse(end)],
  ])('%s', (_name, times, starts_at_ms, ends_at_ms) => {
    expect(decode([{ labels: { a: 'b' }, ...times }]).alerts).toMatchObject([{ starts_at_ms, ends_at_ms }])
  })
})

describe('labels and annotations', () => {
  it('drops labels without a value, and keeps such annotations', () => {
    const { alerts } = decode([
      { labels: { a: 'b', gone: '', too: null }, annotations: { kept: '', also: null } },
    ])
    expect(alerts).toMatchObject([{ labels: { a: 'b' }, annotations: { kept: '', also: '' } }])
    expect(Object.keys(alerts[0]?.labels ?? {})).toEqual(['a'])
  })

  it('keeps a label of any name', () => {
    const { alerts } = decodeAlerts(
      Buffer.from('[{"labels":{"__proto__":"x","constructor":"y","gone":""}}]'),
      NOW_MS,
      CONTEXT,
    )
    expect(Object.entries(alerts[0]?.labels ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })

  it('replaces halves of surrogate pairs', () => {
    const { alerts } = decodeAlerts(
      Buffer.from(String.raw`[{"labels":{"\ud800":"\udc00","pair":"\ud83d\ude42"}}]`),
      NOW_MS,
      CONTEXT,
    )
    expect(alerts[0]?.labels).toEqual({ '\ufffd': '\ufffd', pair: '🙂' })
  })
})

describe('one alert without an array', () => {
  it('is taken where messages are read, and only there', () => {
    expect(decode({ labels: { a: 'b' } }, { ...CONTEXT, lone_alert: true }).alerts).toMatchObject([
      { ordinal: 0, labels: { a: 'b' } },
    ])
    expect(() => decode({ labels: { a: 'b' } })).toThrow(RefusedBody)
  })
})

describe('whatever comes in', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', '2026-11-23T16:00:00Z', 'http://x', '\ud800'))
  const junk = fc.oneof(fc.jsonValue(), text, fc.constant(null))
  const map = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.dictionary(text, fc.oneof({ weight: 9, arbitrary: text }, junk), { maxKeys: 3 }),
    },
    junk,
  )
  const alert = fc.record(
    { labels: map, annotations: map, startsAt: junk, endsAt: junk, generatorURL: junk },
    { requiredKeys: [] },
  )

  it('each alert is either taken or rejected with a reason, or the body is refused', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: alert }, junk), { maxLength: 4 }), (body) => {
        const { alerts, rejects, refused } = outcome(Buffer.from(JSON.stringify(body)))
        taken += alerts.length
        const told = [...alerts, ...rejects].map(({ ordinal }) => ordinal).sort((a, b) => a - b)
        expect(told).toEqual(refused === null ? [...body.keys()] : [])
        expect([200, 400, 413, 422]).toContain(refused?.status ?? 200)
        expect(rejects.flatMap(({ reason, code }) => [reason, code])).not.toContain('')
      }),
      { numRuns: 2_000 },
    )
    expect(taken).toBeGreaterThan(0)
  })

  it('arbitrary bytes give nothing and throw nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const { alerts, rejects } = outcome(Buffer.from(bytes))
        expect(alerts.length + rejects.length).toBe(0)
      }),
    )
  })
})

function outcome(body: Buffer): {
  alerts: readonly RawAlert[]
  rejects: readonly RejectedAlert[]
  refused: RefusedBody | null
} {
  try {
    return { ...decodeAlerts(body, NOW_MS, CONTEXT), refused: null }
  } catch (error) {
    if (error instanceof RefusedBody) return { alerts: [], rejects: [], refused: error }
    throw error
  }
}
