import { describe, expect, it } from 'vitest'
import { FORMATS } from '../../ingest/sources/formats.ts'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { SEEDS } from './format_seeds.ts'
import { DEFAULTS } from './settings.ts'

const AT_MS = Date.UTC(2026, 10, 25, 12)
const EXPIRE_MS = 3_600_000
const KEY = 'samplekeyhere'

const decode = (body: string, at_ms = AT_MS) =>
  FORMATS.pagerduty({ body: Buffer.from(body), headers: {}, at_ms }, { expire_after_ms: EXPIRE_MS })
const send = (event: object) => decode(JSON.stringify({ routing_key: KEY, ...event }))
const payload = { summary: 'Disk full', source: 'db-1', severity: 'critical' }
const normalise = makeNormaliser(DEFAULTS)
function fingerprint(event: object): string {
  const [raw] = send(event).alerts
  const alert = raw && normalise(raw, 'pagerduty')
  if (!alert || 'reason' in alert) throw new Error('the event gives an alert')
  return alert.fingerprint
}

describe('a trigger', () => {
  it('is an alert that fires until it is resolved', () => {
    const [alert] = decode(SEEDS.pagerduty[0]?.body ?? '').alerts
    expect(alert).toMatchObject({
      labels: {
        alertname: 'deploy',
        severity: 'error',
        instance: 'monitoringtool:cloudvendor:central-region-dc-01:852559987:cluster/api-stats-prod-003',
        component: 'postgres',
        group: 'prod-datapipe',
        dedup_key: 'srv01/HTTP',
      },
      annotations: {
        summary: 'Example alert on host1.example.com',
        custom_details: '{"ping time":"1500ms","load avg":0.75}',
        links: 'Link text: https://example.com/',
        client: 'Sample Monitoring Service',
      },
      generator_url: 'https://monitoring.example.com',
      starts_at_ms: Date.UTC(2026, 10, 25, 8, 42, 58, 315),
      ends_at_ms: AT_MS + EXPIRE_MS,
    })
    expect(normalise(alert as NonNullable<typeof alert>, 'pagerduty')).toMatchObject({ severity: 'high' })
  })

  it('without a dedup key is an alert of its own each time', () => {
    const event = JSON.stringify({ routing_key: KEY, event_action: 'trigger', payload })
    const keys = [0, 0, 1].map((ms) => decode(event, AT_MS + ms).alerts[0]?.labels['dedup_key'])
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })

  it('whose time cannot be read is not lost', () => {
    const event = { event_action: 'trigger', payload: { ...payload, timestamp: 'yesterday' } }
    expect(send(event).alerts).toMatchObject([{ starts_at_ms: AT_MS }])
  })

  it('with huge details is cut, visibly, not lost', () => {
    const event = { event_action: 'trigger', payload: { ...payload, custom_details: 'x'.repeat(400_000) } }
    const [alert] = send(event).alerts
    expect(alert?.annotations['custom_details']).toMatch(/x… \(400000 characters\)$/)
    expect(normalise(alert as NonNullable<typeof alert>, 'pagerduty')).toMatchObject({ severity: 'critical' })
  })
})

describe('a resolve', () => {
  it('ends the alert of its dedup key, though it knows nothing else of it', () => {
    const trigger = { event_action: 'trigger', dedup_key: 'k', payload: { ...payload, cluster: 'eu' } }
    const resolve = { event_action: 'resolve', dedup_key: 'k' }
    expect(fingerprint(resolve)).toBe(fingerprint(trigger))
    expect(send(resolve).alerts[0]?.ends_at_ms).toBeLessThan(AT_MS)
  })

  it('ends no alert of another dedup key or another routing key', () => {
    const trigger = { event_action: 'trigger', dedup_key: 'k', payload }
    expect(fingerprint({ event_action: 'resolve', dedup_key: 'K' })).not.toBe(fingerprint(trigger))
    const other = { event_action: 'resolve', dedup_key: 'k', routing_key: 'another' }
    expect(fingerprint(other)).not.toBe(fingerprint(trigger))
  })
})

it('an acknowledge is no alert', () => {
  const decoded = send({ event_action: 'acknowledge', dedup_key: 'k' })
  expect(decoded).toMatchObject({
    alerts: [],
    rejects: [],
    acknowledgements: [{ identity: { dedup_key: 'k' } }],
  })
})

describe('an event that breaks the rules', () => {
  it.each([
    ['without an action', { payload }, /'event_action' is invalid \(must be one of the following: 'trigger'/],
    ['without a payload', { event_action: 'trigger' }, /^'payload' is missing or blank$/],
    [
      'without most things',
      { event_action: 'trigger', payload: { severity: 'bad' }, routing_key: '' },
      /^'routing_key' is missing or blank; 'payload.summary' is missing or blank; 'payload.source' is .*'payload.severity' is invalid/,
    ],
    ['that resolves nothing', { event_action: 'resolve' }, /^'dedup_key' is missing or blank$/],
    [
      'with a long dedup key',
      { event_action: 'resolve', dedup_key: 'k'.repeat(256) },
      /^'dedup_key' is too long \(maximum is 255 characters\)$/,
    ],
  ])('%s is rejected with every problem', (_how, event, reason) => {
    expect(send(event).rejects).toMatchObject([
      { code: 'event-invalid', reason: expect.stringMatching(reason) as string },
    ])
  })
})

describe('the routing key', () => {
  const SECRET = 'R0123456789abcdef0123456789abcde'
  it.each([
    ['a trigger', JSON.stringify({ routing_key: SECRET, event_action: 'trigger', payload })],
    ['a resolve', JSON.stringify({ routing_key: SECRET, event_action: 'resolve', dedup_key: 'k' })],
    ['an acknowledge', JSON.stringify({ routing_key: SECRET, event_action: 'acknowledge', dedup_key: 'k' })],
    ['an event that breaks the rules', JSON.stringify({ routing_key: SECRET, event_action: 'page' })],
    ['a body that is no JSON', `{"routing_key" : "${SECRET}", "event_action":`],
    ['a body that ends in it', `{"routing_key":"${SECRET}`],
  ])('of %s is nowhere in what comes of it', (_what, body) => {
    expect(JSON.stringify(decode(body))).not.toContain(SECRET)
  })
})
