import { Lag } from '../../bench/lag.ts'
import { type AlertMessage, makeTopic, produce } from '../../bench/load/kafka.ts'
import type { DeliveryRow } from '../../notify/delivery.ts'
import { readDeliveries } from '../../notify/rows.ts'
import type { ClickHouseAddress, Controls, KafkaAddress, RedisAddress } from '../services/index.ts'
import { type Ask, askAt } from './history.ts'
import { pause, Tocsin } from './processes.ts'

export const SOURCE_PARTITIONS = 8
export const LOG_PARTITIONS = 16
/** Ends a test that would never pass; only a standstill counts, as the machine may be slow. */
const STANDSTILL_MS = 120_000
const LOOK_EVERY_MS = 300

export interface Services {
  readonly kafka: KafkaAddress & Controls
  readonly redis: RedisAddress & Controls
  readonly clickhouse: ClickHouseAddress & Controls
}

export interface DistributedOptions {
  readonly services: Services
  /** Its topics, keys, groups and database begin with it, so that several installations share the services. */
  readonly name: string
  /** Rules and sinks, as text of the configuration. */
  readonly config: string
  /** Secrets that `config` names. */
  readonly environment: Readonly<Record<string, string>>
}

/** Workers of the distributed mode with one source topic, and a way to look at how far they are. */
export class Distributed {
  readonly services: Services
  readonly lag: Lag
  readonly ask: Ask
  readonly workers: Tocsin[] = []
  private readonly options: DistributedOptions

  private constructor(options: DistributedOptions, lag: Lag) {
    this.options = options
    this.services = options.services
    this.lag = lag
    this.ask = askAt(options.services.clickhouse, options.name)
  }

  static async start(options: DistributedOptions): Promise<Distributed> {
    const { kafka, redis } = options.services
    const lag = await Lag.open(kafka.brokers, `redis://${redis.host}:${redis.port}`, options.name)
    const installation = new Distributed(options, lag)
    await makeTopic(kafka.brokers, installation.source_topic, SOURCE_PARTITIONS)
    return installation
  }

  async startWorker(): Promise<Tocsin> {
    const environment = { ...this.options.environment, CLICKHOUSE: this.services.clickhouse.password }
    const worker = await Tocsin.start({ config: this.config(), environment })
    this.workers.push(worker)
    return worker
  }

  get source_topic(): string {
    return `${this.options.name}.source`
  }

  /** What internal topics begin with. */
  get topic_prefix(): string {
    return `${this.options.name}.`
  }

  /** Returns how many alerts the broker has acknowledged. */
  produce(messages: Iterable<AlertMessage>): Promise<number> {
    return produce(this.services.kafka.brokers, this.source_topic, messages)
  }

  /** Resolves when this share of what was produced has been taken in. */
  async taken(share: number): Promise<void> {
    await this.progressing(`${share} of the messages are taken in`, async () => {
      const { lag, taken } = await this.lag.ofGroup(this.source_topic, `tocsin-ingest-${this.options.name}`)
      return { done: taken >= share * (taken + lag), at: taken }
    })
  }

  /** Resolves when nothing is left to do: messages taken, folds at the end of their logs, every delivery told. */
  async drained(): Promise<readonly DeliveryRow[]> {
    await this.taken(1)
    const alerts_topic = `${this.topic_prefix}alerts`
    return this.progressing('everything is drained', async () => {
      const alerts = await this.lag.ends(alerts_topic)
      const deliveries = await this.deliveries()
      const waiting = deliveries.filter(({ state }) => state !== 'delivered').length
      const behind = [await this.lag.ofFold('correlate', 'alerts'), await this.lag.ofFold('record', 'alerts')]
      for (const fold of ['deliver', 'record']) behind.push(await this.lag.ofFold(fold, 'incidents'))
      // A delivery appends its ticket to the alerts log before it is known to be told, so everything may begin anew.
      const told = (await this.deliveries()).every(({ state }) => state === 'delivered')
      const quiet = (await this.lag.ends(alerts_topic)).every((end, partition) => end === alerts[partition])
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

  /** Ends the workers; the services stay. */
  async remove(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.remove()))
    await this.lag.close()
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
    const { kafka, redis, clickhouse } = this.services
    const { name, config } = this.options
    return `
mode: distributed
partitions: ${LOG_PARTITIONS}
log_level: warn
${config}
sources:
  - {name: ${name}, kind: kafka, topics: [${this.source_topic}]}
kafka: {brokers: ['${kafka.brokers.join("', '")}'], topic_prefix: '${this.topic_prefix}'}
redis: {url: 'redis://${redis.host}:${redis.port}', key_prefix: '${name}:'}
clickhouse: {url: '${clickhouse.url}', username: ${clickhouse.username}, password: {env: CLICKHOUSE}, database: ${name}}
`
  }
}
