import { createClient } from '@clickhouse/client'
import { Redis } from 'ioredis'
import { Kafka, KafkaJSError, logLevel } from 'kafkajs'
import { afterAll, expect, it } from 'vitest'
import {
  callRequestTracker,
  clickhouse,
  createQueue,
  describeWith,
  kafka,
  redis,
  requestTracker,
  startKafka,
  startRedis,
  uniqueName,
} from './index.ts'
import { brokerAnswers } from './kafka.ts'

function kafkaClient(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
}

/** Reads a topic from its beginning until `count` messages have come. */
async function consume(client: Kafka, topic: string, count: number): Promise<string[]> {
  const values: string[] = []
  const consumer = client.consumer({ groupId: uniqueName('group') })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((done, fail) => {
    // After a restart the broker may still be loading its groups: the client tries again by itself.
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) fail(payload.error)
    })
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value))
        if (values.length === count) done()
      },
    })
  })
  await consumer.disconnect()
  return values
}

async function produce(client: Kafka, topic: string, values: readonly string[]): Promise<void> {
  const producer = client.producer()
  await producer.connect()
  await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) })
  await producer.disconnect()
}

await describeWith(kafka, 'the shared Kafka', ({ brokers }) => {
  it('gives a consumer group what a producer sent', async () => {
    const topic = uniqueName('topic')
    await produce(kafkaClient(brokers), topic, ['a', 'b'])
    expect(await consume(kafkaClient(brokers), topic, 2)).toEqual(['a', 'b'])
  })
})

await describeWith(startKafka, 'a Kafka of its own', (broker) => {
  afterAll(() => broker.stop())

  it('has its messages again at the same address after a kill', async () => {
    const topic = uniqueName('topic')
    await produce(kafkaClient(broker.brokers), topic, ['kept'])
    await broker.kill9()
    await expect(brokerAnswers(broker.brokers)).rejects.toBeInstanceOf(KafkaJSError)
    await broker.restart()
    expect(await consume(kafkaClient(broker.brokers), topic, 1)).toEqual(['kept'])
  })
})

await describeWith(redis, 'the shared Redis', (address) => {
  it('answers, never evicts, and keeps a value', async () => {
    const client = new Redis(address)
    const key = uniqueName('key')
    await client.set(key, 'value')
    expect(await client.get(key)).toBe('value')
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    await client.del(key)
    await client.quit()
  })
})

await describeWith(startRedis, 'a Redis of its own', (server) => {
  afterAll(() => server.stop())
  const { host, port } = server

  it('has acknowledged writes again after a kill', async () => {
    const before = new Redis({ host, port })
    await before.set('key', 'kept')
    before.disconnect()
    await server.restart()
    const after = new Redis({ host, port })
    expect(await after.get('key')).toBe('kept')
    await after.quit()
  })

  it('answers nothing while paused and everything afterwards', async () => {
    const client = new Redis({ host, port })
    await client.ping()
    await server.pause()
    let answered = false
    const answer = client.ping().then(() => {
      answered = true
    })
    await new Promise((done) => setTimeout(done, 200))
    expect(answered).toBe(false)
    await server.resume()
    await answer
    expect(answered).toBe(true)
    await client.quit()
  })
})

await describeWith(clickhouse, 'the shared ClickHouse', (address) => {
  it('keeps rows in a database of the test', async () => {
    const client = createClient(address)
    const database = uniqueName('services')
    await client.command({ query: `CREATE DATABASE ${database}` })
    await client.command({
      query: `CREATE TABLE ${database}.numbers (n UInt32) ENGINE = MergeTree ORDER BY n`,
    })
    await client.insert({ table: `${database}.numbers`, values: [{ n: 1 }, { n: 2 }], format: 'JSONEachRow' })
    const result = await client.query({
      query: `SELECT n FROM ${database}.numbers ORDER BY n`,
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual([{ n: 1 }, { n: 2 }])
    await client.command({ query: `DROP DATABASE ${database}` })
    await client.close()
  })
})

await describeWith(requestTracker, 'the shared Request Tracker', (address) => {
  it('opens and shows a ticket in a queue of the test', async () => {
    const queue = await createQueue(address)
    const created = await callRequestTracker(address, 'POST', 'ticket', {
      Queue: queue,
      Subject: 'Disk full on db-1',
    })
    expect(created.status).toBe(201)
    const { id } = (await created.json()) as { id: string }
    const ticket = await callRequestTracker(address, 'GET', `ticket/${id}`)
    expect(await ticket.json()).toMatchObject({ Subject: 'Disk full on db-1', Status: 'new' })
  })

  it('refuses a wrong password', async () => {
    const response = await callRequestTracker({ ...address, password: 'wrong' }, 'GET', 'queues/all')
    expect(response.status).toBe(401)
  })
})
