import type { z } from 'zod'
import type { builtInSource, httpSource, kafkaSource, mqttSource } from './config_connections.ts'

/** Entries of `sources` in the example configuration: every key stands in one of them. */
export const SOURCE_EXAMPLES: readonly (
  | z.input<typeof kafkaSource>
  | z.input<typeof httpSource>
  | z.input<typeof mqttSource>
)[] = [
  {
    name: 'plant',
    kind: 'kafka',
    topics: ['plant.alerts'],
    topic_pattern: 'plant\\.[a-z]+\\.alerts',
    format: 'alertmanager',
    relabel: {
      labels: { site: 'topic.split(".")[0]' },
      fingerprint: 'alert.labels.alertname + "/" + alert.labels.host',
    },
    cluster: { brokers: ['plant-kafka:9092'] },
  },
  {
    name: 'line-3',
    kind: 'mqtt',
    url: 'mqtts://broker.example.org:8883',
    topics: ['spBv1.0/#'],
    format: 'sparkplug',
    labels: { site: 'hamburg' },
    tls: {
      ca: { file: '/etc/tocsin/broker-ca.pem' },
      cert: { file: '/etc/tocsin/client.pem' },
      key: { file: '/etc/tocsin/client-key.pem' },
    },
  },
  {
    name: 'shop',
    kind: 'http',
    format: 'alertmanager',
    labels: { tenant: 'shop' },
    relabel: {
      drop: 'alert.labels.severity == "none"',
      labels: { team: 'lookup("hosts", alert.labels.host).?team' },
      annotations: { runbook: '"https://wiki.example.org/" + alert.labels.alertname' },
      severity: 'alert.labels.host.startsWith("test-") ? "info" : alert.labels.severity',
      fingerprint_labels: ['alertname', 'host'],
    },
    severity_map: { '1': 'critical' },
    expire_after_ms: 86_400_000,
    verify: {
      scheme: 'hmac-sha256',
      secret: { env: 'TOCSIN_SHOP_SECRET' },
      header: 'x-signature',
      prefix: 'sha256=',
      encoding: 'hex',
    },
  },
  {
    name: 'cloud',
    kind: 'http',
    format: 'alertmanager',
    verify: { scheme: 'token', secret: { env: 'TOCSIN_CLOUD_TOKEN' }, query: 'token' },
    allow_from: ['10.0.0.0/8', '2001:db8::/32'],
    rate_limit: { requests_per_s: 50, burst: 100 },
    max_body_bytes: 1_048_576,
  },
  {
    name: 'aws',
    kind: 'http',
    format: 'cloudwatch',
    verify: { scheme: 'sns', topics: ['arn:aws:sns:eu-central-1:123456789012:alarms'] },
  },
  {
    name: 'own',
    kind: 'http',
    format: 'json',
    mapping: {
      alerts: 'body.events',
      drop: 'alert.kind == "heartbeat"',
      labels: { alertname: 'alert.check', host: 'alert.host', team: 'alert.?team' },
      annotations: { summary: 'alert.text' },
      severity: 'alert.prio',
      starts_at: 'alert.since',
      ends_at: 'alert.?until',
      resolved: 'alert.state == "ok"',
      link: 'alert.?url',
      fingerprint_labels: ['alertname', 'host'],
    },
  },
  {
    name: 'presses',
    kind: 'http',
    format: 'samples-json',
    readings: {
      items: 'body.readings',
      drop: 'sample.sensor == "none"',
      labels: { machine: 'sample.machine' },
      metric: 'sample.sensor',
      value: 'sample.value',
      at: 'sample.time',
      quality: 'sample.?quality',
    },
  },
  {
    name: 'ovens',
    kind: 'http',
    format: 'samples-json',
    readings: { values: { temperature: 'sample.t', pressure: 'sample.p' } },
  },
  {
    name: 'shifts',
    kind: 'http',
    format: 'samples-csv',
    csv: {
      separator: ';',
      columns: ['time', 'machine', 'sensor', 'value'],
      time: 'time',
      labels: ['machine'],
      metric: 'sensor',
      value: 'value',
    },
  },
]

export const BUILT_IN_EXAMPLES: readonly z.input<typeof builtInSource>[] = [
  {
    name: 'alertmanager',
    labels: { site: 'hamburg' },
    relabel: { labels: { team: 'lookup("hosts", alert.labels.instance).?team' } },
    severity_map: { page: 'critical' },
    allow_from: ['10.0.0.0/8'],
    rate_limit: { requests_per_s: 50, burst: 100 },
  },
]
