import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import { mapping as mappingShape } from '../../schemas/mapping.ts'
import { DEFAULTS } from './settings.ts'

const AT_MS = Date.UTC(2026, 10, 25, 12)
const EXPIRE_MS = 3_600_000

const MAPPING = {
  alerts: 'body.events',
  drop: 'alert.?kind.orValue("") == "heartbeat"',
  labels: { alertname: 'alert.check', host: 'alert.host', team: 'alert.?team', site: '"hamburg"' },
  annotations: { summary: 'alert.?text', value: 'alert.?value' },
  severity: 'alert.?prio',
  starts_at: 'alert.?since',
  ends_at: 'alert.?until',
  resolved: 'alert.?state.orValue("") == "ok"',
  link: 'alert.?url',
  fingerprint_labels: ['alertname', 'host', 'site'],
}

function decode(body: unknown, mapping: object = MAPPING, headers: Readonly<Record<string, string>> = {}) {
  const parsed = mappingShape.parse(mapping)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const settings = { format: 'json', labels: {}, expire_after_ms: EXPIRE_MS, mapping: parsed } as const
  return sourceDecoder(settings)({ body: Buffer.from(text), headers, at_ms: AT_MS })
}
const one = (event: object, mapping?: object) => decode({ events: [event] }, mapping)
const EVENT = { check: 'Disk', host: 'db-1', prio: 'P1', text: 'Disk full', value: 0.99 }

describe('a mapping', () => {
  it('makes alerts of the items that it names', () => {
    const since = Math.floor(AT_MS / 1_000) - 60
    expect(decode({ events: [{ ...EVENT, since, url: 'https://x.example/1' }] })).toEqual({
      alerts: [
        {
          ordinal: 0,
          labels: { alertname: 'Disk', host: 'db-1', site: 'hamburg', severity: 'P1' },
          identity: { alertname: 'Disk', host: 'db-1', site: 'hamburg' },
          annotations: { summary: 'Disk full', value: '0.99' },
          generator_url: 'https://x.example/1',
          starts_at_ms: AT_MS - 60_000,
          ends_at_ms: AT_MS + EXPIRE_MS,
        },
      ],
      rejects: [],
    })
  })

  it('takes a list as it is, and anything else as one item, when it names no list', () => {
    const plain = { labels: { alertname: 'alert.check' } }
    expect(decode([EVENT, EVENT], plain).alerts).toHaveLength(2)
    expect(decode(EVENT, plain).alerts).toMatchObject([{ labels: { alertname: 'Disk' } }])
    expect(decode([], plain)).toEqual({ alerts: [], rejects: [] })
  })

  it('sees the headers, but no secret ones', () => {
    const mapping = { labels: { alertname: 'headers["x-event"]', auth: 'headers[?"authorization"]' } }
    const headers = { 'x-event': 'Push', authorization: 'Bearer secret' }
    expect(decode({}, mapping, headers).alerts).toMatchObject([{ labels: { alertname: 'Push' } }])
    expect(JSON.stringify(decode({}, mapping, headers))).not.toContain('secret')
  })

  it('leaves out what it drops, and counts it', () => {
    const { alerts, dropped } = decode({ events: [{ kind: 'heartbeat' }, EVENT, { kind: 'heartbeat' }] })
    expect(alerts).toMatchObject([{ ordinal: 1 }])
    expect(dropped).toBe(2)
  })
})

describe('the end of an alert', () => {
  const fingerprint = (event: object) => {
    const [raw] = one(event).alerts
    const alert = raw && makeNormaliser(DEFAULTS)(raw, 'x')
    return alert && 'fingerprint' in alert ? alert.fingerprint : null
  }

  it('finds it by its fingerprint labels, whatever else it says', () => {
    const end = { check: 'Disk', host: 'db-1', state: 'ok', team: 'shop' }
    expect(one(end).alerts[0]?.ends_at_ms).toBeLessThan(AT_MS)
    expect(fingerprint(end)).toBe(fingerprint(EVENT))
    expect(fingerprint({ ...end, host: 'db-2' })).not.toBe(fingerprint(EVENT))
  })

  it('is when it is told to be', () => {
    expect(one({ ...EVENT, state: 'ok', until: AT_MS - 60_000 }).alerts[0]?.ends_at_ms).toBe(AT_MS - 60_000)
    expect(one({ ...EVENT, until: AT_MS + 60_000 }).alerts[0]?.ends_at_ms).toBe(AT_MS + 60_000)
    const { resolved: _, ...without } = MAPPING
    expect(one({ ...EVENT, until: AT_MS - 60_000 }, without).alerts[0]?.ends_at_ms).toBe(AT_MS - 60_000)
  })

  it.each([
    ['s', AT_MS / 1_000],
    ['ms', AT_MS],
    ['µs', AT_MS * 1_000],
    ['ns', AT_MS * 1_000_000],
    ['s as text', String(AT_MS / 1_000)],
    ['RFC 3339', '2026-11-25T13:00:00+01:00'],
  ])('and its start are understood in %s', (_unit, since) => {
    expect(one({ ...EVENT, since }).alerts[0]?.starts_at_ms).toBe(AT_MS)
  })
})

it('without a value for any label of the fingerprint is rejected', () => {
  const mapping = {
    ...MAPPING,
    labels: { ...MAPPING.labels, host: 'alert.?host' },
    fingerprint_labels: ['host'],
  }
  expect(one({ check: 'Disk' }, mapping).rejects).toMatchObject([{ code: 'fingerprint-labels-empty' }])
})

describe('what cannot be mapped', () => {
  it.each<[string, object, string, RegExp]>([
    ['a missing field', { check: 'Disk' }, 'expression-failed', /^labels\.host: No such key: host/],
    ['a time that is none', { ...EVENT, since: 'noon' }, 'time-syntax', /^starts_at is noon/],
  ])('%s is rejected and named', (_what, event, code, reason) => {
    const { alerts, rejects } = decode({ events: [event, EVENT] })
    expect(alerts).toMatchObject([{ ordinal: 1 }])
    expect(rejects).toMatchObject([{ ordinal: 0, code, payload: JSON.stringify(event) }])
    expect(rejects[0]?.reason).toMatch(reason)
  })

  it.each<[string, unknown, string]>([
    ['no list where one is expected', { events: 17 }, 'expression-type'],
    ['no such list', {}, 'expression-failed'],
    ['too long a list', { events: Array.from({ length: 1_001 }, () => 0) }, 'list-too-long'],
    ['too long a list inside', { events: [{ a: Array.from({ length: 1_001 }, () => 0) }] }, 'list-too-long'],
    ['too large a message', { events: 'x'.repeat(1_048_576) }, 'body-bytes'],
    ['no JSON', '{', 'json-syntax'],
  ])('%s is rejected as a whole', (_what, body, code) => {
    expect(decode(body)).toMatchObject({ alerts: [], rejects: [{ ordinal: 0, code }] })
  })

  it('resolved must be true or false', () => {
    expect(one(EVENT, { ...MAPPING, resolved: 'alert.text' }).rejects).toMatchObject([
      { code: 'expression-type', reason: 'resolved: expected true or false, it gave "Disk full"' },
    ])
  })
})

it('never throws, and accounts for every item, for any JSON', () => {
  const event = fc.record(
    Object.fromEntries(
      [...Object.keys(EVENT), 'kind', 'state', 'since', 'until', 'url', 'team', '__proto__'].map((name) => [
        name,
        fc.oneof(fc.constant('ok'), fc.jsonValue({ maxDepth: 2 })),
      ]),
    ),
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(event, fc.jsonValue())), (events) => {
      const { alerts, rejects, dropped = 0 } = decode({ events })
      expect(alerts.length + rejects.length + dropped).toBe(events.length)
      expect(rejects.every(({ code, reason }) => code !== '' && reason !== '')).toBe(true)
    }),
    { numRuns: 500 },
  )
})
