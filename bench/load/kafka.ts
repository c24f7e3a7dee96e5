import { CompressionTypes, Kafka, logLevel, type Producer, type ProducerConfig } from 'kafkajs'

/** A message for one partition of a topic, with how many alerts it holds. */
export interface AlertMessage {
  readonly partition: number
  readonly value: string | Buffer
  readonly alerts: number
}

const REQUEST_BYTES = 2 * 1024 * 1024
const TRANSACTION_TIMEOUT_MS = 600_000
const OWN_PARTITIONS: ProducerConfig = {
  allowAutoTopicCreation: false,
  createPartitioner: () => (args) => args.message.partition ?? 0,
}

export function connect(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 } })
}

/** Makes a topic with these many partitions. */
export async function makeTopic(
  brokers: readonly string[],
  topic: string,
  partitions: number,
): Promise<void> {
  const admin = connect(brokers).admin()
  await admin.connect()
  await admin.createTopics({
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    waitForLeaders: true,
  })
  await admin.disconnect()
}

/** Produces messages in order, many in one request; returns the number of alerts that the broker acknowledged. */
export async function produce(
  brokers: readonly string[],
  topic: string,
  messages: Iterable<AlertMessage>,
): Promise<number> {
  const producer = connect(brokers).producer({ idempotent: true, ...OWN_PARTITIONS })
  await producer.connect()
  const alerts = await sendAll(producer, topic, messages)
  await producer.disconnect()
  return alerts
}

/**
 * Produces messages that nobody who reads committed messages sees, until the function that it resolves with is called:
 * then all of them are there at once. Lag tools count the marks of the transaction, one in each partition.
 */
export async function prepare(
  brokers: readonly string[],
  topic: string,
  messages: Iterable<AlertMessage>,
): Promise<() => Promise<void>> {
  const producer = connect(brokers).producer({
    idempotent: true,
    transactionalId: `${topic}-${Date.now()}`,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    maxInFlightRequests: 1,
    ...OWN_PARTITIONS,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await sendAll(transaction, topic, messages)
  return async () => {
    await transaction.commit()
    await producer.disconnect()
  }
}

async function sendAll(
  producer: Pick<Producer, 'send'>,
  topic: string,
  messages: Iterable<AlertMessage>,
): Promise<number> {
  let alerts = 0
  let request: AlertMessage[] = []
  let bytes = 0
  const flush = async () => {
    if (request.length === 0) return
    const sent = request.map(({ partition, value }) => ({ partition, value }))
    await producer.send({ topic, messages: sent, acks: -1, compression: CompressionTypes.None })
    for (const message of request) alerts += message.alerts
    request = []
    bytes = 0
  }
  for (const message of messages) {
    request.push(message)
    bytes += message.value.length
    if (bytes >= REQUEST_BYTES) await flush()
  }
  await flush()
  return alerts
}
