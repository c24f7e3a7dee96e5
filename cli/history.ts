import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { z } from 'zod'
import { openReader } from '../analytics/connection.ts'
import type { Loaded } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'

/** What a running tocsin with a ClickHouse of its own writes for readers on its machine (runtime/history_server.ts). */
const access = z.object({
  url: z.string(),
  database: z.string(),
  username: z.string(),
  password: z.string(),
})

/** The history of the configuration, to be read. Throws Misconfigured where there is none. */
export function historyOf({ config, secret }: Pick<Loaded, 'config' | 'secret'>): ClickHouseClient {
  const { clickhouse, data_dir } = config
  if (!clickhouse) return openReader(embeddedAccess(data_dir))
  const { url, database, username, password } = clickhouse
  return openReader({ url, database, username, password: password ? secret(password) : '' })
}

function embeddedAccess(data_dir: string) {
  const file = join(data_dir, 'history.json')
  try {
    return access.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    throw new Misconfigured(
      'no-history',
      `${file} does not say where the history is: start tocsin with this configuration, and try again when it says "history is ready"`,
    )
  }
}
