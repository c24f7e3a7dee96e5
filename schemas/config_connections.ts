import { z } from 'zod'
import { severity } from './alert.ts'
import { LIMITS } from './limits.ts'
import { mapping } from './mapping.ts'
import { csvColumns, readingsMapping } from './readings_mapping.ts'
import { relabel, severityMap } from './relabel.ts'
import {
  BUILT_IN_SOURCES,
  EXPIRE_AFTER_MS,
  MAPPED_FORMAT,
  SAMPLE_FORMATS,
  SOURCE_FORMATS,
  TIME_UNITS,
} from './source_formats.ts'

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected a short name of lower-case letters, digits, - and _')
  .describe('short name of this entry, unique in its list: lower-case letters, digits, - and _')
export const duration_ms = z
  .number()
  .int()
  .min(0)
  .max(90 * 86_400_000)
export const positive_ms = duration_ms.min(1)
export const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'expected an address that begins with http:// or https://',
})

/** A secret is never written into the configuration: name the environment variable or the file that holds it. */
export const secret = z.union(
  [
    z.strictObject({
      env: z.string().min(1).describe('name of the environment variable that holds the secret'),
    }),
    z.strictObject({ file: z.string().min(1).describe('path of the file that holds the secret') }),
  ],
  'expected where the secret is: {env: NAME_OF_A_VARIABLE} or {file: /path/of/a/file}',
)
export type SecretRef = z.infer<typeof secret>

const kafka = z.strictObject({
  brokers: z
    .array(z.string().regex(/^.+:\d{1,5}$/, 'expected host:port'))
    .min(1)
    .describe('host:port of some brokers; the rest is learnt from them')
    .meta({ examples: [['kafka:9092']] }),
  tls: z.boolean().default(false).describe('speak TLS, verified against the system’s authorities'),
  sasl: z
    .strictObject({
      mechanism: z
        .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
        .describe('how the brokers check the login'),
      username: z.string().describe('user of the brokers'),
      password: secret.describe('its password: {env: NAME} or {file: PATH}'),
    })
    .optional()
    .describe('login of the brokers')
    .meta({
      examples: [
        { mechanism: 'scram-sha-512', username: 'tocsin', password: { env: 'TOCSIN_KAFKA_PASSWORD' } },
      ],
    }),
})

/** What is done to alerts once they are read. */
const said = {
  labels: z
    .record(z.string().min(1).max(LIMITS.label_name_chars), z.string().min(1).max(LIMITS.label_value_chars))
    .default({})
    .describe(
      'labels that every alert of this source is given, whatever the sender says; they may name its scope',
    )
    .meta({ examples: [{ site: 'hamburg' }] }),
  relabel: relabel
    .optional()
    .describe('what is done to every alert once it is read: look-ups, other labels, what is left out'),
  severity_map: severityMap,
}

const source = {
  name,
  format: z
    .enum([...SOURCE_FORMATS, MAPPED_FORMAT, ...SAMPLE_FORMATS])
    .default('alertmanager')
    .describe('shape of the messages: docs/sources/ has a page for each'),
  ...said,
  expire_after_ms: positive_ms
    .default(EXPIRE_AFTER_MS)
    .describe('an alert whose end is told by a message of its own ends after this long if none comes'),
}

const readings = {
  time_unit: z
    .enum(TIME_UNITS)
    .optional()
    .describe('readings: unit of times that are numbers; left out, it is known by their size')
    .meta({ examples: ['ms'] }),
  readings: readingsMapping
    .optional()
    .describe('with `format: samples-json`: how the messages become readings, in expressions of CEL'),
  csv: csvColumns.optional().describe('with `format: samples-csv`: what the columns tell'),
  equipment: z
    .record(z.string().max(LIMITS.label_value_chars), z.string().max(LIMITS.label_value_chars))
    .default({})
    .describe(
      'readings: beginnings of the places that the sender tells → what stands in their stead, the longest that fits; an empty one goes before all',
    )
    .meta({ examples: [{ 'plant/edge-7': 'acme/hamburg/bottling/line-3' }] }),
}

const mapped = {
  mapping: mapping
    .optional()
    .describe('with `format: json`: how the messages become alerts, in expressions of CEL'),
}

export const kafkaSource = z.strictObject({
  ...source,
  kind: z.literal('kafka').describe('alerts come from topics'),
  topics: z.array(z.string().min(1)).max(100).default([]).describe('topics to read'),
  topic_pattern: z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .describe(
      'topics whose whole names match this regular expression (RE2) are read too, also those that are made later',
    )
    .meta({ examples: ['plant\\.[a-z]+\\.alerts'] }),
  cluster: kafka.optional().describe('the brokers, when they are not those of `kafka`'),
  ...mapped,
  ...readings,
})

const address = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'expected an address, or a range such as 10.0.0.0/8 or 2001:db8::/32',
)

export const rateLimit = z.strictObject({
  requests_per_s: z.number().positive().max(1_000_000).describe('in the long run; may be a fraction'),
  burst: z.number().int().min(1).max(1_000_000).default(100).describe('at once, after a quiet time'),
})

/** Who may send, and how often. */
const bounded = {
  allow_from: z
    .array(address)
    .min(1)
    .max(1_000)
    .optional()
    .describe('addresses and ranges that may send, of the connection itself; without it all may')
    .meta({ examples: [['10.0.0.0/8', '2001:db8::/32']] }),
  rate_limit: rateLimit
    .optional()
    .describe(
      'requests of each token, or of all senders together where none is needed; more are answered 429',
    )
    .meta({ examples: [{ requests_per_s: 50, burst: 100 }] }),
}

export const mqttSource = z.strictObject({
  ...source,
  kind: z.literal('mqtt').describe('messages come from an MQTT broker'),
  url: z
    .url({ protocol: /^(?:mqtts?|wss?)$/, error: 'expected an address such as mqtt://broker:1883' })
    .describe('mqtt://host:port, mqtts:// for TLS, ws:// or wss:// for WebSockets')
    .meta({ examples: ['mqtt://broker:1883'] }),
  topics: z
    .array(z.string().min(1).max(1_024))
    .min(1)
    .max(100)
    .describe(
      'topics to read, with the wildcards + and #; `$share/GROUP/TOPIC` shares them with other readers',
    ),
  client_id: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('names the session at the broker; default tocsin-<name>')
    .meta({ examples: ['tocsin-plant'] }),
  version: z.enum(['3.1.1', '5']).default('5').describe('version of MQTT'),
  session_expiry_ms: positive_ms
    .default(7 * 86_400_000)
    .describe('how long the broker keeps messages for us while we are away (MQTT 5)'),
  in_flight_max: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(2_000)
    .describe('messages taken from the broker and not durable yet; beyond it nothing is read'),
  username: z
    .string()
    .optional()
    .describe('user of the broker')
    .meta({ examples: ['tocsin'] }),
  password: secret
    .optional()
    .describe('its password: {env: NAME} or {file: PATH}')
    .meta({ examples: [{ env: 'TOCSIN_MQTT_PASSWORD' }] }),
  tls: z
    .strictObject({
      ca: secret
        .optional()
        .describe('authorities that sign the broker’s certificate (PEM), if not the system’s'),
      cert: secret.optional().describe('our own certificate (PEM), where the broker asks for one'),
      key: secret.optional().describe('its key (PEM)'),
    })
    .optional()
    .describe('certificates of a connection by mqtts:// or wss://')
    .meta({ examples: [{ ca: { file: '/etc/tocsin/broker-ca.pem' } }] }),
  ...mapped,
  ...readings,
})

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header')

export const httpSource = z.strictObject({
  ...source,
  kind: z.literal('http').describe('alerts are posted to /api/v1/sources/<name>'),
  ...bounded,
  max_body_bytes: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.http_body_bytes)
    .default(LIMITS.http_body_bytes)
    .describe('a larger body is refused before it is read'),
  verify: z
    .strictObject({
      scheme: z
        .enum(['hmac-sha256', 'token', 'sns'])
        .describe(
          'hmac-sha256: a header signs the body; token: a header or the query carries the secret; sns: Amazon SNS signs',
        ),
      secret: secret.optional().describe('shared with the sender: {env: NAME} or {file: PATH}'),
      topics: z
        .array(z.string().min(1))
        .max(100)
        .optional()
        .describe('ARNs of the topics that Amazon SNS may send')
        .meta({ examples: [['arn:aws:sns:eu-central-1:123456789012:alarms']] }),
      header: headerName.optional().describe('header that carries the signature or the token'),
      query: z.string().min(1).optional().describe('parameter of the address that carries the token'),
      prefix: z
        .string()
        .default('')
        .describe('what stands in the header before it, such as `sha256=` or `Bearer `'),
      encoding: z.enum(['hex', 'base64']).default('hex').describe('how the signature is written'),
    })
    .optional()
    .describe(
      'how a request proves that it comes from this source; without it senders need a token of role ingest',
    ),
  ...mapped,
  ...readings,
})

/** What is said of the sources that need no entry. */
export const builtInSource = z.strictObject({
  name: z.enum(BUILT_IN_SOURCES).describe('which of the built-in ones'),
  ...said,
  ...bounded,
})

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

/** The brokers of the internal topics. */
export const ownKafka = kafka.extend({
  topic_prefix: z
    .string()
    .default('tocsin.')
    .describe('internal topics are named <prefix>alerts, <prefix>incidents and so on'),
  replication_factor: z
    .number()
    .int()
    .min(1)
    .max(7)
    .default(1)
    .describe('copies of the internal topics, fixed when they are made'),
  retention_ms: positive_ms
    .default(7 * 86_400_000)
    .describe('how long the internal topics keep their records'),
  samples_retention_ms: positive_ms
    .default(6 * 3_600_000)
    .describe('how long readings are kept, which are many: longer than detectors are ever away'),
  samples_retention_bytes: z
    .number()
    .int()
    .min(1_048_576)
    .default(1_073_741_824)
    .describe('readings of one partition are kept up to this many bytes'),
})

export const redis = z.strictObject({
  url: z
    .url({ protocol: /^rediss?$/, error: 'expected an address such as redis://host:6379/0' })
    .describe('redis://host:port/db, or rediss:// for TLS')
    .meta({ examples: ['redis://redis:6379/0'] }),
  password: secret
    .optional()
    .describe('its password: {env: NAME} or {file: PATH}')
    .meta({ examples: [{ env: 'TOCSIN_REDIS_PASSWORD' }] }),
  cluster: z.boolean().default(false).describe('the address is a node of a Redis Cluster'),
  key_prefix: z.string().default('tocsin:').describe('every key begins with it'),
})

export const clickhouse = z.strictObject({
  url: httpUrl.describe('HTTP interface of ClickHouse').meta({ examples: ['http://clickhouse:8123'] }),
  username: z.string().default('default').describe('user that may make and write the tables'),
  password: secret
    .optional()
    .describe('its password: {env: NAME} or {file: PATH}')
    .meta({ examples: [{ env: 'TOCSIN_CLICKHOUSE_PASSWORD' }] }),
  database: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected lower-case letters, digits and _')
    .default('tocsin')
    .describe('database of the history'),
  cluster: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'expected the name of a cluster in remote_servers')
    .optional()
    .describe('make the tables on this cluster: replicated on its shards, with one over all of them')
    .meta({ examples: ['plant'] }),
})

const keep_days = (what: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe(`days that ${what} are kept; left out: for ever`)
    .meta({ examples: [730] })

/** How long the tables of the history keep their rows. */
export const historyRetention = z.strictObject({
  alerts: keep_days('statements about alerts'),
  alert_repeats: keep_days('counted repeats of alerts'),
  dead_letters: keep_days('messages that could not be read'),
  change_events: keep_days('deployments and other changes'),
  incident_changes: keep_days('changes of incidents'),
  memberships: keep_days('memberships of alerts'),
  incidents: keep_days('incidents'),
  clock_legs: keep_days('legs of clocks'),
})
export type HistoryRetention = z.infer<typeof historyRetention>
