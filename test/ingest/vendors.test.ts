import { describe, expect, it } from 'vitest'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { FORMATS } from '../../ingest/sources/formats.ts'
import type { Alert } from '../../schemas/alert.ts'
import { DEFAULTS } from './settings.ts'
import { notification, type VendorFormat, VENDORS } from './vendor_seeds.ts'

const AT_MS = Date.UTC(2026, 10, 25, 12)
const BEGAN_MS = Date.UTC(2026, 10, 25, 11, 58)
const EXPIRE_MS = 3_600_000
const normalise = makeNormaliser(DEFAULTS)

const decode = (format: VendorFormat, body: unknown) =>
  FORMATS[format](
    { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), headers: {}, at_ms: AT_MS },
    { expire_after_ms: EXPIRE_MS },
  )

function alertOf(format: VendorFormat, body: unknown): Alert {
  const [raw] = decode(format, body).alerts
  const alert = raw && normalise(raw, format)
  if (!alert || 'reason' in alert) throw new Error('the message gives an alert')
  return alert
}

const FORMATS_OF_VENDORS = Object.keys(VENDORS) as VendorFormat[]

describe.each(FORMATS_OF_VENDORS)('%s', (format) => {
  const { fires, ends } = VENDORS[format]

  it('fires until its end is told', () => {
    expect(alertOf(format, fires)).toMatchObject({ ends_at_ms: AT_MS + EXPIRE_MS })
    expect(alertOf(format, fires).labels['alertname']).toMatch(/\w/)
    expect(
      alertOf(format, fires).annotations['summary'] ?? alertOf(format, fires).annotations['description'],
    ).toMatch(/\w/)
  })

  it('is ended by the message that ends it', () => {
    const end = alertOf(format, ends)
    expect(end.fingerprint).toBe(alertOf(format, fires).fingerprint)
    expect(end.ends_at_ms).toBeLessThan(AT_MS)
    expect(end.starts_at_ms).toBeLessThanOrEqual(end.ends_at_ms ?? 0)
  })
})

/** What the first message of each comes to, in the parts that matter to people. */
describe('an alert of', () => {
  it.each<[VendorFormat, Partial<Alert>]>([
    [
      'zabbix',
      {
        severity: 'high',
        entity: 'db-1',
        starts_at_ms: BEGAN_MS,
        generator_url: 'https://zabbix.example/tr_events.php?eventid=4211',
        labels: {
          alertname: 'High CPU utilization',
          severity: 'high',
          host: 'db-1',
          host_ip: '10.0.0.7',
          hostgroup: 'Databases',
          tag_scope: 'performance',
          tag_noisy: 'true',
          zabbix_event: '4211',
        },
      },
    ],
    [
      'datadog',
      {
        severity: 'high',
        entity: 'db-1',
        labels: {
          alertname: 'Disk usage',
          severity: 'P2',
          host: 'db-1',
          metric: 'system.disk.in_use',
          datadog_monitor: '1234',
          tag_env: 'prod',
          tag_team: 'shop',
          datadog_cycle: '6201',
        },
      },
    ],
    [
      'nagios',
      {
        severity: 'critical',
        entity: 'db-1',
        starts_at_ms: BEGAN_MS,
        labels: {
          alertname: 'Disk /var',
          severity: 'critical',
          host: 'db-1',
          service: 'Disk /var',
          host_address: '10.0.0.7',
        },
      },
    ],
    ['sentry', { severity: 'high', starts_at_ms: BEGAN_MS + 123 }],
    ['uptime-kuma', { severity: 'critical', starts_at_ms: BEGAN_MS + 123 }],
    ['cloudwatch', { starts_at_ms: BEGAN_MS + 157, severity: 'medium' }],
    ['azure-monitor', { severity: 'critical', entity: 'wcus-r2-gen2', starts_at_ms: BEGAN_MS + 24_371 }],
    [
      'opsgenie',
      {
        severity: 'critical',
        entity: 'db-1',
        starts_at_ms: BEGAN_MS + 157,
        annotations: { summary: 'Disk of db-1 is full', description: 'No space left on /var', used: '99 %' },
        labels: {
          alertname: 'Disk of db-1 is full',
          severity: 'P1',
          entity: 'db-1',
          origin: 'nagios',
          team: 'databases',
          tags: 'disk,prod',
          opsgenie_alias: 'db-1/disk',
        },
      },
    ],
    ['gcp-monitoring', { severity: 'critical', entity: 'shop appserver', starts_at_ms: BEGAN_MS }],
  ])('%s tells what it is', (format, alert) => {
    expect(alertOf(format, VENDORS[format].fires)).toMatchObject(alert)
  })
})

describe('Zabbix', () => {
  const connector = VENDORS.zabbix.others[0] as Readonly<Record<string, unknown>>
  it('streams problems and recoveries, several in one message, joined by the problem', () => {
    const recovery = { clock: 1795607940, ns: 0, value: 0, eventid: 4300, p_eventid: 4211 }
    const { alerts, rejects } = decode(
      'zabbix',
      `${JSON.stringify(connector)}\n${JSON.stringify(recovery)}\n{broken\n`,
    )
    expect(rejects).toMatchObject([{ ordinal: 2, code: 'json-syntax', payload: '{broken' }])
    expect(alerts).toMatchObject([
      { labels: { severity: 'disaster', host: 'db-1', zabbix_event: '4211' }, starts_at_ms: BEGAN_MS + 157 },
      { labels: { zabbix_event: '4211' }, ends_at_ms: BEGAN_MS + 60_000 },
    ])
    expect(alerts[1]?.identity).toEqual(alerts[0]?.identity)
  })

  it('acknowledges, and keeps other updates out', () => {
    const update = { ...VENDORS.zabbix.fires, update_status: '1', update_user: 'ada' }
    expect(decode('zabbix', { ...update, update_action: 'acknowledged, commented' })).toMatchObject({
      alerts: [],
      rejects: [],
      acknowledgements: [{ identity: { zabbix_event: '4211' }, by: 'ada' }],
    })
    expect(decode('zabbix', { ...update, update_action: 'unacknowledged' })).toMatchObject({
      alerts: [],
      dropped: 1,
    })
    expect(decode('zabbix', { ...update, update_action: 'commented' })).toMatchObject({
      alerts: [],
      dropped: 1,
    })
  })
})

describe('what is no change of an alert is left out, and counted', () => {
  it.each<[string, VendorFormat, object]>([
    ['a downtime', 'nagios', { ...VENDORS.nagios.fires, notification_type: 'DOWNTIMESTART' }],
    ['flapping', 'nagios', { ...VENDORS.nagios.fires, notification_type: 'FlappingStart' }],
    [
      'a soft state of Icinga',
      'nagios',
      { type: 'StateChange', host: 'a', service: 'b', state: 2, state_type: 0 },
    ],
    ['an event that is no alert', 'datadog', { ...VENDORS.datadog.fires, transition: '$ALERT_TRANSITION' }],
    ['an assignment', 'sentry', { action: 'assigned', data: { issue: { id: '1' } } }],
    ['an installation', 'sentry', { action: 'created', installation: { uuid: '1' }, data: {} }],
    ['maintenance', 'uptime-kuma', { ...VENDORS['uptime-kuma'].fires, heartbeat: { status: 3 } }],
    ['a test', 'uptime-kuma', { heartbeat: null, monitor: null, msg: 'My webhook Testing' }],
    ['too little data', 'cloudwatch', notification({ AlarmName: 'a', NewStateValue: 'INSUFFICIENT_DATA' })],
    ['a note', 'opsgenie', { ...VENDORS.opsgenie.fires, action: 'AddNote' }],
    ['a subscription', 'cloudwatch', { Type: 'UnsubscribeConfirmation', Message: 'You chose…' }],
  ])('%s (%s)', (_what, format, body) => {
    expect(decode(format, body)).toEqual({ alerts: [], rejects: [], dropped: 1 })
  })
})

describe('what cannot be understood is rejected', () => {
  it.each<[string, VendorFormat, object, string]>([
    ['no state', 'zabbix', { event_id: '1' }, 'status-unknown'],
    ['no id', 'zabbix', { event_value: '1' }, 'identity-missing'],
    ['an unknown transition', 'datadog', { transition: 'Exploded' }, 'status-unknown'],
    [
      'no identity',
      'datadog',
      { transition: 'Triggered', cycle_key: '$ALERT_CYCLE_KEY' },
      'identity-missing',
    ],
    ['no host', 'nagios', { state: 'DOWN', notification_type: 'PROBLEM' }, 'field-missing'],
    ['no state', 'nagios', { host: 'a' }, 'status-unknown'],
    ['another hook', 'sentry', { action: 'created', data: { comment: {} } }, 'kind-unknown'],
    ['an unknown status', 'uptime-kuma', { heartbeat: { status: 9 }, monitor: {} }, 'status-unknown'],
    ['a message that is no alarm', 'cloudwatch', { Type: 'Notification', Message: 'Hello' }, 'json-syntax'],
    ['an unknown state', 'cloudwatch', notification({ NewStateValue: 'BAD' }), 'status-unknown'],
    ['another schema', 'azure-monitor', { schemaId: 'AzureMonitorMetricAlert' }, 'schema-unknown'],
    ['no action', 'opsgenie', { alert: {} }, 'status-unknown'],
    ['no alias', 'opsgenie', { action: 'Create', alert: {} }, 'field-missing'],
    ['no state', 'gcp-monitoring', { incident: {} }, 'status-unknown'],
  ])('%s (%s)', (_what, format, body, code) => {
    expect(decode(format, body)).toMatchObject({
      alerts: [],
      rejects: [{ code, payload: JSON.stringify(body) }],
    })
  })
})

describe('Icinga', () => {
  it('streams hard states by number', () => {
    const event = {
      type: 'StateChange',
      host: 'db-1',
      service: 'disk',
      state: 2,
      state_type: 1,
      timestamp: 1795607880.5,
    }
    expect(alertOf('nagios', { ...event, check_result: { output: 'DISK CRITICAL' } })).toMatchObject({
      severity: 'critical',
      annotations: { summary: 'DISK CRITICAL' },
      starts_at_ms: BEGAN_MS + 500,
    })
    const end = alertOf('nagios', { ...event, state: 0 })
    expect(end.fingerprint).toBe(alertOf('nagios', event).fingerprint)
    expect(end.ends_at_ms).toBeLessThan(AT_MS)
    const { service: _, ...of_host } = event
    expect(alertOf('nagios', { ...of_host, state: 1 })).toMatchObject({
      severity: 'critical',
      labels: { severity: 'down' },
    })
  })
})

describe('a certificate that expires, told by Uptime Kuma,', () => {
  it('is an alert under its text', () => {
    const msg = '[Shop][https://shop.example] server certificate shop.example will be expired in 7 days'
    expect(alertOf('uptime-kuma', { heartbeat: null, monitor: null, msg })).toMatchObject({
      severity: 'medium',
      annotations: { summary: msg },
    })
  })
})
