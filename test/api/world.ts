import { hash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { maySendAlerts, type Token } from '../../api/auth.ts'
import { FEED_BOUNDS, type FeedBounds } from '../../api/changes_feed.ts'
import { LiveView } from '../../api/live_view.ts'
import type { ApiParts } from '../../api/parts.ts'
import { buildServer } from '../../api/server.ts'
import { Acknowledger } from '../../ingest/acknowledger.ts'
import { alertmanagerIngest } from '../../ingest/http/alertmanager.ts'
import { cloudeventsIngest } from '../../ingest/http/cloudevents.ts'
import { opsgenieIngest } from '../../ingest/http/opsgenie.ts'
import { otlpLogsIngest } from '../../ingest/http/otlp_logs.ts'
import { pagerdutyIngest } from '../../ingest/http/pagerduty.ts'
import { type HttpSource, httpSources } from '../../ingest/http/sources.ts'
import { trialRoute } from '../../ingest/http/trial.ts'
import type { SourceDecoder } from '../../ingest/source_decoder.ts'
import { triedSources } from '../../ingest/trial.ts'
import { DeadLetters } from '../../ingest/dead_letters/retry.ts'
import { Intake } from '../../ingest/intake.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Correlator } from '../../runtime/correlator.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { Worker, type WorkerObserver } from '../../runtime/worker.ts'
import type { Alert, Severity } from '../../schemas/alert.ts'
import { encodeRecord } from '../../schemas/codec.ts'
import { config } from '../../schemas/config.ts'
import { alertFingerprint, contentVersion, partitionOf } from '../../schemas/ids.ts'
import type { Incident } from '../../schemas/incident.ts'
import { DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'
import { eventually } from '../contracts/wait.ts'

export const PARTITIONS = 3

const RULES: Rules = {
  ...DEFAULT_RULES,
  version: contentVersion('rules of the API tests'),
  grouping: [
    {
      name: 'databases',
      match: [{ name: 'tier', op: '=', value: 'db' }],
      group_by: ['alertname', 'cluster'],
      idle_timeout_ms: 300_000,
      members_max: 100,
    },
    { name: 'by-alertname', match: [], group_by: ['alertname'], idle_timeout_ms: 300_000, members_max: 100 },
  ],
  resolve_timeout_ms: 300_000,
  reopen_within_ms: 600_000,
  growth_interval_ms: 0,
  retain_resolved_ms: 86_400_000,
}

export const SECRETS = {
  ingest: 'secret-of-ingest',
  viewer: 'secret-of-viewer',
  responder: 'secret-of-responder',
  admin: 'secret-of-admin',
} as const

export const TOKENS: readonly Token[] = (Object.keys(SECRETS) as (keyof typeof SECRETS)[]).map((role) => ({
  name: `the-${role}`,
  role,
  sha256: hash('sha256', SECRETS[role], 'hex'),
}))

/** The correlator as in production, over partitions that this process owns alone. */
function correlate(log: MemoryLog, store: MemoryStore, fail: (error: unknown) => void): Worker {
  const observer: WorkerObserver = {
    owned() {},
    committed() {},
    batch() {},
    retrying() {},
    fenced() {},
    fatal: (_shard, error) => fail(error),
  }
  const common = {
    rules: RULES,
    topologies: [],
    incidents_partitions: PARTITIONS,
    deadletters_partitions: PARTITIONS,
    told() {},
    sized() {},
  }
  return new Worker({
    log,
    store,
    clock: systemClock,
    observer,
    tracing: noTraces,
    topic: 'alerts',
    name: 'correlate',
    make: (partition) => new Correlator({ ...common, partition }),
  })
}

export interface World {
  readonly url: string
  readonly app: FastifyInstance
  readonly parts: ApiParts
  readonly log: MemoryLog
  readonly live: LiveView
  /** Appends an alert as ingest would, and waits until its incident shows it in `members_firing` or as ended. */
  readonly fire: (wanted: Partial<WantedAlert>) => Promise<Incident>
  readonly stopCorrelator: () => Promise<void>
  readonly close: () => Promise<void>
}

interface WantedAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly scope: string
  readonly severity: Severity
  readonly entity: string
}

function alertOf(wanted: Partial<WantedAlert>): Alert {
  const labels = wanted.labels ?? { alertname: 'DiskFull', instance: 'db-1' }
  const scope = wanted.scope ?? 'default'
  return {
    fingerprint: alertFingerprint(scope, labels),
    labels,
    annotations: wanted.annotations ?? {},
    generator_url: '',
    severity: wanted.severity ?? 'critical',
    entity: wanted.entity ?? labels['instance'] ?? '',
    scope,
    source: 'test',
    starts_at_ms: Date.now(),
    ends_at_ms: null,
    repeats: 1,
  }
}

export interface WorldOptions {
  readonly tokens?: readonly Token[]
  readonly feed_bounds?: Partial<FeedBounds>
  readonly parts?: Partial<ApiParts>
  readonly closed_max?: number
  readonly sources?: readonly HttpSource[]
  /** As dead letters are read again. */
  readonly retry_sources?: ReadonlyMap<string, SourceDecoder>
}

const READY: Pick<
  ApiParts,
  | 'listDeliveries'
  | 'sourcesStatus'
  | 'tablesStatus'
  | 'analyticsSummary'
  | 'similarIncidents'
  | 'askHistory'
  | 'importIncidents'
  | 'forgetScope'
  | 'metrics'
  | 'readiness'
  | 'observeRequest'
> = {
  listDeliveries: async () => ({ total: 0, deliveries: [] }),
  sourcesStatus: async () => [{ name: 'plant' }],
  tablesStatus: () => [],
  analyticsSummary: null,
  similarIncidents: null,
  askHistory: null,
  importIncidents: null,
  forgetScope: null,
  metrics: async () => ({ content_type: 'text/plain; version=0.0.4', text: 'tocsin_up 1\n' }),
  readiness: async () => [{ name: 'log', ok: true, detail: '' }],
  observeRequest() {},
}

/** The whole API over real HTTP, with the real correlator behind it, in memory. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const log = new MemoryLog(systemClock, PARTITIONS)
  const store = new MemoryStore()
  const faults: unknown[] = []
  const worker = correlate(log, store, (error) => faults.push(error))
  await worker.start()
  for (let p = 0; p < PARTITIONS; p++)
    await eventually(
      'rules are in force',
      async () => (await store.read(`correlate/alerts/${p}`, 'r/')).length > 0,
    )
  const live = await LiveView.start({
    log,
    store,
    clock: systemClock,
    closed_max: options.closed_max ?? 1_000,
  })
  const intake = new Intake({
    log,
    config: config.parse({}),
    observer: { accepted() {}, rejected() {} },
    tracing: noTraces,
  })
  const acknowledger = new Acknowledger({ log, store, clock: systemClock, config: config.parse({}), intake })
  const taking = { intake, clock: systemClock, acknowledger }
  const parts: ApiParts = {
    log,
    store,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    live,
    intake,
    tokens: options.tokens ?? [],
    public_url: 'https://tocsin.example.org',
    version: '1.2.3',
    started_at_ms: Date.now(),
    ...READY,
    deadLetters: new DeadLetters({
      log,
      clock: systemClock,
      intake,
      sources: options.retry_sources ?? triedSources(config.parse({})),
    }),
    ingest: [
      alertmanagerIngest({ intake, clock: systemClock, resolve_timeout_ms: RULES.resolve_timeout_ms }),
      pagerdutyIngest({
        ...taking,
        maySend: (key) => maySendAlerts(options.tokens ?? [], key),
        expire_after_ms: 3_600_000,
      }),
      opsgenieIngest(taking),
      otlpLogsIngest(taking),
      cloudeventsIngest(taking),
      httpSources(taking, options.sources ?? []),
      trialRoute(taking, triedSources(config.parse({}))),
    ],
    feed_bounds: { ...FEED_BOUNDS, ...options.feed_bounds },
    ...options.parts,
  }
  const app = buildServer(parts)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  async function fire(wanted: Partial<WantedAlert>): Promise<Incident> {
    const alert = alertOf(wanted)
    const partition = partitionOf(alert.scope, PARTITIONS)
    const value = encodeRecord({
      kind: 'alerts',
      received_at_ms: Date.now(),
      origin: null,
      places: [],
      alerts: [alert],
    })
    await log.append([{ topic: 'alerts', partition, value }])
    const has = (incident: Incident) =>
      incident.members.some(({ fingerprint }) => fingerprint === alert.fingerprint)
    return eventually('the alert is in an incident', () => [...live.all()].find(has))
  }

  async function close(): Promise<void> {
    await app.close()
    await live.close()
    await worker.stop()
    await log.close()
    if (faults.length > 0) throw faults[0] as Error
  }
  return { url, app, parts, log, live, fire, stopCorrelator: () => worker.stop(), close }
}

/** A request whose answer is read as JSON (null when it is empty). */
export async function call(
  url: string,
  path: string,
  init: RequestInit & { readonly json?: unknown } = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const { json, ...rest } = init
  const headers = new Headers(rest.headers)
  if (json !== undefined) headers.set('content-type', 'application/json')
  const response = await fetch(url + path, {
    ...rest,
    headers,
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
}
