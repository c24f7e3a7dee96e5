import { z } from 'zod'
import { SEVERITIES, severity } from './alert.ts'
import {
  builtInSource,
  clickhouse,
  duration_ms,
  historyRetention,
  httpUrl,
  httpSource,
  kafkaSource,
  mqttSource,
  name,
  ownKafka,
  positive_ms,
  rateLimit,
  redis,
  requestTrackerSink,
  webhookSink,
} from './config_connections.ts'
import { configuredRule, GROUPING_EXAMPLES, ruleTest, TEST_EXAMPLES } from './config_grouping.ts'
import { HEARTBEAT_EXAMPLES, heartbeatEntry } from './config_heartbeats.ts'
import { contradictions } from './config_contradictions.ts'
import {
  flappingKeys,
  holdKeys,
  MAINTENANCE_EXAMPLES,
  maintenanceEntry,
  SUPPRESSION_EXAMPLES,
  suppressionEntry,
} from './config_rules.ts'
import { BUILT_IN_EXAMPLES, SOURCE_EXAMPLES } from './config_source_examples.ts'
import { tables } from './config_tables.ts'
import { LIMITS } from './limits.ts'
import { BUILT_IN_SOURCES } from './source_formats.ts'
import { DEFAULT_EVIDENCE, DEFAULT_RULES, evidenceRules } from './rules.ts'

export type { SecretRef } from './config_connections.ts'

export const ROLES = ['ingest', 'viewer', 'responder', 'admin'] as const

function weight(standard: number, what: string) {
  return z.number().min(0).max(1).default(standard).describe(`what ${what} is worth`)
}

const keys = z.strictObject({
  mode: z
    .enum(['embedded', 'distributed'])
    .default('embedded')
    .describe('embedded: one process over files in data_dir; distributed: Kafka, Redis and ClickHouse'),
  listen: z
    .string()
    .regex(/^(.+):(\d{1,5})$/, 'expected address:port')
    .default('127.0.0.1:7600')
    .describe('address of HTTP; other than loopback needs api.tokens (TOCSIN_LISTEN overrides)'),
  data_dir: z
    .string()
    .min(1)
    .default('./data')
    .describe('files of the embedded mode (TOCSIN_DATA_DIR overrides)'),
  public_url: httpUrl
    .optional()
    .describe('address that links in tickets point at; default http://<listen>')
    .meta({ examples: ['https://tocsin.example.org'] }),
  log_level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('log lines below this level are left out'),
  partitions: z
    .number()
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe(
      'partitions of the internal topics, fixed when they are made; default 4 embedded, 64 distributed',
    )
    .meta({ examples: [64] }),
  parts: z
    .array(z.enum(['api', 'ingest', 'correlate', 'deliver', 'record']))
    .min(1)
    .default(['api', 'ingest', 'correlate', 'deliver', 'record'])
    .describe('what this process does'),
  scope: z
    .strictObject({
      labels: z
        .array(z.string().min(1))
        .max(8)
        .default(['tenant', 'site', 'cluster'])
        .describe('labels whose values name the scope'),
    })
    .prefault({})
    .describe('alerts of different scopes are never grouped together'),
  severity: z
    .strictObject({
      labels: z
        .array(z.string().min(1))
        .max(8)
        .default(['severity', 'priority', 'level'])
        .describe('the first of these labels that is present is mapped'),
      map: z
        .record(z.string(), z.enum(SEVERITIES))
        .default({})
        .describe('own words → critical, high, medium, low, info; added to the built-in map')
        .meta({ examples: [{ disaster: 'critical' }] }),
      default: severity.default('medium').describe('when no label says'),
    })
    .prefault({})
    .describe('how urgent an alert is'),
  entity: z
    .strictObject({
      labels: z
        .array(z.string().min(1))
        .max(32)
        .default(['entity', 'pod', 'machine', 'instance', 'host', 'node', 'service', 'job'])
        .describe('the first of these labels that is present names what the alert is about'),
    })
    .prefault({})
    .describe('what an alert is about'),
  rules: z
    .strictObject({
      grouping: z
        .array(configuredRule)
        .max(LIMITS.grouping_rules)
        .default([])
        .describe(
          'alerts of one scope that belong together; the first rule that matches decides, and evidence where none does',
        )
        .meta({ examples: [GROUPING_EXAMPLES] }),
      evidence: z
        .strictObject({
          join_at: evidenceRules.shape.join_at
            .default(DEFAULT_EVIDENCE.join_at)
            .describe('evidence from 0 to 1 with which an alert joins an incident'),
          quiet_ms: duration_ms
            .default(DEFAULT_EVIDENCE.quiet_ms)
            .describe(
              'an incident of a quiet scope takes alerts for this long after its last one, of a busy scope for less',
            ),
          same_entity_ms: duration_ms
            .default(DEFAULT_EVIDENCE.same_entity_ms)
            .describe(
              'an incident takes alerts about entities that it has alerts about for at least this long',
            ),
          weights: z
            .strictObject({
              entity: weight(DEFAULT_EVIDENCE.weights.entity, 'being about the same entity'),
              related: weight(
                DEFAULT_EVIDENCE.weights.related,
                'sharing the value of a label, or being near in the topology',
              ),
              kind: weight(DEFAULT_EVIDENCE.weights.kind, 'having the same alertname'),
              time: weight(
                DEFAULT_EVIDENCE.weights.time,
                'coming while the incident brings many more alerts than usual',
              ),
            })
            .prefault({})
            .describe('what each kind of evidence is worth alone, from 0 (left out) to 1'),
        })
        .prefault({})
        .describe('how an alert that no grouping rule matches finds its incident'),
      learned: z
        .string()
        .min(1)
        .optional()
        .describe('file that `tocsin learn` wrote; what is accepted in it takes effect')
        .meta({ examples: ['/etc/tocsin/rules-learned.yaml'] }),
      resolve_timeout_ms: duration_ms
        .default(DEFAULT_RULES.resolve_timeout_ms)
        .describe('an alert without an end resolves when it was not repeated for this long'),
      reopen_within_ms: duration_ms
        .default(DEFAULT_RULES.reopen_within_ms)
        .describe('an alert that fires again this soon after its incident resolved reopens it'),
      growth_interval_ms: duration_ms
        .default(DEFAULT_RULES.growth_interval_ms)
        .describe('growth of one incident is told at most this often'),
      retain_resolved_ms: duration_ms
        .default(DEFAULT_RULES.retain_resolved_ms)
        .describe('a resolved incident leaves the live view after this long; its history stays'),
      maintenance: z
        .array(maintenanceEntry)
        .max(LIMITS.maintenance_windows_per_partition)
        .default([])
        .describe('planned work: alerts that match are suppressed meanwhile, shown, and come up at its end')
        .meta({ examples: [MAINTENANCE_EXAMPLES] }),
      suppression: z
        .array(suppressionEntry)
        .max(LIMITS.suppression_rules)
        .default([])
        .describe('what fires because something else does is suppressed meanwhile (inhibition)')
        .meta({ examples: [SUPPRESSION_EXAMPLES] }),
      heartbeats: z
        .array(heartbeatEntry)
        .max(LIMITS.heartbeats)
        .default([])
        .describe('what should be heard periodically: when it falls silent, an alert says so')
        .meta({ examples: [HEARTBEAT_EXAMPLES] }),
      flapping: flappingKeys,
      hold_ms: holdKeys,
      shelve_max_ms: duration_ms
        .default(DEFAULT_RULES.shelve_max_ms)
        .describe('an operator shelves alerts for at most this long at a time'),
      tests: z
        .array(ruleTest)
        .max(LIMITS.rule_tests)
        .default([])
        .describe('examples that `tocsin check` tries the rules on; they are no part of the rules in force')
        .meta({ examples: [TEST_EXAMPLES] }),
    })
    .prefault({})
    .describe('how alerts become incidents'),
  topology: z
    .array(
      z.strictObject({
        name: name.describe('tells this file from others; unique'),
        file: z
          .string()
          .min(1)
          .describe('JSON: {"edges": [{"from", "to", "kind"}]}, Kubernetes objects, or a service graph'),
        scope: z
          .string()
          .max(LIMITS.scope_chars)
          .default('')
          .describe('the scope that it holds in; empty: all'),
      }),
    )
    .max(100)
    .default([])
    .describe('files that say what depends on what; alerts of near entities belong together')
    .meta({ examples: [[{ name: 'shop', file: 'topology.json', scope: '' }]] }),
  tables,
  sources: z
    .array(z.discriminatedUnion('kind', [kafkaSource, httpSource, mqttSource]))
    .max(100)
    .default([])
    .describe('where alerts come from beside /api/v2/alerts, which needs no entry')
    .meta({ examples: [SOURCE_EXAMPLES] }),
  built_in_sources: z
    .array(builtInSource)
    .max(BUILT_IN_SOURCES.length)
    .default([])
    .describe(
      'what is done to alerts that come to /api/v2/alerts, /v2/enqueue, /api/v1/events, /v2/alerts and /v1/logs',
    )
    .meta({ examples: [BUILT_IN_EXAMPLES] }),
  sinks: z
    .array(z.discriminatedUnion('kind', [webhookSink, requestTrackerSink]))
    .max(50)
    .default([])
    .describe('where incidents are delivered')
    .meta({
      examples: [
        [
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
        ],
      ],
    }),
  api: z
    .strictObject({
      tokens: z
        .array(
          z.strictObject({
            name: name.describe('who uses it; the actor of its commands'),
            role: z
              .enum(ROLES)
              .describe('ingest sends alerts, viewer reads, responder commands, admin everything'),
            sha256: z
              .string()
              .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits, as `tocsin token` prints them')
              .describe('hash of the token'),
            rate_limit: rateLimit
              .optional()
              .describe('requests with alerts that it may send; more are answered 429'),
          }),
        )
        .max(1_000)
        .default([])
        .describe(
          'bearer tokens, stored hashed: `tocsin token` makes one; without any, everybody on this machine may do everything',
        )
        .meta({
          examples: [
            [
              { name: 'operators', role: 'responder', sha256: '0'.repeat(64) },
              {
                name: 'shop',
                role: 'ingest',
                sha256: '1'.repeat(64),
                rate_limit: { requests_per_s: 50, burst: 100 },
              },
            ],
          ],
        }),
    })
    .prefault({})
    .describe('who may do what over HTTP'),
  history: z
    .strictObject({
      enabled: z.boolean().default(true).describe('write everything to ClickHouse'),
      flush_interval_ms: positive_ms
        .default(1_000)
        .describe('rows wait at most this long to be written together'),
      keep_days: historyRetention.prefault({}).describe('how long each table keeps its rows'),
    })
    .prefault({})
    .describe('what analysis reads'),
  kafka: ownKafka.optional().describe('the log of the distributed mode'),
  redis: redis
    .optional()
    .describe('the state store of the distributed mode: appendonly on, maxmemory-policy noeviction'),
  clickhouse: clickhouse.optional().describe('the history of the distributed mode'),
  telemetry: z
    .strictObject({
      otlp_traces_url: httpUrl
        .optional()
        .describe('OTLP/HTTP endpoint that takes traces; without it none are made')
        .meta({ examples: ['http://127.0.0.1:4318/v1/traces'] }),
    })
    .prefault({})
    .describe('what Tocsin tells of itself beyond /metrics'),
})

/** The configuration file (YAML). Every key has a default but those of sources, sinks and tokens. */
export const config = keys.superRefine((value, context) => {
  // What has the wrong shape is told first; contradictions in it would only confuse.
  if (context.issues.length > 0) return
  for (const { path, message } of contradictions(value))
    context.addIssue({ code: 'custom', path: [...path], message })
})
export type Config = z.infer<typeof config>
export type SinkConfig = Config['sinks'][number]
export type SourceConfig = Config['sources'][number]
export type KafkaSourceConfig = Extract<SourceConfig, { kind: 'kafka' }>
export type MqttSourceConfig = Extract<SourceConfig, { kind: 'mqtt' }>
export type HttpSourceConfig = Extract<SourceConfig, { kind: 'http' }>
