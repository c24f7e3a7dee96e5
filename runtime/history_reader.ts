import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { Loaded } from './config.ts'
import { Misconfigured } from './errors.ts'

const REQUEST_TIMEOUT_MS = 60_000

interface Access {
  readonly url: string
  readonly database: string
  readonly username: string
  readonly password: string
}

/** The history of a configuration for questions, for programs beside the running one. Throws Misconfigured `history-unreachable`. */
export async function openHistoryReader({ config, secret }: Loaded): Promise<ClickHouseClient> {
  const { clickhouse } = config
  const access: Access = clickhouse
    ? { ...clickhouse, password: clickhouse.password ? secret(clickhouse.password) : '' }
    : embeddedAccess(config.data_dir)
  const { url, database, username, password } = access
  const client = createClient({
    url,
    database,
    username,
    password,
    request_timeout: REQUEST_TIMEOUT_MS,
    application: 'tocsin',
    log: { level: ClickHouseLogLevel.OFF },
  })
  const answer = await client.ping({ select: true })
  if (answer.success) return client
  await client.close()
  throw new Misconfigured(
    'history-unreachable',
    `the history does not answer at ${url}: ${clickhouse ? 'start ClickHouse, or correct `clickhouse`' : 'start tocsin, whose history it is'}`,
  )
}

/** A running tocsin tells readers on this machine how to reach its history. */
function embeddedAccess(data_dir: string): Access {
  const path = join(data_dir, 'history.json')
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Access
  } catch {
    throw new Misconfigured(
      'history-unreachable',
      `there is no history in ${data_dir} (${path} cannot be read): start tocsin once, or name its configuration with --config`,
    )
  }
}
