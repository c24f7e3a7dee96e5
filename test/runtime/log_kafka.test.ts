import { Kafka, logLevel } from 'kafkajs'
import { systemClock } from '../../runtime/clock.ts'
import { type KafkaLogSettings, openKafkaLog } from '../../runtime/log/kafka.ts'
import { logContract } from '../contracts/log.ts'
import { describeWith, kafka, uniqueName } from '../services/index.ts'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }

function settings(brokers: readonly string[], changes: Partial<KafkaLogSettings> = {}): KafkaLogSettings {
  return {
    brokers,
    tls: false,
    topic_prefix: `${uniqueName('log')}.`,
    partitions: 8,
    replication_factor: 1,
    retention_ms: 86_400_000,
    session_timeout_ms: 6_000,
    logger: SILENT,
    clock: systemClock,
    ...changes,
  }
}

await describeWith(kafka, 'the Kafka log', ({ brokers }) => {
  logContract('Kafka', async () => {
    const own = settings(brokers)
    let log = await openKafkaLog(own)
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    return {
      log,
      async reopen() {
        await log.close()
        log = await openKafkaLog(own)
        return log
      },
      async trim(topic, partition, before) {
        await admin.deleteTopicRecords({
          topic: own.topic_prefix + topic,
          partitions: [{ partition, offset: String(before) }],
        })
      },
      async cleanup() {
        await log.close()
        await admin.disconnect()
      },
    }
  })
})
