/** A real ClickHouse: a server in Docker, or else the embedded engine that Tocsin itself brings. */
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../../runtime/clickhouse.ts'
import { rm } from 'node:fs/promises'
import { Misconfigured } from '../../runtime/errors.ts'
import { runContainer } from './docker.ts'
import {
  type Controls,
  freePort,
  type Runner,
  run,
  temporaryFolder,
  Unavailable,
  uniqueName,
} from './runner.ts'

export interface ClickHouseAddress {
  readonly url: string
  readonly username: string
  readonly password: string
}

/** A ClickHouse of its own for one test file. Tests that share one keep to a database of their own (`uniqueName`). */
export async function startClickHouse(): Promise<ClickHouseAddress & Controls> {
  const port = await freePort()
  const address = { url: `http://127.0.0.1:${port}`, username: 'tocsin', password: uniqueName('password') }
  const probe = () => clickHouseAnswers(address)
  const container = {
    image: 'clickhouse/clickhouse-server:26.3',
    container_port: 8123,
    host_port: port,
    environment: {
      CLICKHOUSE_USER: address.username,
      CLICKHOUSE_PASSWORD: address.password,
      CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: '1',
    },
  }
  const controls =
    (await runContainer('ClickHouse', container, probe)) ??
    (await startEmbedded(port, address.password, probe))
  return { ...address, ...controls }
}

async function startEmbedded(
  port: number,
  password: string,
  probe: () => Promise<boolean>,
): Promise<Controls> {
  try {
    return await run('ClickHouse', embeddedRunner(await temporaryFolder('clickhouse'), port, password), probe)
  } catch (error) {
    if (error instanceof Misconfigured && error.code === 'clickhouse-not-installed')
      throw new Unavailable(
        'ClickHouse needs the npm package chdb: npm install --include=optional, or set TOCSIN_TEST_CLICKHOUSE=http://user:password@host:port',
      )
    throw error
  }
}

function embeddedRunner(data_dir: string, port: number, password: string): Runner {
  let server: EmbeddedClickHouse | undefined
  let ended: string | undefined
  const kill = async () => server?.stop()
  return {
    async launch() {
      ended = undefined
      const on_exit = (reason: string) => {
        ended = reason
      }
      server = await startEmbeddedClickHouse({ data_dir, port, password, on_exit, log: () => {} })
    },
    kill,
    pause: async () => void (server && process.kill(server.pid, 'SIGSTOP')),
    resume: async () => void (server && process.kill(server.pid, 'SIGCONT')),
    async remove() {
      await kill()
      await rm(data_dir, { recursive: true, force: true })
    },
    ended: () => ended,
  }
}

async function clickHouseAnswers(address: ClickHouseAddress): Promise<boolean> {
  const headers = { 'x-clickhouse-user': address.username, 'x-clickhouse-key': address.password }
  const response = await fetch(address.url, {
    method: 'POST',
    body: 'SELECT 1',
    headers,
    signal: AbortSignal.timeout(2_000),
  })
  return response.ok && (await response.text()) === '1\n'
}
