import { z } from 'zod'
import { SEVERITIES, severity } from './alert.ts'
import { LIMITS } from './limits.ts'
import { DEFAULT_RULES, groupingRule } from './rules.ts'

const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected a short name of lower-case letters, digits, - and _')
const duration_ms = z.number().int().min(0).max(90 * 86_400_000)
const positive_ms = duration_ms.min(1)

/** A secret is never written into the configuration: name the environment variable or the file that holds it. */
export const secret = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
export type SecretRef = z.infer<typeof secret>

const kafka = z.strictObject({
  brokers: z.array(z.string().min(1)).min(1).describe('host:port of some brokers'),
  tls: z.boolean().default(false).describe('speak TLS, verified against the system’s authorities'),
  sasl: z
    .strictObject({ mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']), username: z.string(), password: secret })
    .optional()
    .describe('login of the brokers'),
})

const kafkaSource = z.strictObject({
  name,
  kind: z.literal('kafka'),
  topics: z.array(z.string().min(1)).min(1).max(100).describe('topics to read'),
  format: z.enum(['alertmanager']).default('alertmanager').describe('shape of the message values: one alert or an array of alerts as in POST /api/v2/alerts'),
  cluster: kafka.optional().describe('the brokers, when they are not those of `kafka`'),
})

const delivery = {
  name,
  min_severity: severity.default('info').describe('incidents below this severity are not delivered'),
  timeout_ms: positive_ms.default(15_000).describe('bound of one request'),
  public_targets_only: z.boolean().default(false).describe('refuse private and loopback addresses'),
}

const webhookSink = z.strictObject({
  ...delivery,
  kind: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/ }).describe('receives a CloudEvents body for each delivery'),
  secret: secret.optional().describe('Standard Webhooks secret (`whsec_…`) that signs each request'),
})

const requestTrackerSink = z.strictObject({
  ...delivery,
  kind: z.literal('request-tracker'),
  url: z.url({ protocol: /^https?$/ }).describe('base address of Request Tracker, e.g. https://rt.example.org'),
  queue: z.string().min(1).default('General').describe('queue of new tickets'),
  username: z.string().optional().describe('user for basic authentication; leave out to use `token`'),
  password: secret.optional(),
  token: secret.optional().describe('authentication token of Request Tracker'),
})

export const ROLES = ['ingest', 'viewer', 'responder', 'admin'] as const

/** The configuration file (YAML). Every key has a default but those of sources, sinks and tokens. */
export const config = z.strictObject({
  mode: z.enum(['embedded', 'distributed']).default('embedded').describe('embedded: one process over files in data_dir; distributed: Kafka, Redis and ClickHouse'),
  listen: z.string().regex(/^(.+):(\d{1,5})$/, 'expected address:port').default('127.0.0.1:7600').describe('address of HTTP; other than loopback needs api.tokens (TOCSIN_LISTEN overrides)'),
  data_dir: z.string().min(1).default('./data').describe('files of the embedded mode (TOCSIN_DATA_DIR overrides)'),
  public_url: z.url().optional().describe('address that links in tickets point at; default http://<listen>'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  partitions: z.number().int().min(1).max(1024).optional().describe('partitions of the internal topics, fixed when they are made; default 4 embedded, 64 distributed'),
  parts: z.array(z.enum(['api', 'ingest', 'correlate', 'deliver', 'record'])).min(1).default(['api', 'ingest', 'correlate', 'deliver', 'record']).describe('what this process does'),
  scope: z
    .strictObject({
      labels: z.array(z.string().min(1)).max(8).default(['tenant', 'site', 'cluster']).describe('labels whose values name the scope'),
    })
    .prefault({}),
  severity: z
    .strictObject({
      labels: z.array(z.string().min(1)).max(8).default(['severity', 'priority', 'level']).describe('the first of these labels that is present is mapped'),
      map: z.record(z.string(), z.enum(SEVERITIES)).default({}).describe('own words → critical, high, medium, low, info; added to the built-in map'),
      default: severity.default('medium').describe('when no label says'),
    })
    .prefault({}),
  entity: z
    .strictObject({
      labels: z.array(z.string().min(1)).max(32).default(['entity', 'pod', 'machine', 'instance', 'host', 'node', 'service', 'job']).describe('the first of these labels that is present names what the alert is about'),
    })
    .prefault({}),
  rules: z
    .strictObject({
      grouping: z
        .array(groupingRule.extend({ match: z.array(z.string()).max(LIMITS.matchers_per_silence).default([]), idle_timeout_ms: duration_ms.default(300_000), members_max: groupingRule.shape.members_max.default(1_000) }).strict())
        .min(1)
        .max(LIMITS.grouping_rules)
        .default(() => DEFAULT_RULES.grouping.map((rule) => ({ ...rule, match: [] })))
        .describe('matchers such as `severity=~"critical|page"`; the first rule that matches decides; alerts of one scope that agree in group_by belong together'),
      resolve_timeout_ms: duration_ms.default(DEFAULT_RULES.resolve_timeout_ms).describe('an alert without an end resolves when it was not repeated for this long'),
      reopen_within_ms: duration_ms.default(DEFAULT_RULES.reopen_within_ms).describe('an alert that fires again this soon after its incident resolved reopens it'),
      growth_interval_ms: duration_ms.default(DEFAULT_RULES.growth_interval_ms).describe('growth of one incident is told at most this often'),
      retain_resolved_ms: duration_ms.default(DEFAULT_RULES.retain_resolved_ms).describe('a resolved incident leaves the live view after this long'),
    })
    .prefault({}),
  sources: z.array(kafkaSource).max(100).default([]).describe('topics to read alerts from; HTTP sources need no entry'),
  sinks: z.array(z.discriminatedUnion('kind', [webhookSink, requestTrackerSink])).max(50).default([]).describe('where incidents are delivered'),
  api: z
    .strictObject({
      tokens: z
        .array(z.strictObject({ name, role: z.enum(ROLES), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
        .max(1_000)
        .default([])
        .describe('bearer tokens, stored hashed: `tocsin token` makes one; without any, everybody on this machine may do everything'),
    })
    .prefault({}),
  history: z.strictObject({ enabled: z.boolean().default(true).describe('write everything to ClickHouse'), flush_interval_ms: positive_ms.default(1_000) }).prefault({}),
  kafka: kafka.extend({ topic_prefix: z.string().default('tocsin.'), replication_factor: z.number().int().min(1).max(7).default(1), retention_ms: positive_ms.default(7 * 86_400_000) }).optional().describe('the log of the distributed mode'),
  redis: z.strictObject({ url: z.string().min(1).describe('redis://host:port/db'), password: secret.optional(), cluster: z.boolean().default(false), key_prefix: z.string().default('tocsin:') }).optional().describe('the state store of the distributed mode'),
  clickhouse: z.strictObject({ url: z.url(), username: z.string().default('default'), password: secret.optional(), database: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/).default('tocsin') }).optional().describe('the history of the distributed mode'),
  telemetry: z.strictObject({ otlp_traces_url: z.url().optional().describe('OTLP/HTTP endpoint of traces, e.g. http://127.0.0.1:4318/v1/traces') }).prefault({}),
})
export type Config = z.infer<typeof config>
export type SinkConfig = Config['sinks'][number]
export type KafkaSourceConfig = Config['sources'][number]
