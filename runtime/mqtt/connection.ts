import { connect, type IClientOptions, type IPublishPacket, type MqttClient, type Packet } from 'mqtt'
import { LIMITS } from '../../schemas/limits.ts'
import { Retryable } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../ports.ts'

export interface MqttAccess {
  /** Name of the configured source. */
  readonly name: string
  readonly url: string
  readonly client_id: string
  readonly username?: string
  readonly password?: string
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly version: '3.1.1' | '5'
  /** How long the broker keeps what comes while nobody is connected (MQTT 5). */
  readonly session_expiry_ms: number
  /** Messages that are taken from the broker and not acknowledged yet. */
  readonly in_flight_max: number
  readonly clock: Clock
  readonly logger: Logger
  readonly observer: MqttObserver
}

/** What a connection to a broker tells about itself. */
export interface MqttObserver {
  connected(source: string, connected: boolean): void
  /** Messages heard and not taken yet. */
  waiting(source: string, messages: number): void
}

export interface Heard {
  readonly topic: string
  readonly payload: Buffer
  readonly at_ms: number
  /** The broker may have delivered it before. */
  readonly is_repeated: boolean
  /** Tells the broker that it is durable; does nothing when the connection that it came by has ended: it comes again. */
  readonly acknowledge: () => void
}

const BACKOFF_MIN_MS = 250
const BACKOFF_MAX_MS = 30_000
const LOG_EVERY_ATTEMPTS = 50
const CONNECT_TIMEOUT_MS = 10_000
const KEEPALIVE_S = 30
/** Beyond it nothing more is read, however few messages it is. */
const UNSETTLED_BYTES_MAX = 4 * LIMITS.http_body_bytes

/**
 * A connection that is made again whenever it ends, with the same client id and session, so that the broker keeps what comes meanwhile
 * (QoS 1). The client library acknowledges a message before it reads the next; here it is told that messages need no acknowledgement,
 * and what is durable is acknowledged afterwards, whole batches at once. How many messages wait is bounded: beyond that nothing is read
 * from the connection.
 */
export class MqttConnection {
  private readonly access: MqttAccess
  private readonly filters: readonly string[]
  private readonly client: MqttClient
  private readonly owed = new WeakSet<object>()
  private readonly closing = new AbortController()
  private waiting: Heard[] = []
  private unsettled = 0
  private unsettled_bytes = 0
  /** Lets the client read on. */
  private held: (() => void) | null = null
  private arrived: (() => void) | null = null
  private attempt = 0

  constructor(access: MqttAccess, filters: readonly string[]) {
    this.access = access
    this.filters = filters
    this.client = connect(access.url, optionsOf(access))
    const { client } = this
    // Every message of QoS 1 is taken over from the library, which would acknowledge it before it is durable.
    client.on('packetreceive', (packet) => this.takeOver(packet))
    client.handleMessage = (packet, done) => this.hear(packet, done)
    client.on('connect', () => void this.subscribe())
    client.on('close', () => void this.reconnect())
    client.on('error', (error) => this.failed(error))
  }

  /** At least one message, or none when the connection is closed for good. */
  async next(messages_max: number): Promise<readonly Heard[]> {
    while (this.waiting.length === 0 && !this.closing.signal.aborted)
      await new Promise<void>((done) => {
        this.arrived = done
      })
    return this.waiting.splice(0, messages_max)
  }

  /** They are durable: the broker is told, and more is read. */
  settle(batch: readonly Heard[]): void {
    for (const { acknowledge, payload } of batch) {
      acknowledge()
      this.unsettled_bytes -= payload.length
    }
    this.unsettled -= batch.length
    this.access.observer.waiting(this.access.name, this.unsettled)
    const held = this.isFull() ? null : this.held
    if (held === null) return
    this.held = null
    held()
  }

  private isFull(): boolean {
    return this.unsettled >= this.access.in_flight_max || this.unsettled_bytes >= UNSETTLED_BYTES_MAX
  }

  /** Throws Retryable while there is no connection. */
  async publish(topic: string, payload: Buffer): Promise<void> {
    this.check()
    try {
      await this.client.publishAsync(topic, payload, { qos: 0 })
    } catch (error) {
      throw new Retryable('mqtt-unreachable', `publishing to ${topic} failed`, { cause: error })
    }
  }

  /** Throws Retryable while there is no connection. */
  check(): void {
    if (!this.client.connected)
      throw new Retryable('mqtt-unreachable', `there is no connection to ${this.access.url}`)
  }

  /** What was not acknowledged comes again to whoever connects next under this client id. */
  async close(): Promise<void> {
    this.closing.abort()
    this.arrived?.()
    this.held?.()
    await this.client.endAsync(true)
  }

  private takeOver(packet: Packet): void {
    if (packet.cmd !== 'publish' || packet.qos !== 1) return
    this.owed.add(packet)
    packet.qos = 0
  }

  private hear(packet: IPublishPacket, done: () => void): void {
    const { name, clock, observer } = this.access
    const { stream } = this.client
    const { messageId } = packet
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload)
    this.waiting.push({
      topic: packet.topic,
      payload,
      at_ms: clock.now(),
      is_repeated: packet.dup,
      acknowledge: () => {
        if (messageId === undefined || !this.owed.has(packet)) return
        if (!this.client.connected || this.client.stream !== stream) return
        sender(this.client)._sendPacket({ cmd: 'puback', messageId, reasonCode: 0 })
      },
    })
    this.unsettled++
    this.unsettled_bytes += payload.length
    observer.waiting(name, this.unsettled)
    this.arrived?.()
    if (this.isFull()) this.held = done
    else done()
  }

  private async subscribe(): Promise<void> {
    const { name, observer, logger } = this.access
    this.attempt = 0
    observer.connected(name, true)
    try {
      // What is retained comes for new subscriptions only, not after every loss of the connection.
      const granted = await this.client.subscribeAsync([...this.filters], { qos: 1, rh: 1 })
      const refused = granted.filter(({ qos }) => qos >= 128).map(({ topic }) => topic)
      if (refused.length > 0) logger.error({ source: name, refused }, 'the broker refused to subscribe')
      else logger.info({ source: name, topics: this.filters.length }, 'subscribed at the broker')
    } catch (error) {
      logger.warn({ source: name, err: error }, 'subscribing at the broker failed')
    }
  }

  private failed(error: Error): void {
    const { name, logger } = this.access
    if (this.attempt % LOG_EVERY_ATTEMPTS === 0)
      logger.warn(
        { source: name, attempt: this.attempt, code: codeOf(error) },
        `the broker: ${error.message}`,
      )
  }

  private async reconnect(): Promise<void> {
    const { name, observer, clock } = this.access
    const { signal } = this.closing
    observer.connected(name, false)
    if (signal.aborted) return
    const backoff_ms = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(this.attempt++, 10))
    await clock.sleep(backoff_ms, signal)
    if (!signal.aborted) this.client.reconnect()
  }
}

/** The library has no public way to acknowledge one message by itself. Its version is pinned, and `test/runtime` shows that this works. */
function sender(client: unknown): { _sendPacket(packet: Packet): void } {
  return client as ReturnType<typeof sender>
}

function codeOf(error: Error): string | number | undefined {
  return (error as Error & { readonly code?: string | number }).code
}

function optionsOf(access: MqttAccess): IClientOptions {
  const { client_id, username, password, tls, version, session_expiry_ms, in_flight_max } = access
  return {
    clientId: client_id,
    clean: false,
    // Made again by us, later and later.
    reconnectPeriod: 0,
    resubscribe: false,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tls,
    ...(version === '5'
      ? {
          protocolVersion: 5,
          properties: {
            sessionExpiryInterval: Math.ceil(session_expiry_ms / 1_000),
            receiveMaximum: in_flight_max,
            maximumPacketSize: LIMITS.http_body_bytes,
          },
        }
      : { protocolVersion: 4 }),
  }
}
