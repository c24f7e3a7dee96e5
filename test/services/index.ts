/**
 * Real services for tests. An address in the environment comes first, then Docker, then programs of this machine.
 *
 * `kafka()`, `redis()`, `clickhouse()`, `mosquitto()` and `requestTracker()` give one that all test files share: keep to names of your
 * own (`uniqueName`, `createQueue`) and leave it running. `startKafka()` and its like give one of your own that you may
 * kill and must stop. `describeWith` runs a suite with either, and skips it visibly where the service cannot be had.
 */
import { describe, inject, it } from 'vitest'
import type { ClickHouseAddress } from './clickhouse.ts'
import type { KafkaAddress } from './kafka.ts'
import type { MosquittoAddress } from './mosquitto.ts'
import type { RedisAddress } from './redis.ts'
import type { RequestTrackerAddress } from './request_tracker.ts'
import { Unavailable } from './runner.ts'
import type { Answer, ServiceName } from './setup.ts'

export { startClickHouse, type ClickHouseAddress } from './clickhouse.ts'
export { startKafka, type KafkaAddress } from './kafka.ts'
export { startMosquitto, type MosquittoAddress } from './mosquitto.ts'
export { startRedis, type RedisAddress } from './redis.ts'
export {
  call as callRequestTracker,
  createQueue,
  startRequestTracker,
  type RequestTrackerAddress,
} from './request_tracker.ts'
export { type Controls, freePort, uniqueName } from './runner.ts'

/** Throws Unavailable, as the others do. TOCSIN_TEST_KAFKA=host:port[,host:port] */
export async function kafka(): Promise<KafkaAddress> {
  const given = process.env['TOCSIN_TEST_KAFKA']
  return given === undefined ? shared<KafkaAddress>('kafka') : { brokers: given.split(',') }
}

/** TOCSIN_TEST_REDIS=host:port */
export async function redis(): Promise<RedisAddress> {
  const given = process.env['TOCSIN_TEST_REDIS']
  if (given === undefined) return shared<RedisAddress>('redis')
  const { hostname, port } = new URL(`redis://${given}`)
  return { host: hostname, port: Number(port || 6379) }
}

/** TOCSIN_TEST_CLICKHOUSE=http://user:password@host:port */
export async function clickhouse(): Promise<ClickHouseAddress> {
  const given = process.env['TOCSIN_TEST_CLICKHOUSE']
  return given === undefined ? shared<ClickHouseAddress>('clickhouse') : withCredentials(given)
}

/** TOCSIN_TEST_MQTT=mqtt://host:port */
export async function mosquitto(): Promise<MosquittoAddress> {
  const given = process.env['TOCSIN_TEST_MQTT']
  return given === undefined ? shared<MosquittoAddress>('mosquitto') : { url: given }
}

/** TOCSIN_TEST_RT=http://user:password@host:port */
export async function requestTracker(): Promise<RequestTrackerAddress> {
  const given = process.env['TOCSIN_TEST_RT']
  return given === undefined ? shared<RequestTrackerAddress>('request-tracker') : withCredentials(given)
}

/** TOCSIN_TEST_ALERTS=1000000: how many alerts go through the proof of the distributed mode; the default fits into `npm test`. */
export function alertsOfProof(): number {
  return Number(process.env['TOCSIN_TEST_ALERTS'] ?? 100_000)
}

export interface FaultSizes {
  /** Processes that are killed in a run. */
  readonly kills: number
  /** How long a part is away. */
  readonly outage_ms: number
  readonly seed: number
  /** Each fault alone, instead of all of them in one run. */
  readonly long: boolean
}

/** TOCSIN_TEST_KILLS=50, TOCSIN_TEST_OUTAGE_S=60, TOCSIN_TEST_SEED: how much goes wrong in test/faults; the defaults fit into `npm test`. */
export function faultSizes(): FaultSizes {
  const { TOCSIN_TEST_KILLS = '5', TOCSIN_TEST_OUTAGE_S = '4', TOCSIN_TEST_SEED = '20261' } = process.env
  return {
    kills: Number(TOCSIN_TEST_KILLS),
    outage_ms: Number(TOCSIN_TEST_OUTAGE_S) * 1_000,
    seed: Number(TOCSIN_TEST_SEED),
    long: Number(TOCSIN_TEST_KILLS) >= 50,
  }
}

function withCredentials(given: string) {
  const { origin, username, password } = new URL(given)
  return { url: origin, username: decodeURIComponent(username), password: decodeURIComponent(password) }
}

async function shared<Address>(name: ServiceName): Promise<Address> {
  const response = await fetch(`${inject('services_url')}/${name}`)
  const answer = (await response.json()) as Answer
  if (answer.unavailable !== undefined) throw new Unavailable(answer.unavailable)
  if (answer.failed !== undefined) throw new Error(answer.failed)
  return answer.address as Address
}

/**
 * Describes a suite that needs a service: `await describeWith(kafka, 'the Kafka log', (kafka) => { it(…) })`.
 * Where the service cannot be had the suite is skipped with the remedy in its title, and with CI=true that is an error.
 */
export async function describeWith<Service>(
  acquire: () => Promise<Service>,
  title: string,
  suite: (service: Service) => void,
): Promise<void> {
  try {
    const service = await acquire()
    describe(title, () => suite(service))
  } catch (error) {
    if (!(error instanceof Unavailable) || process.env['CI'] === 'true') throw error
    const { message } = error
    console.warn(`Skipped: ${title}. ${message}`)
    it.skip(`${title} (${message})`, () => {})
  }
}
