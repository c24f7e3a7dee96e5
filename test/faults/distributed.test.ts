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

async function redisComesBackEmpty(cluster: Cluster): Promise<void> {
  const { redis } = cluster.services
  const client = new Redis({ host: redis.host, port: redis.port })
  await cluster.loseStore(async () => {
    await client.flushall()
    client.disconnect()
    await redis.kill9()
    await pause(outage_ms)
    await redis.restart()
  })
}

async function clickHouseStops({ services: { clickhouse } }: Cluster): Promise<void> {
  await clickhouse.kill9()
  await pause(outage_ms)
  await clickhouse.restart()
}

/** Members of a group that are dead are missed after 10 s: kills that are far apart find every state of that. */
const KILL_WITHIN_MS = long ? 12_000 : 5_000

const kill: Fault = (cluster) => cluster.killAtRandom(kills, KILL_WITHIN_MS)
const makeZombie: Fault = (cluster) => cluster.makeZombie()
const stopTogether: Fault = async (cluster) => {
  await Promise.all([brokerStops(cluster), redisPauses(cluster), clickHouseStops(cluster)])
}

interface Run {
  readonly title: string
  /** Each is followed by a while of ordinary work. */
  readonly faults: readonly Fault[]
}

const LONG: readonly Run[] = [
  { title: `${kills} kills of workers`, faults: [kill] },
  { title: 'the broker stopped and started', faults: [brokerStops] },
  { title: 'Redis stopped and started', faults: [redisStops] },
  { title: 'Redis standing still for longer than a session', faults: [redisPauses] },
  { title: 'Redis coming back empty', faults: [redisComesBackEmpty] },
  { title: 'ClickHouse stopped and started', faults: [clickHouseStops] },
  { title: 'a worker standing still until another has its partitions', faults: [makeZombie] },
]
const SHORT: Run = {
  title: `${kills} kills of workers; broker, ClickHouse and Redis away together; Redis coming back empty; a zombie`,
  faults: [kill, stopTogether, redisComesBackEmpty, makeZombie],
}

await describeWith(
  startServices,
  `two workers under load (seed ${seed}) lose and double nothing`,
  (services) => {
    afterAll(
      () => Promise.all(Object.values(services).map((service: Controls) => service.stop())),
      TIMEOUT_MS,
    )

    it.for(long ? LONG : [SHORT])(
      '$title',
      { timeout: TIMEOUT_MS },
      async (run, { annotate, onTestFinished }) => {
        const cluster = await Cluster.start(services, seed)
        onTestFinished(() => cluster.remove(), TIMEOUT_MS)
        const began_ms = Date.now()
        for (const fault of run.faults) {
          await cluster.worked()
          await fault(cluster)
        }
        await cluster.worked()
        const seconds = (Date.now() - began_ms) / 1_000
        const figures = await cluster.expectFaultless()
        expect(figures.incidents).toBeGreaterThan(0)
        await annotate(JSON.stringify({ seconds, ...figures, answers: cluster.sender.answers }))
      },
    )
  },
)
