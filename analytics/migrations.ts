import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { onCluster } from './cluster.ts'
import { Misconfigured } from '../runtime/errors.ts'

interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: readonly string[]
}

const VERSIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS {database}.schema_migrations
  (
      version UInt32 COMMENT 'Number of the migration, applied in this order',
      name String COMMENT 'File that holds it',
      applied_at DateTime DEFAULT now() COMMENT 'When it was applied'
  )
  ENGINE = ReplacingMergeTree ORDER BY version
  COMMENT 'Which migrations of the schema were applied'`

/** The files `ddl/0001_….sql`, in order. Statements end with a semicolon at the end of a line. */
export function migrations(): readonly Migration[] {
  const folder = join(import.meta.dirname, 'ddl')
  const files = readdirSync(folder).filter((file) => /^\d{4}_\w+\.sql$/.test(file))
  return files.sort().map((name) => {
    const statements = readFileSync(join(folder, name), 'utf8').split(/;$/m)
    return {
      version: Number(name.slice(0, 4)),
      name,
      statements: statements.filter((text) => text.trim() !== ''),
    }
  })
}

/**
 * Brings the database to this program's schema; several processes may do so at once, since every statement may be
 * repeated. With `cluster`, on all servers of that cluster. Throws Misconfigured `history-schema-newer`, and whatever the client throws.
 */
export async function migrate(client: ClickHouseClient, database: string, cluster?: string): Promise<void> {
  const run = async (statement: string) => {
    const statements = cluster === undefined ? [statement] : onCluster(statement, cluster)
    for (const query of statements)
      await client.command({
        query: query.replaceAll('{database}', `\`${database}\``).replaceAll('{database_name}', database),
      })
  }
  await run('CREATE DATABASE IF NOT EXISTS {database}')
  await run(VERSIONS_TABLE)
  const applied = await appliedVersion(client, database)
  const known = migrations()
  const newest = known.at(-1)?.version ?? 0
  if (applied > newest) {
    throw new Misconfigured(
      'history-schema-newer',
      `the schema of ClickHouse database ${database} is version ${applied}, this program knows ${newest}: start the newer program, or name another clickhouse.database`,
    )
  }
  for (const migration of known) {
    if (migration.version <= applied) continue
    for (const statement of migration.statements) await run(statement)
    const values = [{ version: migration.version, name: migration.name }]
    await client.insert({
      table: `\`${database}\`.schema_migrations`,
      columns: ['version', 'name'],
      values,
      format: 'JSONEachRow',
    })
  }
}

async function appliedVersion(client: ClickHouseClient, database: string): Promise<number> {
  const query = `SELECT max(version) AS version FROM \`${database}\`.schema_migrations`
  const result = await client.query({ query, format: 'JSONEachRow' })
  const [row] = await result.json<{ version: number }>()
  return row?.version ?? 0
}
