import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startClickHouse } from '../test/services/clickhouse.ts'
import { startKafka } from '../test/services/kafka.ts'
import { startRedis } from '../test/services/redis.ts'
import { type Started, startTocsin } from './processes.ts'

export const SOURCE = {
  name: 'bench',
  topic: 'bench.alerts',
  group: 'tocsin-ingest-bench',
  partitions: 8,
} as const
const LOG_PARTITIONS = 16

/** Kafka, Redis and ClickHouse of a benchmark's own, each a process on this machine. */
export interface Services {
  readonly brokers: readonly string[]
  readonly redis_url: string
  /** Process id by name. */
  readonly pids: ReadonlyMap<string, number>
  /** Starts a tocsin of the distributed mode over them; `yaml` is added to its configuration. */
  startWorker(yaml?: string): Promise<Started>
  stop(): Promise<void>
}

export async function startServices(): Promise<Services> {
  const [kafka, kafka_pid] = await withPid(startKafka)
  const [redis, redis_pid] = await withPid(() => startRedis())
  const [clickhouse, clickhouse_pid] = await withPid(startClickHouse)
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const redis_url = `redis://${redis.host}:${redis.port}`
  const common = configuration(kafka.brokers, redis_url, clickhouse)
  return {
    brokers: kafka.brokers,
    redis_url,
    pids: new Map([
      ['broker', kafka_pid],
      ['redis', redis_pid],
      ['clickhouse', clickhouse_pid],
    ]),
    startWorker(yaml = '') {
      const config = join(mkdtempSync(join(folder, 'worker-')), 'tocsin.yaml')
      writeFileSync(config, common + yaml)
      const environment = { TOCSIN_LISTEN: '127.0.0.1:0', CLICKHOUSE_PASSWORD: clickhouse.password }
      return startTocsin(['--config', config], environment)
    },
    async stop() {
      await Promise.all([kafka.stop(), redis.stop(), clickhouse.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The service, and the process that appeared below this one while it started. */
async function withPid<T>(start: () => Promise<T>): Promise<[T, number]> {
  const before = children()
  const service = await start()
  const pid = children().find((child) => !before.includes(child))
  if (pid === undefined) throw new Error('a service runs in a container: its CPU time cannot be told')
  return [service, pid]
}

function children(): number[] {
  const text = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

function configuration(
  brokers: readonly string[],
  redis_url: string,
  clickhouse: { url: string; username: string },
): string {
  return `
mode: distributed
partitions: ${LOG_PARTITIONS}
log_level: error
scope: {labels: [cluster, namespace]}
rules:
  resolve_timeout_ms: 3600000
  grouping:
    - {name: by-group, group_by: [alertname, group], idle_timeout_ms: 86400000}
sources:
  - {name: ${SOURCE.name}, kind: kafka, topics: [${SOURCE.topic}]}
kafka: {brokers: ['${brokers.join("', '")}']}
redis: {url: '${redis_url}'}
clickhouse: {url: '${clickhouse.url}', username: ${clickhouse.username}, password: {env: CLICKHOUSE_PASSWORD}}
`
}
