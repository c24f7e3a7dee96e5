import { Worker } from 'node:worker_threads'
import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Misconfigured, Reject } from '../../runtime/errors.ts'
import { ensureTopics, type KafkaLogSettings, openKafkaLog } from '../../runtime/log/kafka.ts'
import type { Log, LogEntry } from '../../runtime/ports.ts'
import { logContract } from '../contracts/log.ts'
import { readFrom, subscribeAlone, texts } from '../contracts/owner.ts'
import { eventually, PATIENCE_MS } from '../contracts/wait.ts'
import { describeWith, kafka, uniqueName } from '../services/index.ts'
import type { MemberEvent, MemberStart } from './log_kafka_member.ts'
import { settings } from './log_kafka_settings.ts'

const PATIENT = { timeout: 3 * PATIENCE_MS }

const adminOf = (brokers: readonly string[]): Admin =>
  new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()

async function alter(admin: Admin, topic: string, name: string, value: string): Promise<void> {
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }
  await admin.alterConfigs({ validateOnly: false, resources: [resource] })
}

await describeWith(kafka, 'the Kafka log', ({ brokers }) => {
  logContract('Kafka', async () => {
    const own = settings(brokers)
    let log = await openKafkaLog(own)
    const admin = adminOf(brokers)
    await admin.connect()
    return {
      log,
      async reopen() {
        await log.close()
        log = await openKafkaLog(own)
        return log
      },
      async trim(topic, partition, before) {
        const name = own.topic_prefix + topic
        await admin.fetchTopicOffsets(name)
        await admin.deleteTopicRecords({ topic: name, partitions: [{ partition, offset: String(before) }] })
      },
      async cleanup() {
        await log.close()
        await admin.disconnect()
      },
    }
  })

  const admin = adminOf(brokers)
  const open: Log[] = []
  const opened = async (own: KafkaLogSettings): Promise<Log> => {
    const log = await openKafkaLog(own)
    open.push(log)
    return log
  }
  beforeAll(() => admin.connect())
  afterEach(async () => {
    for (const log of open.splice(0)) await log.close()
  })
  afterAll(() => admin.disconnect())

  describe('topics', () => {
    it('are made with the time of the log', async () => {
      const own = settings(brokers)
      const topics = await ensureTopics(own, own)
      expect(topics.alerts).toMatchObject({ name: `${own.topic_prefix}alerts`, partitions: 8 })
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topics.alerts.name }],
      })
      const entries = new Map(
        resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]),
      )
      expect(entries.get('message.timestamp.type')).toBe('LogAppendTime')
      expect(entries.get('retention.ms')).toBe('86400000')
      expect(await ensureTopics(own, own), 'again').toEqual(topics)
    })

    it('that exist keep their number of partitions, and another number is refused', async () => {
      const { partitions, ...own } = settings(brokers)
      await ensureTopics(own, { ...own, partitions: partitions ?? 8 })
      expect((await ensureTopics(own, own)).samples.partitions).toBe(8)
      const refused: unknown = await openKafkaLog({ ...own, partitions: 5 }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(Misconfigured)
      expect(refused).toMatchObject({ code: 'kafka-partitions', message: expect.stringMatching(/ 8 .* 5:/) })
    })

    it('whose time the producer says are refused with the remedy', async () => {
      const own = settings(brokers)
      const topic = `${own.topic_prefix}alerts`
      await admin.createTopics({ topics: [{ topic, numPartitions: 8 }], waitForLeaders: false })
      await expect(openKafkaLog(own)).rejects.toMatchObject({
        name: 'Misconfigured',
        code: 'kafka-timestamp-type',
        message: expect.stringContaining(
          `--topic ${topic} --add-config message.timestamp.type=LogAppendTime`,
        ),
      })
    })

    it('with more copies than brokers are refused', async () => {
      await expect(openKafkaLog(settings(brokers, { replication_factor: 3 }))).rejects.toMatchObject({
        name: 'Misconfigured',
        code: 'kafka-replication-factor',
      })
    })
  })

  describe('an entry that is too large', () => {
    const append = (log: Log, bytes: number) =>
      log.append([{ topic: 'alerts', partition: 1, value: Buffer.alloc(bytes) }])

    it('is a reject, and nothing else suffers', async () => {
      const log = await opened(settings(brokers))
      const answers = await Promise.allSettled([
        append(log, 1_000),
        append(log, 2_000_000),
        append(log, 900_000),
      ])
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(answers[1]).toMatchObject({ reason: { name: 'Reject', code: 'too-large' } })
    })

    it('is found also when the limit was lowered since', async () => {
      const own = settings(brokers)
      const log = await opened(own)
      await alter(admin, `${own.topic_prefix}alerts`, 'max.message.bytes', '50000')
      const sizes = [1_000, 40_000, 60_000, 40_000]
      const answers = await eventually('the limit holds', async () => {
        const settled = await Promise.allSettled(sizes.map((bytes) => append(log, bytes)))
        return settled[2]?.status === 'rejected' ? settled : null
      })
      expect(answers[2]).toMatchObject({ reason: { code: 'too-large' } })
      expect((answers[2] as PromiseRejectedResult).reason).toBeInstanceOf(Reject)
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    })
  })

  describe.each(['gzip', 'snappy', 'lz4', 'zstd'])('entries compressed with %s', (codec) => {
    it('are read', async () => {
      const own = settings(brokers)
      const log = await opened(own)
      // The broker compresses anew what the producer did not compress this way, with the codecs of Kafka itself.
      await alter(admin, `${own.topic_prefix}alerts`, 'compression.type', codec)
      const values = Array.from({ length: 40 }, (_, i) =>
        i % 3 === 0
          ? crypto.getRandomValues(Buffer.alloc(i * 700))
          : Buffer.from(`${i} `.repeat(i * i) + JSON.stringify({ alertname: 'Down', instance: `host-${i}` })),
      )
      const positions = await log.append(values.map((value) => ({ topic: 'alerts', partition: 3, value })))
      const { owner, subscription } = await subscribeAlone(log, 'alerts', uniqueName('codec'))
      const entries = await readFrom(owner.reader(3), positions[0] ?? -1, values.length)
      expect(entries.map(({ position }) => position)).toEqual(positions)
      for (const [i, { value }] of entries.entries())
        expect(value.equals(values[i] ?? Buffer.alloc(0))).toBe(true)
      await subscription.close()
    })
  })

  it('leaves no group behind where it was only followed', async () => {
    const log = await opened(settings(brokers))
    const groups = async () => (await admin.listGroups()).groups.map(({ groupId }) => groupId).sort()
    const before = await groups()
    const seen: LogEntry[] = []
    const tail = await log.tail('incidents', [], (_partition, entries) => void seen.push(...entries))
    await log.append([{ topic: 'incidents', partition: 2, value: Buffer.from('seen') }])
    await eventually('the entry', () => seen.length === 1)
    const during = await groups()
    await tail.close()
    expect(during.filter((group) => !before.includes(group) && !group.startsWith('source'))).toEqual([])
  })

  it('tells the broker how far a group is', async () => {
    const own = settings(brokers)
    const log = await opened(own)
    const group = uniqueName('lag')
    const { owner } = await subscribeAlone(log, 'alerts', group)
    const topic = `${own.topic_prefix}alerts`
    owner.reader(2).progressed(41)
    const offset = await eventually('the offset is there', async () => {
      const [found] = await admin.fetchOffsets({ groupId: `${group}.${topic}`, topics: [topic] })
      const told = found?.partitions.find(({ partition }) => partition === 2)?.offset
      return told === '-1' ? null : told
    })
    expect(offset).toBe('41')
  })

  it('takes the partitions of a frozen member away, which learns of it when it thaws', PATIENT, async () => {
    const own = settings(brokers)
    const log = await opened(own)
    const start: MemberStart = {
      brokers,
      topic_prefix: own.topic_prefix,
      topic: 'alerts',
      group: uniqueName('zombie'),
      session_timeout_ms: 6_000,
    }
    const worker = new Worker(new URL('log_kafka_member.ts', import.meta.url), { workerData: start })
    const events: MemberEvent[] = []
    const count = (kind: MemberEvent['kind']) => events.filter((event) => event.kind === kind).length
    worker.on('message', (event: MemberEvent) => events.push(event))
    await eventually('the other has all', () => count('gained') === 8)

    const gate = new Int32Array(new SharedArrayBuffer(4))
    worker.postMessage(gate, [])
    const { owner } = await subscribeAlone(log, 'alerts', start.group)
    expect(count('lost')).toBe(0)
    const [position = -1] = await log.append([
      { topic: 'alerts', partition: 6, value: Buffer.from('while frozen') },
    ])
    expect(texts(await readFrom(owner.reader(6), position, 1))).toEqual(['while frozen'])

    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await eventually('it lost all, and its polls ended', () => count('lost') >= 8 && count('polled') >= 8)
    await eventually('they share', () => owner.readers.size === 4 && count('gained') - count('lost') === 4)
    await worker.terminate()
  })
})
