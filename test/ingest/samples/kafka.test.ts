import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SampleConsumer } from '../../../ingest/samples/consumer.ts'
import { sampleDecoder } from '../../../ingest/samples/formats.ts'
import { SampleIntake } from '../../../ingest/samples/intake.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { kafkaSource, openKafkaLog } from '../../../runtime/log/kafka.ts'
import type { Log } from '../../../runtime/ports.ts'
import { noTraces } from '../../../runtime/tracing.ts'
import { deadLetter } from '../../../schemas/deadletter.ts'
import { readingsMapping } from '../../../schemas/readings_mapping.ts'
import type { SampleFormat } from '../../../schemas/source_formats.ts'
import { eventually } from '../../contracts/wait.ts'
import { Tocsin, until } from '../../installation/processes.ts'
import { settings, SILENT } from '../../runtime/log_kafka_settings.ts'
import { describeWith, kafka, uniqueName } from '../../services/index.ts'
import { DEFAULTS } from '../settings.ts'
import { OTLP_PROTOBUF, REMOTE_WRITE_1 } from './seeds.ts'
import { type LoggedReading, readingsOf } from './server.ts'
import { snappy } from './wire.ts'

await describeWith(kafka, 'readings of users’ topics', ({ brokers }) => {
  const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const producer = client.producer()
  const admin = client.admin()
  const log_settings = settings(brokers, { partitions: 2 })
  const { topic_prefix } = log_settings
  const readings: LoggedReading[] = []
  const letters: string[] = []
  let log: Log
  beforeAll(async () => {
    await Promise.all([producer.connect(), admin.connect()])
    log = await openKafkaLog(log_settings)
    await log.tail('samples', [0, 0], (_partition, entries) => void readings.push(...readingsOf(entries)))
    await log.tail('deadletters', [0, 0], (_partition, entries) => {
      for (const { value } of entries) letters.push(deadLetter.parse(JSON.parse(value.toString())).code)
    })
  })
  afterAll(async () => {
    await Promise.all([producer.disconnect(), admin.disconnect()])
    await log.close()
  })

  it('are kept for a time and a size of their own', async () => {
    const configNames = ['retention.ms', 'retention.bytes']
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: ['samples', 'alerts'].map((topic) => ({
        type: ConfigResourceTypes.TOPIC,
        name: topic_prefix + topic,
        configNames,
      })),
    })
    const told = resources.map(({ configEntries }) =>
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    )
    expect(told).toEqual([
      { 'retention.ms': '3600000', 'retention.bytes': '104857600' },
      { 'retention.ms': '86400000', 'retention.bytes': '-1' },
    ])
  })

  async function makeTopic(name: string): Promise<string> {
    const topic = uniqueName(name)
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    return topic
  }

  const observer = { sampled() {}, rejected() {}, halted() {}, retrying() {} }

  async function consume(name: string, format: SampleFormat, topic: string, readings_mapping?: object) {
    const intake = new SampleIntake({ log, config: DEFAULTS, observer, tracing: noTraces })
    const consumer = new SampleConsumer({
      name,
      topics: [topic],
      source: kafkaSource({
        brokers,
        tls: false,
        logger: SILENT,
        clock: systemClock,
        session_timeout_ms: 6_000,
      }),
      intake,
      clock: systemClock,
      observer,
      decode: sampleDecoder({
        format,
        labels: {},
        ...(readings_mapping && { readings: readingsMapping.parse(readings_mapping) }),
      }),
    })
    await consumer.start()
    return consumer
  }

  it('are in the samples log, of whatever format and with names from the topic; rejects are dead letters', async () => {
    const topics = {
      lines: await makeTopic('lines'),
      prom: await makeTopic('prom'),
      otlp: await makeTopic('otlp'),
      plant: await makeTopic('plant'),
    }
    const values: Readonly<Record<keyof typeof topics, readonly (string | Buffer)[]>> = {
      lines: ['m,host=a v=1\nbad', 'm,host=b v=2'],
      prom: [snappy(REMOTE_WRITE_1)],
      otlp: [OTLP_PROTOBUF],
      plant: ['{"t":20.5}'],
    }
    for (const [name, messages] of Object.entries(values))
      await producer.send({
        topic: topics[name as keyof typeof topics],
        messages: messages.map((value) => ({ value })),
      })
    const mapping = { values: { temperature: 'sample.t' }, labels: { equipment: 'topic' } }
    const consumers = await Promise.all([
      consume(uniqueName('lines'), 'influx', topics.lines),
      consume(uniqueName('prom'), 'prometheus-remote-write', topics.prom),
      consume(uniqueName('otlp'), 'otlp-metrics', topics.otlp),
      consume(uniqueName('plant'), 'samples-json', topics.plant, mapping),
    ])
    await eventually('all are in the log', () => Promise.resolve(readings.length >= 15 && letters.length > 0))
    expect(readings.map(({ labels }) => labels['metric'] ?? '').toSorted()).toEqual(
      [
        ...['m_v', 'm_v', 'node_load1', 'node_load1', 'up', 'temperature'],
        ...['gc.pause', 'gc.pause_count', 'gc.pause_sum', 'orders', 'queue.length'],
        ...['count', 'max', 'min', 'sum'].map((part) => `http.server.duration_${part}`),
      ].toSorted(),
    )
    expect(readings).toContainEqual(
      expect.objectContaining({ labels: { equipment: topics.plant, metric: 'temperature' }, value: 20.5 }),
    )
    expect(letters).toEqual(['line-syntax'])
    await Promise.all(consumers.map((consumer) => consumer.close()))
  })

  it('are taken by a tocsin whose configuration names them', async () => {
    const topic = await makeTopic('lines')
    await producer.send({ topic, messages: [{ value: 'm v=1\nm v=2' }, { value: 'bad' }] })
    const cluster = `{brokers: [${brokers.map((broker) => JSON.stringify(broker)).join(', ')}]}`
    const tocsin = await Tocsin.start({
      config: `history: {enabled: false}\nsources: [{name: lines, kind: kafka, topics: [${topic}], format: influx, cluster: ${cluster}}]\n`,
    })
    const status = async () => {
      const { sources } = await tocsin.get<{ sources: { name: string; samples: number; rejects: number }[] }>(
        '/api/v1/sources',
      )
      return sources.find(({ name }) => name === 'lines')
    }
    try {
      await until('both messages are read', async () => (await status())?.rejects === 1)
      expect(await status()).toMatchObject({ samples: 2, rejects: 1 })
    } finally {
      await tocsin.remove()
    }
  })
})
