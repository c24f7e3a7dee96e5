import { Redis } from 'ioredis'
import { afterAll, expect, it } from 'vitest'
import {
  type Controls,
  describeWith,
  faultSizes,
  startClickHouse,
  startKafka,
  startRedis,
} from '../services/index.ts'
import type { Services } from '../installation/distributed.ts'
import { pause } from '../installation/processes.ts'
import { Cluster } from './cluster.ts'

const { kills, outage_ms, seed, long } = faultSizes()
const TIMEOUT_MS = 3_600_000
/** Longer than the store waits for an answer, and than a member of a group may be silent: 10 s both. */
const PAUSE_MS = Math.max(outage_ms, 12_000)

async function startServices(): Promise<Services> {
  const [kafka, redis, clickhouse] = await Promise.all([startKafka(), startRedis(), startClickHouse()])
  return { kafka, redis, clickhouse }
}

type Fault = (cluster: Cluster) => Promise<void>

async function brokerStops({ services: { kafka } }: Cluster): Promise<void> {
  await kafka.kill9()
  await pause(outage_ms)
  await kafka.restart()
}

async function redisStops({ services: { redis } }: Cluster): Promise<void> {
  await redis.kill9()
  await pause(outage_ms)
  await redis.restart()
}

async function redisPauses({ services: { redis } }: Cluster): Promise<void> {
  await redis.pause()
  await pause(PAUSE_MS)
  await redis.resume()
}

async function redisComesBackEmpty({ services: { redis } }: Cluster): Promise<void> {
  const client = new Redis({ host: redis.host, port: redis.port })
  await client.flushall()
  client.disconnect()
  await redis.kill9()
  await pause(outage_ms)
  await redis.restart()
}

async function clickHouseStops({ services: { clickhouse } }: Cluster): Promise<void> {
  await clickhouse.kill9()
  await pause(outage_ms)
  await clickhouse.restart()
}

/** Each is followed by a while of ordinary work. */
const FAULTS: Readonly<Record<string, Fault>> = {
  [`${kills} kills of workers`]: (cluster) => cluster.killAtRandom(kills),
  'the broker stopped and started': brokerStops,
  'Redis stopped and started': redisStops,
  'ClickHouse stopped and started': clickHouseStops,
  'Redis standing still for longer than a session': redisPauses,
  'a worker standing still until another has its partitions': (cluster) => cluster.makeZombie(),
}
/** The long form tries each fault alone, the short one all of them one after the other. */
const RUNS: readonly (readonly [title: string, faults: readonly Fault[]])[] = long
  ? Object.entries(FAULTS).map(([title, fault]) => [title, [fault]])
  : [[Object.keys(FAULTS).join(', '), Object.values(FAULTS)]]

await describeWith(
  startServices,
  `two workers under load (seed ${seed}) lose and double nothing`,
  (services) => {
    afterAll(
      () => Promise.all(Object.values(services).map((service: Controls) => service.stop())),
      TIMEOUT_MS,
    )

    it.for(RUNS)('%s', { timeout: TIMEOUT_MS }, async ([, faults], { annotate, onTestFinished }) => {
      const cluster = await Cluster.start(services, seed)
      onTestFinished(() => cluster.remove(), TIMEOUT_MS)
      const began_ms = Date.now()
      for (const fault of faults) {
        await cluster.worked()
        await fault(cluster)
      }
      await cluster.worked()
      const seconds = (Date.now() - began_ms) / 1_000
      const figures = await cluster.expectFaultless()
      expect(figures.incidents).toBeGreaterThan(0)
      await annotate(JSON.stringify({ seconds, ...figures, answers: cluster.sender.answers }))
    })

    it('Redis coming back empty', { timeout: TIMEOUT_MS }, async ({ annotate, onTestFinished }) => {
      const cluster = await Cluster.start(services, seed)
      onTestFinished(() => cluster.remove(), TIMEOUT_MS)
      await cluster.worked()
      await redisComesBackEmpty(cluster)
      await cluster.worked()
      const figures = await cluster.expectFaultless({ store_lost: true })
      expect(figures.incidents).toBeGreaterThan(0)
      await annotate(JSON.stringify({ ...figures, answers: cluster.sender.answers }))
    })
  },
)
