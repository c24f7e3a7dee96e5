/** A source in a thread of its own, which a test can end at once. Asks its parent to handle each batch. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../runtime/clock.ts'
import { kafkaSource } from '../../runtime/log/kafka.ts'
import type { SourceMessage } from '../../runtime/ports.ts'

export interface SourceMemberStart {
  readonly brokers: readonly string[]
  readonly topics: readonly string[]
  readonly group: string
  readonly session_timeout_ms: number
}

export interface HandleRequest {
  readonly id: number
  readonly topic: string
  readonly partition: number
  readonly messages: readonly SourceMessage[]
}

const { topics, group, ...access } = workerData as SourceMemberStart
const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent }
const source = kafkaSource({ ...access, tls: false, logger, clock: systemClock })
const waiting = new Map<number, () => void>()
let asked = 0
parentPort?.on('message', (id: number) => waiting.get(id)?.())
await source.consume(topics, group, async (topic, partition, messages) => {
  const id = asked++
  const { promise, resolve } = Promise.withResolvers<undefined>()
  waiting.set(id, () => resolve(undefined))
  parentPort?.postMessage({ id, topic, partition, messages } satisfies HandleRequest, [])
  await promise
})
