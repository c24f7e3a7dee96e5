import type { HistoryAddress } from '../analytics/connection.ts'
import type { Config, KafkaSourceConfig, MqttSourceConfig } from '../schemas/config.ts'
import type { Loaded } from './config.ts'
import { Misconfigured } from './errors.ts'
import { HistoryServer } from './history_server.ts'
import type { KafkaAccess, KafkaLogSettings } from './log/kafka.ts'
import type { Logger } from './logger.ts'
import type { MqttAccess, MqttObserver } from './mqtt/connection.ts'
import { Retention } from './retention.ts'
import type { Clock, Log, Store, TopicSource } from './ports.ts'

/** Partitions of each internal topic unless the configuration says otherwise; for Kafka see log/kafka/topics.ts. */
const PARTITIONS_EMBEDDED = 4

/** The parts that a mode is made of. Nothing else knows which mode it is. Clients are loaded by the mode that needs them: that halves the start. */
export interface World {
  /** For the ready line and the doctor. */
  readonly description: string
  readonly log: Log
  readonly store: Store
  /** Null: history is off. Resolves when ClickHouse is known to run. */
  readonly history: Promise<HistoryAddress> | null
  readonly topicSource: (
    source: KafkaSourceConfig | MqttSourceConfig,
    observer: MqttObserver,
  ) => Promise<TopicSource>
  close(): Promise<void>
}

export interface WireParts {
  readonly loaded: Loaded
  readonly clock: Clock
  readonly logger: Logger
}

export function wire(parts: WireParts): Promise<World> {
  return parts.loaded.config.mode === 'embedded' ? embedded(parts) : distributed(parts)
}

async function embedded(parts: WireParts): Promise<World> {
  const { config } = parts.loaded
  const [{ SqliteEngine }, { SqliteLog }, { SqliteStore }] = await Promise.all([
    import('./sqlite.ts'),
    import('./log/sqlite.ts'),
    import('./store/sqlite.ts'),
  ])
  const engine = new SqliteEngine({ data_dir: config.data_dir })
  const log = await SqliteLog.open(engine, {
    clock: parts.clock,
    partitions: config.partitions ?? PARTITIONS_EMBEDDED,
  })
  const store = await SqliteStore.open(engine)
  const server =
    config.history.enabled && (await historyIsInstalled(parts.logger))
      ? new HistoryServer({ data_dir: config.data_dir, clock: parts.clock, logger: parts.logger })
      : null
  const recorded = server ? ['record'] : []
  const folds = {
    samples: [],
    alerts: ['correlate', ...recorded],
    incidents: ['deliver', ...recorded],
    deadletters: recorded,
  }
  const retention = new Retention({ log, store, clock: parts.clock, logger: parts.logger, folds })
  return {
    description: `embedded, data in ${config.data_dir}`,
    log,
    store,
    history: server && server.address,
    topicSource: (source, observer) => sourceOf(parts, log, source, observer),
    async close() {
      await retention.stop()
      await server?.stop()
      await log.close()
      await store.close()
      await engine.close()
    },
  }
}

async function historyIsInstalled(logger: Logger): Promise<boolean> {
  const { findEngine } = await import('./clickhouse_engine.ts')
  try {
    await findEngine()
    return true
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error
    logger.error({ code: error.code }, `no history: ${error.message}`)
    return false
  }
}

async function distributed(parts: WireParts): Promise<World> {
  const [{ openKafkaLog }, { RedisStore }] = await Promise.all([
    import('./log/kafka.ts'),
    import('./store/redis.ts'),
  ])
  const { config, secret } = parts.loaded
  const { kafka, redis } = config
  if (!kafka || !redis)
    throw new Misconfigured('config-invalid', 'mode: distributed needs `kafka` and `redis`')
  const log = await openKafkaLog(topicSettings(parts, kafka))
  const store = await RedisStore.open({
    url: redis.url,
    cluster: redis.cluster,
    key_prefix: redis.key_prefix,
    ...(redis.password && { password: secret(redis.password) }),
    logger: parts.logger,
    clock: parts.clock,
  })
  return {
    description: `distributed, Kafka at ${kafka.brokers.join(', ')}`,
    log,
    store,
    history:
      config.history.enabled && config.clickhouse
        ? Promise.resolve(historyOf(parts, config.clickhouse))
        : null,
    topicSource: (source, observer) => sourceOf(parts, log, source, observer),
    async close() {
      await log.close()
      await store.close()
    },
  }
}

/** How the internal topics are made, and the way to their brokers. */
export function topicSettings(parts: WireParts, kafka: NonNullable<Config['kafka']>): KafkaLogSettings {
  const { partitions } = parts.loaded.config
  const { topic_prefix, replication_factor, retention_ms, samples_retention_ms, samples_retention_bytes } =
    kafka
  return {
    ...accessOf(parts, kafka),
    topic_prefix,
    replication_factor,
    retention_ms,
    samples_retention_ms,
    samples_retention_bytes,
    ...(partitions !== undefined && { partitions }),
  }
}

type KafkaConfig = NonNullable<KafkaSourceConfig['cluster']>

function accessOf({ loaded, clock, logger }: WireParts, kafka: KafkaConfig): KafkaAccess {
  const { brokers, tls, sasl } = kafka
  return {
    brokers,
    tls,
    logger,
    clock,
    ...(sasl && {
      sasl: { mechanism: sasl.mechanism, username: sasl.username, password: loaded.secret(sasl.password) },
    }),
  }
}

async function sourceOf(
  parts: WireParts,
  log: Log,
  source: KafkaSourceConfig | MqttSourceConfig,
  observer: MqttObserver,
): Promise<TopicSource> {
  if (source.kind === 'mqtt') {
    const { MqttSource } = await import('./mqtt/source.ts')
    return new MqttSource(mqttAccess(parts, source, observer), log)
  }
  const { kafkaSource } = await import('./log/kafka.ts')
  const cluster = source.cluster ?? parts.loaded.config.kafka
  if (!cluster) throw new Misconfigured('config-invalid', `source ${source.name}: no brokers are known`)
  const { topic_pattern } = source
  const own_prefix = parts.loaded.config.kafka?.topic_prefix ?? null
  return kafkaSource(
    accessOf(parts, cluster),
    topic_pattern === undefined ? null : { pattern: topic_pattern, own_prefix },
  )
}

function mqttAccess(
  { loaded: { secret }, clock, logger }: WireParts,
  source: MqttSourceConfig,
  observer: MqttObserver,
): MqttAccess {
  const { name, url, client_id, username, password, tls, version, session_expiry_ms, in_flight_max } = source
  return {
    name,
    url,
    client_id: client_id ?? `tocsin-${name}`,
    ...(username !== undefined && { username }),
    ...(password && { password: secret(password) }),
    ...(tls && {
      tls: {
        ...(tls.ca && { ca: secret(tls.ca) }),
        ...(tls.cert && { cert: secret(tls.cert) }),
        ...(tls.key && { key: secret(tls.key) }),
      },
    }),
    version,
    session_expiry_ms,
    in_flight_max,
    clock,
    logger,
    observer,
  }
}

function historyOf({ loaded }: WireParts, clickhouse: NonNullable<Config['clickhouse']>): HistoryAddress {
  const { url, username, database, password, cluster } = clickhouse
  const secret = password ? loaded.secret(password) : ''
  return { url, username, database, password: secret, ...(cluster !== undefined && { cluster }) }
}
