/** A real Apache Kafka: one broker in KRaft combined mode. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import { runContainer } from './docker.ts'
import {
  type Controls,
  freePort,
  localRunner,
  programExists,
  run,
  temporaryFolder,
  Unavailable,
} from './runner.ts'

export interface KafkaAddress {
  /** host:port */
  readonly brokers: readonly string[]
}

const KAFKA_VERSION = '4.1.0'
const CACHE = fileURLToPath(new URL('../../.services/', import.meta.url))
const CLUSTER_ID = '4L6g3nShT-eMCtK--X86sw'
const JAVA_OPTIONS = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
]
const exec = promisify(execFile)

/** A broker of its own for one test file, in Docker or with the machine's Java. */
export async function startKafka(): Promise<KafkaAddress & Controls> {
  const port = await freePort()
  const brokers = [`127.0.0.1:${port}`]
  const probe = () => brokerAnswers(brokers)
  const controls =
    (await runContainer('Kafka', kafkaContainer(port), probe)) ?? (await startWithJava(port, probe))
  return { brokers, ...controls }
}

async function startWithJava(port: number, probe: () => Promise<boolean>): Promise<Controls> {
  const classpath = join(await fetchJars(), '*')
  const folder = await temporaryFolder('kafka')
  const properties = join(folder, 'server.properties')
  await writeFile(properties, serverProperties(port, await freePort(), join(folder, 'data')))
  const java = [...JAVA_OPTIONS, '-cp', classpath]
  await exec('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties])
  const runner = localRunner({ command: 'java', arguments: [...java, 'kafka.Kafka', properties], folder })
  return run('Kafka', runner, probe)
}

/**
 * What both ways share: one broker, nothing replicated, groups that form at once. The controller refuses a broker that
 * comes back before its session of before the kill has ended, so that is short.
 */
const SETTINGS = {
  'broker.session.timeout.ms': 2_000,
  'broker.heartbeat.interval.ms': 300,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
}

function listeners(port: number, controller_port: number, bind_address: string) {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller_port}`,
    listeners: `PLAINTEXT://${bind_address}:${port},CONTROLLER://127.0.0.1:${controller_port}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
  }
}

function serverProperties(port: number, controller_port: number, data_dir: string): string {
  const all = { ...listeners(port, controller_port, '127.0.0.1'), ...SETTINGS, 'log.dirs': data_dir }
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function kafkaContainer(port: number) {
  const all = Object.entries({ ...listeners(port, port === 9093 ? 9094 : 9093, '0.0.0.0'), ...SETTINGS })
  const environment = Object.fromEntries(
    all.map(([name, value]) => [`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`, String(value)]),
  )
  return {
    image: `apache/kafka:${KAFKA_VERSION}`,
    container_port: port,
    host_port: port,
    environment: { ...environment, CLUSTER_ID },
  }
}

/** Throws when it does not. */
export async function brokerAnswers(brokers: readonly string[]): Promise<boolean> {
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const { controller } = await admin.describeCluster()
    return controller !== null
  } finally {
    await admin.disconnect()
  }
}

/** The broker's jars from Maven Central, once per checkout. */
async function fetchJars(): Promise<string> {
  const jars = join(CACHE, `kafka-${KAFKA_VERSION}`)
  if (!programExists('java'))
    throw new Unavailable(
      'Kafka needs Java 17 or later: apt-get install openjdk-17-jre-headless, or set TOCSIN_TEST_KAFKA=host:port',
    )
  if (existsSync(jars)) return jars
  if (!programExists('mvn'))
    throw new Unavailable(
      'Kafka needs Maven to fetch its jars: apt-get install maven, or set TOCSIN_TEST_KAFKA=host:port',
    )
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'fetch-'))
  try {
    await writeFile(join(folder, 'pom.xml'), POM)
    await exec('mvn', [
      '-B',
      '-q',
      '-f',
      folder,
      'dependency:copy-dependencies',
      '-DoutputDirectory=jars',
      '-DincludeScope=runtime',
    ])
    // Another test run may have been quicker: either folder is whole.
    await rename(join(folder, 'jars'), jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error
    })
    return jars
  } catch (error) {
    throw new Unavailable(
      `Kafka's jars cannot be fetched from Maven Central, or set TOCSIN_TEST_KAFKA=host:port: ${String(error)}`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tocsin</groupId><artifactId>test-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`
