import kafkajs, { type Admin, type DescribeConfigResponse, type ITopicConfig } from 'kafkajs'
import type Cluster from 'kafkajs/src/cluster/index.js'
import { Misconfigured } from '../../errors.ts'
import { TOPICS, type Topic } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, protocolType, unlessRefused, within } from './faults.ts'
import { boundsOf } from './positions.ts'

export interface TopicSettings {
  readonly topic_prefix: string
  /** Left out: DEFAULT_PARTITIONS for topics that are made, whatever they have for those that exist. */
  readonly partitions?: number
  readonly replication_factor: number
  readonly retention_ms: number
  /** Of the samples topic, whose retention is its own. */
  readonly samples_retention_ms: number
  readonly samples_retention_bytes: number
}

export interface TopicFacts {
  /** As Kafka knows it, with the prefix. */
  readonly name: string
  readonly partitions: number
  /** The broker refuses a larger batch of records. */
  readonly batch_bytes_max: number
}

export type TopicsFacts = Readonly<Record<Topic, TopicFacts>>

const DEFAULT_PARTITIONS = 64
const TIMEOUT_MS = 30_000
/** What brokers say of a topic that was just made, until all of them know it and its partitions have leaders. */
const SETTLING = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'])
const SETTLING_MS = 100

/**
 * Makes the internal topics that are missing and checks those that exist.
 * Throws Misconfigured where a person must choose, Retryable while the brokers cannot be reached.
 */
export async function ensureTopics(access: KafkaAccess, settings: TopicSettings): Promise<TopicsFacts> {
  const connection = new Connection(access, 'brisk')
  const admin = connection.kafka.admin()
  try {
    const is_new = await within(makeMissing(admin, settings), TIMEOUT_MS, access.clock, 'making the topics')
    const deadline_ms = access.clock.now() + TIMEOUT_MS
    for (;;) {
      try {
        return await within(
          check(admin, connection.cluster(), settings),
          TIMEOUT_MS,
          access.clock,
          'checking the topics',
        )
      } catch (error) {
        const is_settling =
          is_new && SETTLING.has(protocolType(error) ?? '') && access.clock.now() < deadline_ms
        if (!is_settling) throw error
        await access.clock.sleep(SETTLING_MS)
      }
    }
  } catch (error) {
    throw error instanceof Misconfigured ? error : unlessRefused(asRetryable(error, 'making the topics'))
  } finally {
    connection.end()
  }
}

/** Returns whether there was something to make. */
async function makeMissing(admin: Admin, settings: TopicSettings): Promise<boolean> {
  await admin.connect()
  const existing = new Set(await admin.listTopics())
  const missing = TOPICS.map((topic) => settings.topic_prefix + topic).filter((name) => !existing.has(name))
  if (missing.length > 0) await create(admin, missing, settings)
  return missing.length > 0
}

async function check(admin: Admin, cluster: Cluster, settings: TopicSettings): Promise<TopicsFacts> {
  const names = TOPICS.map((topic) => settings.topic_prefix + topic)
  const { topics } = await admin.fetchTopicMetadata({ topics: names })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: ['message.timestamp.type', 'max.message.bytes'],
    })),
  })
  for (const { name, partitions } of topics) {
    await boundsOf(
      cluster,
      name,
      partitions.map(({ partitionId }) => partitionId),
    )
  }
  const facts = TOPICS.map((topic) => {
    const name = settings.topic_prefix + topic
    const partitions = topics.find((found) => found.name === name)?.partitions.length ?? 0
    checkPartitions(name, partitions, settings.partitions)
    const configuration = configurationOf(resources, name)
    checkTime(name, configuration.get('message.timestamp.type'))
    return [
      topic,
      { name, partitions, batch_bytes_max: Number(configuration.get('max.message.bytes')) },
    ] as const
  })
  return Object.fromEntries(facts) as Record<Topic, TopicFacts>
}

async function create(admin: Admin, names: readonly string[], settings: TopicSettings): Promise<void> {
  const { replication_factor, partitions = DEFAULT_PARTITIONS, topic_prefix } = settings
  const configuration = {
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
    // With three or more copies, one broker may be away and an acknowledged record is still on two.
    ...(replication_factor >= 3 ? { 'min.insync.replicas': '2' } : {}),
  }
  const samples: Topic = 'samples'
  const retentionOf = (name: string) =>
    name === topic_prefix + samples
      ? {
          'retention.ms': String(settings.samples_retention_ms),
          'retention.bytes': String(settings.samples_retention_bytes),
        }
      : { 'retention.ms': String(settings.retention_ms) }
  const topics: ITopicConfig[] = names.map((topic) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: replication_factor,
    configEntries: Object.entries({ ...configuration, ...retentionOf(topic) }).map(([name, value]) => ({
      name,
      value,
    })),
  }))
  try {
    await admin.createTopics({ topics, waitForLeaders: false })
  } catch (error) {
    const type = protocolType(error)
    // Another process that starts at the same time made it; what it is like is checked next.
    if (type === 'TOPIC_ALREADY_EXISTS') return
    if (type !== 'INVALID_REPLICATION_FACTOR') throw error
    const remedy = 'lower kafka.replication_factor or add brokers'
    throw new Misconfigured(
      'kafka-replication-factor',
      `the brokers cannot keep ${replication_factor} copies of ${names.join(', ')}: ${remedy}`,
    )
  }
}

function configurationOf(resources: DescribeConfigResponse['resources'], name: string): Map<string, string> {
  const resource = resources.find((found) => found.resourceName === name)
  return new Map(resource?.configEntries.map((entry) => [entry.configName, entry.configValue]))
}

function checkPartitions(name: string, partitions: number, asked: number | undefined): void {
  if (asked === undefined || partitions === asked) return
  throw new Misconfigured(
    'kafka-partitions',
    `topic ${name} has ${partitions} partitions, the configuration asks for ${asked}: ` +
      `set partitions to ${partitions} (their number is fixed when topics are made), or choose another kafka.topic_prefix`,
  )
}

function checkTime(name: string, type: string | undefined): void {
  if (type === 'LogAppendTime') return
  throw new Misconfigured(
    'kafka-timestamp-type',
    `topic ${name} has message.timestamp.type=${type ?? 'unknown'}, but the log has to assign the time: ` +
      `kafka-configs.sh --alter --topic ${name} --add-config message.timestamp.type=LogAppendTime`,
  )
}
