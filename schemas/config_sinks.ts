import { z } from 'zod'
import { severity } from './alert.ts'
import { httpUrl, kafka, name, positive_ms, secret } from './config_connections.ts'

const delivery = {
  name,
  min_severity: severity.default('info').describe('incidents below this severity are not delivered'),
  timeout_ms: positive_ms.default(15_000).describe('bound of one request'),
  public_targets_only: z.boolean().default(false).describe('refuse private and loopback addresses'),
}

export const webhookSink = z.strictObject({
  ...delivery,
  kind: z.literal('webhook').describe('an HTTP endpoint of your own'),
  url: httpUrl.describe('receives a CloudEvents body for each delivery'),
  secret: secret
    .optional()
    .describe('Standard Webhooks secret (`whsec_…`) that signs each request: {env: NAME} or {file: PATH}'),
})

export const requestTrackerSink = z.strictObject({
  ...delivery,
  kind: z.literal('request-tracker').describe('Request Tracker 5 or newer (REST 2)'),
  url: httpUrl.describe('base address of Request Tracker'),
  queue: z.string().min(1).default('General').describe('queue of new tickets'),
  username: z.string().optional().describe('user for basic authentication; leave out to use `token`'),
  password: secret.optional().describe('its password: {env: NAME} or {file: PATH}'),
  token: secret.optional().describe('authentication token of Request Tracker: {env: NAME} or {file: PATH}'),
})

export const kafkaSink = z.strictObject({
  name,
  min_severity: delivery.min_severity,
  timeout_ms: delivery.timeout_ms,
  kind: z
    .literal('kafka')
    .describe('a topic of a MES or of whoever listens: work alerts in the JSON of B2MML'),
  topic: z
    .string()
    .min(1)
    .max(249)
    .describe('topic that takes a message for each delivery, under the key of the incident'),
  cluster: kafka.optional().describe('its brokers, when they are not those of `kafka`'),
})

export const SINK_EXAMPLES = [
  {
    name: 'chat',
    kind: 'webhook',
    url: 'https://hooks.example.org/tocsin',
    secret: { env: 'TOCSIN_WEBHOOK_SECRET' },
    min_severity: 'high',
    timeout_ms: 15_000,
    public_targets_only: true,
  },
  {
    name: 'tickets',
    kind: 'request-tracker',
    url: 'https://rt.example.org',
    queue: 'General',
    token: { file: '/etc/tocsin/rt-token' },
  },
  {
    name: 'mes',
    kind: 'kafka',
    topic: 'mes.work-alerts',
    cluster: { brokers: ['plant-kafka:9092'] },
  },
]
