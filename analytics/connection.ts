import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { Misconfigured, Retryable } from '../runtime/errors.ts'
import type { Clock } from '../runtime/ports.ts'
import type { HistoryRetention } from '../schemas/config_connections.ts'
import { migrate } from './migrations.ts'
import { retain } from './retention.ts'

export interface HistoryAddress {
  readonly url: string
  readonly username: string
  readonly password: string
  readonly database: string
  /** Cluster that holds the tables; left out: one server. */
  readonly cluster?: string
  /** Who asks questions; left out: the same as who writes. */
  readonly reader?: { readonly username: string; readonly password: string }
}

export interface HistoryParts {
  /** Known later when ClickHouse is still being started. */
  readonly address: HistoryAddress | Promise<HistoryAddress>
  readonly clock: Clock
  /** Left out: everything is kept for ever. */
  readonly keep_days?: HistoryRetention
  /** ClickHouse does not answer or refuses; it is tried again. */
  readonly retrying: (error: Retryable, attempt: number) => void
}

const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 10_000
/** More than the slowest insert; queries carry their own, shorter bound. */
const REQUEST_TIMEOUT_MS = 60_000

/** How long to wait before the attempt after this one. */
export function backoff_ms(attempt: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt, 10))
}

/** Whatever the client threw, as the class that callers look at. */
export function unavailable(error: unknown): Retryable {
  if (error instanceof Retryable) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Retryable('history-unavailable', `ClickHouse: ${message}`, { cause: error })
}

/**
 * The way to ClickHouse. It connects and migrates in the background, so that everything else starts without it:
 * `ready` resolves when the tables are there, and rejects with Misconfigured or after `close`.
 */
export class History {
  readonly ready: Promise<ClickHouseClient>
  private readonly closing = new AbortController()
  private connected: ClickHouseClient | null = null
  private asking: ClickHouseClient | null = null

  constructor(parts: HistoryParts) {
    this.ready = this.connect(parts)
    // Whoever needs it awaits it; nobody need be there yet when it fails.
    this.ready.catch(() => {})
  }

  /** The client for questions, when the tables are there; otherwise throws Retryable `history-unavailable` without waiting. */
  reader(): ClickHouseClient {
    if (this.asking) return this.asking
    throw new Retryable('history-unavailable', 'ClickHouse is not ready yet')
  }

  async close(): Promise<void> {
    this.closing.abort()
    await Promise.all([this.connected?.close(), this.asking?.close()])
  }

  private async connect(parts: HistoryParts): Promise<ClickHouseClient> {
    const address = await parts.address
    for (let attempt = 1; !this.closing.signal.aborted; attempt++) {
      // The database may not be there yet, so it is not named to the client that makes it.
      const maker = open(address)
      try {
        await migrate(maker, address.database, address.cluster)
        await retain(maker, address.database, parts.keep_days ?? {}, tablesOf(address))
        this.connected = open(address, address.database)
        this.asking = open({ ...address, ...address.reader }, address.database)
        return this.connected
      } catch (error) {
        if (error instanceof Misconfigured) throw error
        parts.retrying(unavailable(error), attempt)
        await parts.clock.sleep(backoff_ms(attempt), this.closing.signal)
      } finally {
        await maker.close()
      }
    }
    throw new Retryable('history-closed', 'the connection to ClickHouse was closed')
  }
}

/** Where the rows are: on a cluster in the tables of its shards. */
function tablesOf({ cluster }: HistoryAddress) {
  return cluster === undefined
    ? { suffix: '', clause: '' }
    : { suffix: '_local', clause: `ON CLUSTER \`${cluster}\`` }
}

/** A client that only asks; the database must be there. */
export function openReader(address: HistoryAddress): ClickHouseClient {
  return open(address, address.database)
}

function open(address: HistoryAddress, database?: string): ClickHouseClient {
  return createClient({
    url: address.url,
    username: address.username,
    password: address.password,
    ...(database !== undefined && { database }),
    request_timeout: REQUEST_TIMEOUT_MS,
    application: 'tocsin',
    // Failures are told by whoever called.
    log: { level: ClickHouseLogLevel.OFF },
  })
}
