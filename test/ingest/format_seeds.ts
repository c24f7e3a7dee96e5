import type { SourceFormat } from '../../schemas/source_formats.ts'
import { CANCEL_JSON, PROCESS_JSON } from './b2mml_seeds.ts'
import { type Vendor, type VendorFormat, VENDORS } from './vendor_seeds.ts'

/** Messages as each sender documents or sends them: every one gives alerts and no reject. */
export interface Seed {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): Seed => ({
  body: JSON.stringify(body),
  headers,
})

const ALERTMANAGER_WEBHOOK = {
  version: '4',
  groupKey: '{}:{alertname="DiskFull"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'tocsin',
  groupLabels: { alertname: 'DiskFull' },
  commonLabels: { alertname: 'DiskFull', severity: 'critical' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'DiskFull', severity: 'critical', instance: 'db-1' },
      annotations: { summary: 'The disk of db-1 is full' },
      startsAt: '2026-11-25T11:58:03.157Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example:9090/graph?g0.expr=up',
      fingerprint: 'c6eadffa33fcdf37',
    },
    {
      status: 'resolved',
      labels: { alertname: 'DiskFull', severity: 'critical', instance: 'db-2' },
      annotations: {},
      startsAt: '2026-11-25T11:40:00Z',
      endsAt: '2026-11-25T11:59:30Z',
      generatorURL: '',
      fingerprint: 'bc97ff14869b13e3',
    },
  ],
}

/** As protojson writes the messages of Alertmanager's eventrecorder.proto. */
const RECORDED_ALERT = {
  fingerprint: '14340123456789012345',
  name: 'DiskFull',
  labels: {
    labels: [
      { key: 'alertname', value: 'DiskFull' },
      { key: 'instance', value: 'db-1' },
    ],
  },
  annotations: { labels: [{ key: 'summary', value: 'The disk of db-1 is full' }] },
  startsAt: '2026-11-25T11:58:03.157Z',
  endsAt: '2026-11-25T12:02:03.157Z',
}
const recorded = (data: object) => ({
  '@timestamp': '2026-11-25T11:58:04.000123Z',
  instance: 'alertmanager-0',
  data,
  clusterPosition: 1,
})
const GROUP_INFO = { groupKey: '{}:{}', groupId: 'c6eadffa', receiverName: 'tocsin' }
export const ALERTMANAGER_EVENTS = [
  recorded({ alertCreated: { alert: RECORDED_ALERT } }),
  recorded({ alertGrouped: { alert: { hash: '1434012', details: RECORDED_ALERT }, groupInfo: GROUP_INFO } }),
  recorded({
    notification: {
      alerts: [{ hash: '1434012', details: RECORDED_ALERT }, { hash: '99' }],
      firingAlerts: [{ hash: '1434012' }],
      groupInfo: GROUP_INFO,
      reason: 'NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED',
    },
  }),
  recorded({
    alertResolved: {
      alert: {
        hash: '1434012',
        details: { ...RECORDED_ALERT, endsAt: '2026-11-25T11:59:00Z', resolved: true },
      },
      groupInfo: GROUP_INFO,
    },
  }),
] as const
export const OTHER_ALERTMANAGER_EVENTS = [
  recorded({ alertmanagerStartupEvent: { version: '0.34.2' } }),
  recorded({ alertmanagerShutdownEvent: {} }),
  recorded({ silenceCreated: { silence: { id: 'b4c4', matchers: [] } } }),
  recorded({ silenceMutedAlert: { mutedAlert: { labels: RECORDED_ALERT.labels } } }),
]

const GRAFANA = {
  receiver: 'tocsin',
  status: 'firing',
  orgId: 1,
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'High memory usage', team: 'blue', zone: 'us-1' },
      annotations: { summary: 'Memory of zone us-1', runbook_url: 'https://runbooks.example/1234' },
      startsAt: '2026-11-25T13:51:03.157076+02:00',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'https://grafana.example/alerting/1afz29v7z/edit',
      fingerprint: 'c6eadffa33fcdf37',
      silenceURL: 'https://grafana.example/alerting/silence/new?alertmanager=grafana',
      dashboardURL: 'https://grafana.example/d/abc',
      panelURL: '',
      values: { B: 44.23943737541908, C: 1 },
    },
  ],
  groupLabels: {},
  commonLabels: { team: 'blue' },
  commonAnnotations: {},
  externalURL: 'https://grafana.example/',
  version: '1',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  title: '[FIRING:1]  (blue)',
  state: 'alerting',
  message: '**Firing**',
}

const PAGERDUTY = {
  payload: {
    summary: 'Example alert on host1.example.com',
    timestamp: '2026-11-25T08:42:58.315+0000',
    source: 'monitoringtool:cloudvendor:central-region-dc-01:852559987:cluster/api-stats-prod-003',
    severity: 'error',
    component: 'postgres',
    group: 'prod-datapipe',
    class: 'deploy',
    custom_details: { 'ping time': '1500ms', 'load avg': 0.75 },
  },
  routing_key: 'samplekeyhere',
  dedup_key: 'srv01/HTTP',
  images: [{ src: 'https://img.example/logo.png', href: 'https://example.com/', alt: 'Example text' }],
  links: [{ href: 'https://example.com/', text: 'Link text' }],
  event_action: 'trigger',
  client: 'Sample Monitoring Service',
  client_url: 'https://monitoring.example.com',
}

const CLOUD_EVENT = {
  specversion: '1.0',
  type: 'com.example.disk.full',
  source: '/hosts/db-1',
  subject: '/var',
  id: '1234-1234-1234',
  time: '2026-11-25T11:56:24Z',
  severity: 'critical',
  datacontenttype: 'application/json',
  data: { used: 0.99 },
}
const ALERT_EVENT = {
  ...CLOUD_EVENT,
  data: {
    labels: { alertname: 'DiskFull', host: 'db-1' },
    status: 'resolved',
    startsAt: '2026-11-25T11:00:00Z',
  },
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
export const OTLP_LOGS = {
  resourceLogs: [
    {
      resource: {
        attributes: [
          text('service.name', 'checkout'),
          text('k8s.pod.name', 'checkout-7d9'),
          text('other', 'x'),
        ],
      },
      scopeLogs: [
        {
          scope: { name: 'payments', version: '1.0' },
          logRecords: [
            {
              timeUnixNano: '1795607880157000000',
              observedTimeUnixNano: '1795607880200000000',
              severityNumber: 17,
              severityText: 'ERROR',
              body: { stringValue: 'Payment of order 4711 failed' },
              attributes: [
                text('exception.type', 'TimeoutError'),
                { key: 'attempt', value: { intValue: '3' } },
              ],
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
            },
          ],
        },
      ],
    },
  ],
}

const ofVendor = (format: VendorFormat): readonly Seed[] => {
  const { fires, ends, others = [] }: Vendor = VENDORS[format]
  return [fires, ends, ...others].map((body) => json(body))
}

export const SEEDS: Readonly<Record<SourceFormat, readonly Seed[]>> = {
  alertmanager: [json([{ labels: { alertname: 'DiskFull' } }]), json({ labels: { alertname: 'DiskFull' } })],
  'alertmanager-webhook': [json(ALERTMANAGER_WEBHOOK)],
  'alertmanager-events': ALERTMANAGER_EVENTS.map((event) => json(event)),
  grafana: [json(GRAFANA)],
  pagerduty: [
    json(PAGERDUTY),
    json({ routing_key: 'samplekeyhere', dedup_key: 'srv01/HTTP', event_action: 'resolve' }),
  ],
  cloudevents: [
    json(CLOUD_EVENT, { 'content-type': 'application/cloudevents+json; charset=utf-8' }),
    json([CLOUD_EVENT, ALERT_EVENT], { 'content-type': 'application/cloudevents-batch+json' }),
    json(CLOUD_EVENT.data, {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-type': 'com.example.disk.full',
      'ce-source': '/hosts/db-1',
      'ce-id': '1234-1234-1234',
    }),
  ],
  zabbix: ofVendor('zabbix'),
  datadog: ofVendor('datadog'),
  nagios: ofVendor('nagios'),
  sentry: ofVendor('sentry'),
  'uptime-kuma': ofVendor('uptime-kuma'),
  cloudwatch: ofVendor('cloudwatch'),
  'azure-monitor': ofVendor('azure-monitor'),
  'gcp-monitoring': ofVendor('gcp-monitoring'),
  opsgenie: ofVendor('opsgenie'),
  'otlp-logs': [json(OTLP_LOGS)],
  b2mml: [json(PROCESS_JSON), json(CANCEL_JSON)],
}
