/** A member of a group in a thread of its own, which a test can freeze as a stopped process is frozen. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../runtime/clock.ts'
import { openKafkaLog } from '../../runtime/log/kafka.ts'
import type { Topic } from '../../runtime/ports.ts'

export interface MemberStart {
  readonly brokers: readonly string[]
  readonly topic_prefix: string
  readonly topic: Topic
  readonly group: string
  readonly session_timeout_ms: number
}

export interface MemberEvent {
  readonly kind: 'gained' | 'lost' | 'polled'
  readonly partition: number
}

const { topic, group, ...access } = workerData as MemberStart
const silent = () => undefined
const log = await openKafkaLog({
  ...access,
  tls: false,
  replication_factor: 1,
  retention_ms: 86_400_000,
  samples_retention_ms: 3_600_000,
  samples_retention_bytes: 104_857_600,
  logger: { debug: silent, info: silent, warn: silent },
  clock: systemClock,
})
const tell = (event: MemberEvent) => parentPort?.postMessage(event, [])
await log.subscribe(topic, group, {
  gained(reader) {
    const { partition } = reader
    tell({ kind: 'gained', partition })
    void reader.poll(10, 600_000).then(() => tell({ kind: 'polled', partition }))
  },
  lost(partition) {
    tell({ kind: 'lost', partition })
    return Promise.resolve()
  },
})
parentPort?.on('message', (gate: Int32Array) => {
  Atomics.wait(gate, 0, 0)
})
