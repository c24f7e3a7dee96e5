import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Retryable } from '../../runtime/errors.ts'
import { kafkaSource } from '../../runtime/log/kafka.ts'
import type { SourceMessage, Subscription } from '../../runtime/ports.ts'
import { eventually } from '../contracts/wait.ts'
import { describeWith, kafka, uniqueName } from '../services/index.ts'
import { SILENT } from './log_kafka_settings.ts'

await describeWith(kafka, 'users’ topics', ({ brokers }) => {
  const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  const producer = client.producer()
  const source = kafkaSource({
    brokers,
    tls: false,
    logger: SILENT,
    clock: systemClock,
    session_timeout_ms: 6_000,
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

  async function topicWith(...values: string[]): Promise<string> {
    const topic = uniqueName('users')
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: false })
    await eventually('the topic has leaders', () =>
      admin.fetchTopicOffsets(topic).then(
        () => true,
        () => false,
      ),
    )
    await send(topic, ...values)
    return topic
  }
  const send = (topic: string, ...values: string[]) =>
    producer.send({
      topic,
      messages: values.map((value) => ({ key: 'k', value, partition: 0, headers: { h: 'v' } })),
    })
  const valuesOf = (messages: readonly SourceMessage[]) => messages.map(({ value }) => value?.toString())

  it('are read from the beginning, and on from what was handled', async () => {
    const topic = await topicWith('one', 'two')
    const group = uniqueName('source')
    const seen: SourceMessage[] = []
    const handle = (_topic: string, _partition: number, messages: readonly SourceMessage[]) => {
      seen.push(...messages)
      return Promise.resolve()
    }
    const first = await source.consume([topic], group, handle)
    await eventually('both', () => seen.length === 2)
    expect(seen[0]).toMatchObject({
      offset: 0,
      key: Buffer.from('k'),
      value: Buffer.from('one'),
      headers: { h: 'v' },
    })
    await first.close()
    await send(topic, 'three')
    open.push(await source.consume([topic], group, handle))
    await eventually('the third', () => seen.length === 3)
    expect(valuesOf(seen)).toEqual(['one', 'two', 'three'])
  })

  it('are read again after a crash that came before handling was done', async () => {
    const topic = await topicWith('taken')
    const group = uniqueName('source')
    const stuck = Promise.withResolvers<undefined>()
    const seen: (string | undefined)[] = []
    const first = await source.consume([topic], group, async (_topic, _partition, messages) => {
      seen.push(...valuesOf(messages))
      await stuck.promise
    })
    await eventually('it is being handled', () => seen.length === 1)
    await first.close()
    const again: (string | undefined)[] = []
    open.push(
      await source.consume([topic], group, (_topic, _partition, messages) => {
        again.push(...valuesOf(messages))
        return Promise.resolve()
      }),
    )
    await eventually('it came again', () => again.length === 1)
    expect(again).toEqual(['taken'])
    stuck.resolve(undefined)
  })

  it('are tried again in order while handling fails for a while', async () => {
    const topic = await topicWith('one', 'two')
    const tries: string[] = []
    let is_down = true
    open.push(
      await source.consume([topic], uniqueName('source'), (_topic, _partition, messages) => {
        tries.push(valuesOf(messages).join())
        return is_down ? Promise.reject(new Retryable('down', 'the log is down')) : Promise.resolve()
      }),
    )
    await eventually('three tries', () => tries.length >= 3)
    await send(topic, 'three')
    is_down = false
    await eventually('the third', () => tries.at(-1) === 'three')
    expect(tries.slice(0, -1).every((attempt) => attempt === 'one,two')).toBe(true)
  })

  it('leave out what a transaction took back', async () => {
    const topic = await topicWith('before')
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
    await send(topic, 'after')
    const seen: (string | undefined)[] = []
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
