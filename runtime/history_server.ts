import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HistoryAddress } from '../analytics/connection.ts'
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from './clickhouse.ts'
import { Misconfigured } from './errors.ts'
import type { Logger } from './logger.ts'
import type { Clock } from './ports.ts'

const DATABASE = 'tocsin'
const RESTART_MIN_MS = 500
const RESTART_MAX_MS = 30_000

/** Keeps the embedded ClickHouse running: started in the background, started again when it ends, stopped with us. */
export class HistoryServer {
  /** Resolves when it first answers; never when it cannot run here (the reason is logged). */
  readonly address: Promise<HistoryAddress>
  private readonly parts: { readonly data_dir: string; readonly clock: Clock; readonly logger: Logger }
  private readonly stopping = new AbortController()
  private readonly running: Promise<void>
  private server: EmbeddedClickHouse | null = null

  constructor(parts: { readonly data_dir: string; readonly clock: Clock; readonly logger: Logger }) {
    this.parts = parts
    const { promise, resolve } = Promise.withResolvers<HistoryAddress>()
    this.address = promise
    this.running = this.supervise(resolve)
  }

  /** One that is still starting is not waited for: it ends with this process. */
  async stop(): Promise<void> {
    this.stopping.abort()
    if (!this.server) return
    await this.server.stop()
    await this.running
  }

  private async supervise(ready: (address: HistoryAddress) => void): Promise<void> {
    const { clock, logger } = this.parts
    let before: EmbeddedClickHouse | null = null
    for (let attempt = 0; !this.stopping.signal.aborted; attempt++) {
      try {
        const { server, ended } = await this.start(before)
        before = server
        await this.tellReaders(server)
        ready(addressOf(server))
        logger.info({ url: server.url }, 'history is ready')
        const reason = await ended
        if (this.stopping.signal.aborted) return
        attempt = 0
        logger.warn({ reason }, 'the embedded ClickHouse ended and is started again; history waits meanwhile')
      } catch (error) {
        if (error instanceof Misconfigured) {
          logger.error({ code: error.code }, `no history: ${error.message}`)
          return
        }
        logger.warn({ err: error }, 'the embedded ClickHouse did not start; it is tried again')
      }
      await clock.sleep(Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** attempt), this.stopping.signal)
    }
  }

  /** With the port and password of the one before, so that clients reconnect by themselves. */
  private async start(
    before: EmbeddedClickHouse | null,
  ): Promise<{ server: EmbeddedClickHouse; ended: Promise<string> }> {
    const { promise: ended, resolve } = Promise.withResolvers<string>()
    const server = await startEmbeddedClickHouse({
      data_dir: join(this.parts.data_dir, 'clickhouse'),
      on_exit: resolve,
      log: (line) => this.parts.logger.debug({ clickhouse: line }, 'clickhouse'),
      ...(before && {
        port: before.port,
        password: before.password,
        reader_password: before.reader_password,
      }),
    })
    this.server = server
    this.stopping.signal.addEventListener('abort', () => resolve('stopped'))
    if (this.stopping.signal.aborted) await server.stop()
    return { server, ended }
  }

  /** How people and tools on this machine reach the history: a file that only our user can read. */
  private async tellReaders({ url, reader_username, reader_password }: EmbeddedClickHouse): Promise<void> {
    const access = { url, database: DATABASE, username: reader_username, password: reader_password }
    await writeFile(join(this.parts.data_dir, 'history.json'), `${JSON.stringify(access, null, 2)}\n`, {
      mode: 0o600,
    })
  }
}

function addressOf(server: EmbeddedClickHouse): HistoryAddress {
  const reader = { username: server.reader_username, password: server.reader_password }
  return { url: server.url, username: server.username, password: server.password, database: DATABASE, reader }
}
