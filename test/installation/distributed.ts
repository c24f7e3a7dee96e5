import { Lag } from '../../bench/lag.ts'
import { produce, makeTopic } from '../../bench/load/kafka.ts'
import { readDeliveries } from '../../notify/rows.ts'
import type { DeliveryRow } from '../../notify/delivery.ts'
import {
  type ClickHouseAddress,
  type Controls,
  createQueue,
  type KafkaAddress,
  type RedisAddress,
  type RequestTrackerAddress,
  startClickHouse,
  startKafka,
  startRedis,
  startRequestTracker,
} from '../services/index.ts'
import { type Ask, askAt } from './history.ts'
import { FlakyReceiver } from './million_receiver.ts'
import { GROUP_BY, PARTITIONS, type StreamMessage } from './million_stream.ts'
import { pause, Tocsin } from './processes.ts'

const SOURCE_TOPIC = 'shop.alerts'
const INGEST_GROUP = 'tocsin-ingest-shop'
const LOG_PARTITIONS = 16
/** Ends a test that would never pass; only a standstill counts, as the machine may be slow. */
const STANDSTILL_MS = 120_000
const LOOK_EVERY_MS = 300

export const RULES = `
scope: {labels: [cluster, namespace]}
rules:
  resolve_timeout_ms: 3600000
  grouping:
    - {name: by-group, group_by: [${GROUP_BY.join(', ')}], idle_timeout_ms: 86400000, members_max: 100000}
`

interface Services {
  readonly kafka: KafkaAddress & Controls
  readonly redis: RedisAddress & Controls
  readonly clickhouse: ClickHouseAddress & Controls
  readonly tracker: RequestTrackerAddress & Controls
}

async function startServices(): Promise<Services> {
  const [kafka, redis, clickhouse, tracker] = await Promise.all([
    startKafka(),
    startRedis(),
    startClickHouse(),
    startRequestTracker(),
  ])
  return { kafka, redis, clickhouse, tracker }
}

/** Two workers of the distributed mode over services of their own, and a way to look at everything they leave. */
export class World {
  readonly services: Services
  readonly lag: Lag
  readonly receiver: FlakyReceiver
  readonly queue: string
  readonly ask: Ask
  readonly workers: Tocsin[] = []

  private constructor(services: Services, receiver: FlakyReceiver, queue: string, lag: Lag) {
    this.services = services
    this.lag = lag
    this.receiver = receiver
    this.queue = queue
    this.ask = askAt(services.clickhouse, 'tocsin')
  }

  static async start(): Promise<World> {
    const services = await startServices()
    const [receiver, queue] = await Promise.all([FlakyReceiver.start(), createQueue(services.tracker)])
    await makeTopic(services.kafka.brokers, SOURCE_TOPIC, PARTITIONS)
    const lag = await Lag.open(
      services.kafka.brokers,
      `redis://${services.redis.host}:${services.redis.port}`,
    )
    return new World(services, receiver, queue, lag)
  }

  async startWorker(): Promise<void> {
    const environment = {
      CLICKHOUSE: this.services.clickhouse.password,
      TRACKER: this.services.tracker.password,
    }
    this.workers.push(await Tocsin.start({ config: this.config(), environment }))
  }

  /** Returns how many alerts the broker has acknowledged. */
  produce(messages: Iterable<StreamMessage>): Promise<number> {
    return produce(this.services.kafka.brokers, SOURCE_TOPIC, messages)
  }

  /** Resolves when this share of what was produced has been taken in. */
  async taken(share: number): Promise<void> {
    await this.progressing(`${share} of the messages are taken in`, async () => {
      const { lag, taken } = await this.lag.ofGroup(SOURCE_TOPIC, INGEST_GROUP)
      return { done: taken >= share * (taken + lag), at: taken }
    })
  }

  /** Resolves when nothing is left to do: messages taken, folds at the end of their logs, every delivery told. */
  async drained(): Promise<readonly DeliveryRow[]> {
    await this.taken(1)
    return this.progressing('everything is drained', async () => {
      const alerts = await this.lag.ends('tocsin.alerts')
      const deliveries = await this.deliveries()
      const waiting = deliveries.filter(({ state }) => state !== 'delivered').length
      const behind = [await this.lag.ofFold('correlate', 'alerts'), await this.lag.ofFold('record', 'alerts')]
      for (const fold of ['deliver', 'record']) behind.push(await this.lag.ofFold(fold, 'incidents'))
      // A delivery appends its ticket to the alerts log before it is known to be told, so everything may begin anew.
      const told = (await this.deliveries()).every(({ state }) => state === 'delivered')
      const quiet = (await this.lag.ends('tocsin.alerts')).every(
        (end, partition) => end === alerts[partition],
      )
      const left = behind.reduce((sum, lag) => sum + lag, waiting)
      return {
        done: left === 0 && told && quiet,
        at: `${left} left: ${behind.join(', ')}, ${waiting} deliveries`,
        found: deliveries,
      }
    })
  }

  async deliveries(): Promise<readonly DeliveryRow[]> {
    return (await readDeliveries(this.lag.store, LOG_PARTITIONS, {}, 1_000_000)).deliveries
  }

  async remove(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.remove()))
    await this.lag.close()
    this.receiver.close()
    await Promise.all(Object.values(this.services).map((service: Controls) => service.stop()))
  }

  /** Looks until it is done; throws when nothing has moved for long. A look that fails (a broker is away) is a look in vain. */
  private async progressing<T>(
    what: string,
    look: () => Promise<{ done: boolean; at: unknown; found?: T }>,
  ): Promise<T> {
    let moved_ms = Date.now()
    let last: unknown
    for (;;) {
      const { done, at, found } = await look().catch((error: unknown) => ({
        done: false,
        at: String(error),
        found: undefined,
      }))
      if (done) return found as T
      if (at !== last) moved_ms = Date.now()
      if (Date.now() - moved_ms > STANDSTILL_MS) throw new Error(`${what}: stands still at ${String(at)}`)
      last = at
      await pause(LOOK_EVERY_MS)
    }
  }

  private config(): string {
    const { kafka, redis, clickhouse, tracker } = this.services
    return `
mode: distributed
partitions: ${LOG_PARTITIONS}
log_level: warn
${RULES}
sources:
  - {name: shop, kind: kafka, topics: [${SOURCE_TOPIC}]}
sinks:
  - {name: pager, kind: webhook, url: '${this.receiver.url}'}
  - {name: tickets, kind: request-tracker, url: '${tracker.url}', queue: ${this.queue}, username: ${tracker.username}, password: {env: TRACKER}, min_severity: critical, timeout_ms: 5000}
kafka: {brokers: ['${kafka.brokers.join("', '")}']}
redis: {url: 'redis://${redis.host}:${redis.port}'}
clickhouse: {url: '${clickhouse.url}', username: ${clickhouse.username}, password: {env: CLICKHOUSE}}
`
  }
}
