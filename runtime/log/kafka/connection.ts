import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  type ISocketFactoryArgs,
  Kafka,
  type KafkaConfig,
  logLevel,
  type logCreator,
  type LogEntry as ClientLine,
  type SASLOptions,
} from 'kafkajs'
import Cluster from 'kafkajs/src/cluster/index.js'
import loggers from 'kafkajs/src/loggers/index.js'
import type { Clock } from '../../ports.ts'
import { registerCodecs } from './codecs.ts'
import { calmRequestQueues } from './request_queue.ts'

/** Where log lines go; pino's logger fits. */
export interface KafkaLogger {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

export interface KafkaAccess {
  /** host:port */
  readonly brokers: readonly string[]
  readonly tls: boolean
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
  readonly logger: KafkaLogger
  readonly clock: Clock
}

type ClientConfig = KafkaConfig & { readonly brokers: string[]; readonly logCreator: logCreator }

const CLIENT_ID = 'tocsin'
const CONNECT_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 30_000

/** About nine seconds of trying: a broker that restarts is no fault yet. */
const PATIENT = { initialRetryTime: 100, maxRetryTime: 2_000, factor: 0.2, multiplier: 2, retries: 8 }
/** For what is tried again by its caller. */
const BRISK = { initialRetryTime: 100, maxRetryTime: 500, factor: 0.2, multiplier: 2, retries: 2 }

calmRequestQueues()
registerCodecs()

/**
 * One kafkajs client with its own sockets, so that it can be ended at once and for good. kafkajs alone waits for answers
 * when it disconnects, and connects again by itself in the middle of a retry.
 */
export class Connection {
  readonly kafka: Kafka
  private readonly sockets = new Set<Socket>()
  private readonly config: ClientConfig
  private ended = false

  constructor(access: KafkaAccess, patience: 'patient' | 'brisk') {
    this.config = {
      brokers: [...access.brokers],
      clientId: CLIENT_ID,
      ssl: access.tls,
      ...(access.sasl === undefined ? {} : { sasl: access.sasl as SASLOptions }),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: patience === 'patient' ? PATIENT : BRISK,
      socketFactory: (target) => this.openSocket(target),
      logLevel: logLevel.INFO,
      logCreator: linesTo(access.logger),
    }
    this.kafka = new Kafka(this.config)
  }

  /** What kafkajs' own consumer stands on: metadata, and brokers that answer fetch requests. */
  cluster(): Cluster {
    return new Cluster({
      logger: loggers.createLogger({ level: logLevel.INFO, logCreator: this.config.logCreator }),
      socketFactory: this.config.socketFactory,
      brokers: this.config.brokers,
      ssl: this.config.ssl,
      sasl: this.config.sasl,
      clientId: CLIENT_ID,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      metadataMaxAge: 300_000,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      retry: this.config.retry,
    })
  }

  /** Everything under way fails, and nothing connects again. */
  end(): void {
    this.ended = true
    for (const socket of this.sockets) socket.destroy(new Error('the client was ended'))
  }

  private openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
    if (this.ended) throw new Error('the client was ended')
    const name = isIP(host) === 0 ? { servername: host } : {}
    // The types promise an object, kafkajs passes what it was given.
    const is_plain = !(ssl as unknown as boolean)
    const socket = is_plain
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...name }, onConnect)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
    return socket
  }
}

/**
 * Every error of kafkajs reaches its caller as well, who says it once with what it means; the lines of kafkajs itself
 * repeat with each try and are for those who look closer.
 */
function linesTo(logger: KafkaLogger): logCreator {
  return () =>
    ({ namespace, level, log }: ClientLine) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...details } = log
      const line = { kafkajs: namespace, ...details }
      if (level === logLevel.ERROR) logger.info(line, message)
      else logger.debug(line, message)
    }
}
