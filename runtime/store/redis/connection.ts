import { Cluster, Redis } from 'ioredis'
import { Misconfigured, Retryable } from '../../errors.ts'
import type { Clock } from '../../ports.ts'
import { asStoreError, isRefused, replyCode } from './faults.ts'

/** Where log lines go; pino's logger fits. */
export interface RedisLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

export interface RedisSettings {
  /** redis://host:port/db, or rediss:// for TLS; for a cluster any of its nodes */
  readonly url: string
  readonly password?: string
  readonly cluster: boolean
  readonly key_prefix: string
  /** An answer that takes longer counts as none. */
  readonly command_timeout_ms?: number
  readonly logger: RedisLogger
  readonly clock: Clock
}

export type Client = Redis | Cluster

const CONNECT_TIMEOUT_MS = 5_000
const COMMAND_TIMEOUT_MS = 10_000
const READY_TIMEOUT_MS = 15_000
const OPEN_RETRY_MS = 2_000
const RECONNECT_MAX_MS = 1_000

/**
 * Connects and checks that nothing may be evicted. Tries until Redis answers, with a log line each time, unless the signal
 * ends it. Throws Misconfigured.
 */
export async function openClient(settings: RedisSettings, signal?: AbortSignal): Promise<Client> {
  for (;;) {
    const client = makeClient(settings)
    const reason = lastError(client)
    try {
      await ready(client, settings)
      tellOutages(client, settings.logger)
      return client
    } catch (error) {
      client.disconnect()
      if (error instanceof Misconfigured) throw error
      if ([error, reason()].some(isRefused)) {
        throw new Misconfigured(
          'redis-login-refused',
          'Redis refuses the login: check redis.password and the user in redis.url',
        )
      }
      const fault = asStoreError(reason() ?? error, 'connecting')
      if (!(fault instanceof Retryable) || signal?.aborted === true) throw fault
      settings.logger.warn({ code: fault.code, retry_in_ms: OPEN_RETRY_MS }, fault.message)
      await settings.clock.sleep(OPEN_RETRY_MS, signal)
    }
  }
}

/** connect() says that the connection was closed, or nothing at all; why comes as an event. */
function lastError(client: Client): () => unknown {
  let last: unknown
  // Without listeners ioredis writes to the console.
  client.on('error', (error: unknown) => (last = error))
  client.on('node error', (error: unknown) => (last = error))
  return () => last
}

async function ready(client: Client, { clock, logger }: RedisSettings): Promise<void> {
  const done = new AbortController()
  const late = clock.sleep(READY_TIMEOUT_MS, done.signal).then(() => {
    if (!done.signal.aborted)
      throw new Retryable('redis-unavailable', `Redis is not ready within ${READY_TIMEOUT_MS} ms`)
  })
  try {
    await Promise.race([client.connect().then(() => checkEviction(client, logger)), late])
  } finally {
    done.abort()
  }
}

function makeClient(settings: RedisSettings): Client {
  const { protocol, hostname, port, pathname, username, password } = parseUrl(settings.url)
  const secret = settings.password ?? decodeURIComponent(password)
  const access = {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(secret === '' ? {} : { password: secret }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  }
  const options = {
    ...access,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: settings.command_timeout_ms ?? COMMAND_TIMEOUT_MS,
    // Callers try again by themselves, with what is true by then; nothing waits here for a connection.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The address may lead to the new master after a failover.
    reconnectOnError: (error: Error) => replyCode(error) === 'READONLY',
  }
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 6_379 : Number(port) }
  const retry = (times: number) => Math.min(times * 100, RECONNECT_MAX_MS)
  const at_once = { lazyConnect: true, enableOfflineQueue: false }
  if (settings.cluster)
    return new Cluster([address], { ...at_once, clusterRetryStrategy: retry, redisOptions: options })
  return new Redis({
    ...options,
    ...address,
    ...at_once,
    db: Number(pathname.slice(1) || 0),
    retryStrategy: retry,
  })
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && ['redis:', 'rediss:'].includes(url.protocol)) return url
  throw new Misconfigured('redis-url', 'redis.url is not an address such as redis://host:6379/0')
}

function tellOutages(client: Client, logger: RedisLogger): void {
  client.on('close', () => logger.warn({ code: 'redis-unavailable' }, 'the connection to Redis was lost'))
  client.on('ready', () => logger.info({}, 'connected to Redis again'))
}

/** The state has to be kept whole: a Redis that may drop keys to make room is refused. */
async function checkEviction(client: Client, logger: RedisLogger): Promise<void> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client]
  for (const node of nodes) {
    const policy = await evictionPolicy(node)
    if (policy === null) {
      logger.warn(
        { code: 'redis-config-unknown' },
        'Redis does not tell its maxmemory-policy; it has to be noeviction',
      )
    } else if (policy !== 'noeviction') {
      throw new Misconfigured(
        'redis-eviction',
        `Redis may drop state (maxmemory-policy is ${policy}): set it to noeviction, in redis.conf or by CONFIG SET`,
      )
    }
  }
}

/** Null where CONFIG is forbidden or renamed, as hosted services do. */
async function evictionPolicy(node: Redis): Promise<string | null> {
  try {
    const [, policy] = await node.config('GET', 'maxmemory-policy')
    return policy ?? null
  } catch (error) {
    if (['NOPERM', 'ERR'].includes(replyCode(error) ?? '')) return null
    throw error
  }
}
