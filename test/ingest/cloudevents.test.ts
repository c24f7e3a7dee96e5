import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cloudeventsIngest } from '../../ingest/http/cloudevents.ts'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { readEvents } from '../../ingest/sources/cloudevents.ts'
import { FORMATS } from '../../ingest/sources/formats.ts'
import { SEEDS } from './format_seeds.ts'
import { DEFAULTS } from './settings.ts'
import { NOW_MS, type SourceServer, sourceServer } from './source_server.ts'

const EXPIRE_MS = 3_600_000
const ATTRIBUTES = {
  specversion: '1.0',
  type: 'com.example.someevent',
  time: '2018-04-05T03:56:24Z',
  id: '1234-1234-1234',
  source: '/mycontext/subcontext',
}
const DATA = { message: 'Hello World!' }

const message = (body: unknown, headers: Readonly<Record<string, string>>) => ({
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  headers,
  at_ms: NOW_MS,
})
const prefixed = (prefix: string) =>
  Object.fromEntries(Object.entries(ATTRIBUTES).map(([name, value]) => [prefix + name, value]))

/** The scenarios of cloudevents/conformance for HTTP and Kafka, which differ in the names of headers alone. */
describe.each([
  ['HTTP', 'ce-'],
  ['Kafka', 'ce_'],
])('conformance of the %s binding', (_name, prefix) => {
  it.each(['application/json', 'application/json; charset=utf-8'])('binary content mode (%s)', (type) => {
    const given = message(DATA, { ...prefixed(prefix), 'content-type': type })
    expect(readEvents(given)).toEqual([{ attributes: { ...ATTRIBUTES, datacontenttype: type }, data: DATA }])
  })

  it.each(['application/cloudevents+json', 'application/cloudevents+json; charset=utf-8'])(
    'structured content mode (%s)',
    (type) => {
      const event = { ...ATTRIBUTES, datacontenttype: 'application/json', data: DATA }
      expect(readEvents(message(event, { 'content-type': type }))).toEqual([
        { attributes: { ...ATTRIBUTES, datacontenttype: 'application/json' }, data: DATA },
      ])
    },
  )
})

const decode = (body: unknown, headers: Readonly<Record<string, string>> = STRUCTURED) =>
  FORMATS.cloudevents(message(body, headers), { expire_after_ms: EXPIRE_MS })
const STRUCTURED = { 'content-type': 'application/cloudevents+json' }
const BATCH = { 'content-type': 'application/cloudevents-batch+json' }

describe('other ways to write an event', () => {
  it('attributes in headers are percent-encoded', () => {
    const headers = { ...prefixed('ce-'), 'ce-subject': 'caf%C3%A9%20100%25', 'ce-broken': '100%' }
    expect(readEvents(message('', headers))).toMatchObject([
      { attributes: { subject: 'café 100%', broken: '100%' }, data: undefined },
    ])
  })

  it('data may be text or bytes', () => {
    const binary = (type: string) =>
      readEvents(message('a\n', { ...prefixed('ce-'), 'content-type': type }))[0]?.data
    expect(binary('text/plain')).toBe('a\n')
    expect(binary('application/octet-stream')).toBe('YQo=')
    expect(() => binary('application/vnd.example+json')).toThrow('no JSON')
  })

  it('an event in plain JSON is taken as structured', () => {
    expect(decode({ ...ATTRIBUTES }, { 'content-type': 'application/json' }).alerts).toHaveLength(1)
    expect(decode({ ...ATTRIBUTES }, {}).alerts).toHaveLength(1)
  })
})

describe('an event', () => {
  it('is an alert under its type, about its subject, as its source sees it', () => {
    expect(decode(SEEDS.cloudevents[0]?.body ?? '').alerts).toEqual([
      {
        ordinal: 0,
        labels: {
          alertname: 'com.example.disk.full',
          ce_source: '/hosts/db-1',
          subject: '/var',
          severity: 'critical',
        },
        identity: { alertname: 'com.example.disk.full', ce_source: '/hosts/db-1', subject: '/var' },
        annotations: { data: '{"used":0.99}', ce_id: '1234-1234-1234' },
        generator_url: '',
        starts_at_ms: Date.UTC(2026, 10, 25, 11, 56, 24),
        start_assumed: true,
        ends_at_ms: NOW_MS + EXPIRE_MS,
      },
    ])
  })

  it('with an alert as its data is that alert', () => {
    const data = {
      labels: { alertname: 'DiskFull', host: 'a' },
      annotations: { summary: 'Full' },
      status: 'firing',
    }
    const [found] = decode({ ...ATTRIBUTES, data }).alerts
    expect(found).toMatchObject({
      labels: data.labels,
      annotations: { summary: 'Full', ce_id: ATTRIBUTES.id },
    })
    expect(found?.identity).toBeUndefined()
  })

  it('ends the alert of its like when its data says that it is resolved', () => {
    const normalise = makeNormaliser(DEFAULTS)
    const fingerprint = (data: unknown, severity: string) => {
      const [raw] = decode({ ...ATTRIBUTES, id: severity, severity, data }).alerts
      const alert = raw && normalise(raw, 'x')
      return alert && 'fingerprint' in alert ? [alert.fingerprint, alert.ends_at_ms] : []
    }
    const [fires] = fingerprint({ used: 0.99 }, 'critical')
    expect(fires).toMatch(/^[0-9a-f]{32}$/)
    expect(fingerprint({ status: 'resolved' }, 'info')).toEqual([fires, Date.UTC(2018, 3, 5, 3, 56, 24)])
  })

  it.each([
    ['of another version', { ...ATTRIBUTES, specversion: '0.3' }, 'specversion'],
    ['without a version', { ...ATTRIBUTES, specversion: undefined }, 'specversion'],
    ['without an id', { ...ATTRIBUTES, id: '' }, 'field-missing'],
    ['without a type', { ...ATTRIBUTES, type: null }, 'field-missing'],
    ['whose source is no text', { ...ATTRIBUTES, source: {} }, 'field-missing'],
    ['whose time is none', { ...ATTRIBUTES, time: 'noon' }, 'time-syntax'],
    ['with an alert that has no labels', { ...ATTRIBUTES, data: { labels: {} } }, 'labels-empty'],
  ])('%s is rejected', (_how, event, code) => {
    expect(decode(event)).toMatchObject({ alerts: [], rejects: [{ code }] })
  })

  it('in an unknown form is rejected', () => {
    const rejects = (type: string) => decode('<event/>', { 'content-type': type }).rejects
    expect(rejects('application/cloudevents+xml')).toMatchObject([{ code: 'content-type' }])
    expect(rejects('text/plain')).toMatchObject([{ code: 'content-type' }])
  })
})

it('a rejected event of a batch is kept alone, not with all the others', () => {
  const events = Array.from({ length: 1_000 }, (_, i) => ({ ...ATTRIBUTES, id: '', subject: `event ${i}` }))
  const { rejects } = decode(events, BATCH)
  expect(rejects).toHaveLength(1_000)
  expect(rejects[7]?.payload).toBe(JSON.stringify(events[7]))
})

it('a batch is taken event by event', () => {
  const { alerts, rejects } = decode([ATTRIBUTES, { ...ATTRIBUTES, id: '' }, 17, ATTRIBUTES], BATCH)
  expect(alerts.map(({ ordinal }) => ordinal)).toEqual([0, 3])
  expect(rejects).toMatchObject([
    { ordinal: 1, code: 'field-missing' },
    { ordinal: 2, code: 'json-type' },
  ])
  expect(decode([], BATCH)).toEqual({ alerts: [], rejects: [] })
})

describe('POST /api/v1/events', () => {
  let server: SourceServer
  beforeEach(async () => {
    server = await sourceServer(cloudeventsIngest)
  })
  afterEach(() => server.close())

  it('takes every mode, also without a body', async () => {
    const { 'content-type': _, ...rest } = { 'content-type': '', ...prefixed('ce-') }
    for (const [body, headers, accepted] of [
      [JSON.stringify(ATTRIBUTES), STRUCTURED, 1],
      [JSON.stringify([ATTRIBUTES, ATTRIBUTES]), BATCH, 2],
      [JSON.stringify(DATA), { ...rest, 'content-type': 'application/json' }, 1],
      ['', rest, 1],
      ['', BATCH, undefined],
    ] as const)
      expect((await server.post('/api/v1/events', body, headers)).body).toMatchObject(
        accepted === undefined ? { rejected: 1 } : { accepted, rejected: 0 },
      )
    expect(server.log.letters).toMatchObject([{ code: 'empty', source: 'cloudevents' }])
  })
})
