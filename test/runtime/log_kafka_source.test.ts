import { Worker } from 'node:worker_threads'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { kafkaSource } from '../../runtime/log/kafka.ts'
import type { SourceMessage, Subscription, TopicSource } from '../../runtime/ports.ts'
import { sourceContract } from '../contracts/source.ts'
import { eventually } from '../contracts/wait.ts'
import { describeWith, kafka, uniqueName } from '../services/index.ts'
import { SILENT } from './log_kafka_settings.ts'
import type { HandleRequest, SourceMemberStart } from './log_kafka_source_member.ts'

const SESSION_TIMEOUT_MS = 6_000

/** As a process of its own that a kill takes away: the broker hears nothing more of it. */
function mortal(brokers: readonly string[]): { source: TopicSource; kill: () => Promise<void> } {
  const workers: Worker[] = []
  const source: TopicSource = {
    consume(topics, group, handle) {
      const start: SourceMemberStart = { brokers, topics, group, session_timeout_ms: SESSION_TIMEOUT_MS }
      const worker = new Worker(new URL('log_kafka_source_member.ts', import.meta.url), { workerData: start })
      workers.push(worker)
      worker.on('message', ({ id, topic, partition, messages }: HandleRequest) => {
        const copies = messages.map((message) => ({
          ...message,
          key: message.key && Buffer.from(message.key),
          value: message.value && Buffer.from(message.value),
        }))
        handle(topic, partition, copies).then(
          () => worker.postMessage(id, []),
          () => undefined,
        )
      })
      return Promise.resolve({ close: () => worker.terminate().then(() => undefined) })
    },
    ping: () => Promise.resolve(),
  }
  return { source, kill: async () => void (await Promise.all(workers.map((worker) => worker.terminate()))) }
}

await describeWith(kafka, 'users’ topics', ({ brokers }) => {
  const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  const producer = client.producer()
  const source = kafkaSource({
    brokers,
    tls: false,
    logger: SILENT,
    clock: systemClock,
    session_timeout_ms: SESSION_TIMEOUT_MS,
  })
  const open: Subscription[] = []
  beforeAll(async () => {
    await admin.connect()
    await producer.connect()
  })
  afterEach(async () => {
    for (const subscription of open.splice(0)) await subscription.close()
  })
  afterAll(async () => {
    await producer.disconnect()
    await admin.disconnect()
  })

  async function makeTopic(partitions: number): Promise<string> {
    return makeNamed(uniqueName('users'), partitions)
  }

  async function makeNamed(topic: string, partitions: number): Promise<string> {
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false })
    await eventually('the topic has leaders', () =>
      admin.fetchTopicOffsets(topic).then(
        () => true,
        () => false,
      ),
    )
    return topic
  }

  sourceContract('Kafka', () =>
    Promise.resolve({
      source,
      mortal: () => Promise.resolve(mortal(brokers)),
      makeTopic,
      async send(topic, partition, messages) {
        const sent = messages.map(({ key, value, headers }) => ({ key, value, headers, partition }))
        await producer.send({ topic, messages: sent })
      },
      async kept(topic, group) {
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
        const ascending = [...(found?.partitions ?? [])].sort((a, b) => a.partition - b.partition)
        return ascending.map(({ offset }) => Math.max(0, Number(offset)))
      },
      rebalance: () => undefined,
      cleanup: () => Promise.resolve(),
    }),
  )

  it('that match a pattern are read, those that are made later too, and none of the program’s own', async () => {
    const prefix = uniqueName('plant')
    const pattern = {
      pattern: `${prefix}\\.[a-z.]+\\.alerts`,
      own_prefix: `${prefix}.own.`,
      look_every_ms: 200,
    }
    const access = { brokers, tls: false, logger: SILENT, clock: systemClock }
    const matching = kafkaSource({ ...access, session_timeout_ms: SESSION_TIMEOUT_MS }, pattern)
    const sendTo = async (topic: string, value: string) => {
      await makeNamed(topic, 1)
      await producer.send({ topic, messages: [{ value }] })
    }
    for (const name of ['a.alerts', 'own.alerts', 'b.alerts.old', 'C.alerts'])
      await sendTo(`${prefix}.${name}`, name)
    const seen: (string | undefined)[] = []
    open.push(
      await matching.consume([], uniqueName('source'), (_topic, _partition, messages) => {
        seen.push(...messages.map(({ value }) => value?.toString()))
        return Promise.resolve()
      }),
    )
    await eventually('the first topic', () => seen.includes('a.alerts'))
    await sendTo(`${prefix}.later.alerts`, 'later.alerts')
    await eventually('the topic that was made later', () => seen.includes('later.alerts'))
    expect(seen).toEqual(['a.alerts', 'later.alerts'])
  })

  it('tell how many messages wait', async () => {
    const topic = await makeTopic(2)
    const messages = [0, 1, 1].map((partition, i) => ({ value: String(i), partition }))
    await producer.send({ topic, messages })
    const gate = Promise.withResolvers<void>()
    let handled = 0
    const subscription = await source.consume(
      [topic],
      uniqueName('source'),
      async (_topic, _partition, some) => {
        await gate.promise
        handled += some.length
      },
    )
    open.push(subscription)
    await eventually('three wait', async () => (await subscription.lag?.()) === 3)
    gate.resolve()
    await eventually('none waits', async () => (await subscription.lag?.()) === 0)
    expect(handled).toBe(3)
  })

  it('leave out what a transaction took back', async () => {
    const topic = await makeTopic(1)
    await producer.send({ topic, messages: [{ value: 'before', partition: 0 }] })
    const transactional = client.producer({
      transactionalId: uniqueName('transaction'),
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await transactional.connect()
    const aborted = await transactional.transaction()
    await aborted.send({ topic, messages: [{ value: 'aborted', partition: 0 }] })
    await aborted.abort()
    const kept = await transactional.transaction()
    await kept.send({ topic, messages: [{ value: 'kept', partition: 0 }] })
    await kept.commit()
    await transactional.disconnect()
    await producer.send({ topic, messages: [{ value: 'after', partition: 0 }] })
    const seen: (string | undefined)[] = []
    const valuesOf = (messages: readonly SourceMessage[]) => messages.map(({ value }) => value?.toString())
    open.push(
      await source.consume([topic], uniqueName('source'), (_topic, _partition, messages) => {
        seen.push(...valuesOf(messages))
        return Promise.resolve()
      }),
    )
    await eventually('the last', () => seen.at(-1) === 'after')
    expect(seen).toEqual(['before', 'kept', 'after'])
  })
})
