import { connect } from '../../bench/load/kafka.ts'
import type { KeptEntry } from '../reference/replay.ts'
import { uniqueName } from '../services/runner.ts'

/** Every entry of a topic up to these ends (next offset of each partition); those of one partition in order. */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
  ends: readonly number[],
  take: (partition: number, entry: KeptEntry) => void,
): Promise<void> {
  const left = new Map(ends.flatMap((end, partition) => (end > 0 ? [[partition, end] as const] : [])))
  const consumer = connect(brokers).consumer({
    groupId: uniqueName('reader'),
    maxBytesPerPartition: 4 * 1024 * 1024,
  })
  const done = Promise.withResolvers<void>()
  if (left.size === 0) done.resolve()
  consumer.on('consumer.crash', ({ payload }) => done.reject(payload.error))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async (payload) => {
      const { batch } = payload
      for (const { offset, timestamp, value } of batch.messages) {
        take(batch.partition, {
          position: Number(offset),
          time_ms: Number(timestamp),
          value: value ?? Buffer.alloc(0),
        })
      }
      await payload.heartbeat()
      if (Number(batch.lastOffset()) + 1 >= (left.get(batch.partition) ?? 0)) left.delete(batch.partition)
      if (left.size === 0) done.resolve()
    },
  })
  await done.promise
  await consumer.disconnect()
}
