/**
 * The schema on a cluster, made of the same statements. Each table becomes a replicated table on every shard, `…_local`, and one of
 * its own name over all shards, that everything else writes and reads. Rows go by partition of their log: what one insert writes
 * stays in one part of one shard, so that it is there as a whole or not at all, and all rows of an incident are on one shard. The servers
 * need the macros `shard` and `replica`.
 */

const CREATE_TABLE =
  /CREATE TABLE IF NOT EXISTS (\{database\})\.(\w+)\s*(\([\s\S]*\n\s*\))\s*ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?/
const ALTER_TABLE = /ALTER TABLE (\{database\})\.(\w+)/
const CODECS = / CODEC\((?:[^()]|\([^()]*\))*\)/g
/** A partition of a log has the same number in every row of it; what is no row of a log is small, and on one shard. */
const SHARD_KEY = 'log_partition'

/** The statements that stand on a cluster for one of the schema. */
export function onCluster(statement: string, cluster: string): string[] {
  const on = `ON CLUSTER \`${cluster}\``
  const created = CREATE_TABLE.exec(statement)
  if (created) {
    const [head, database, table, columns = '', engine, version] = created
    const path = `'/clickhouse/tables/{shard}/{database_name}/${table}', '{replica}'`
    const rest = statement
      .slice(created.index + head.length)
      .replace(
        'non_replicated_deduplication_window = 20000',
        'replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800',
      )
    const key = columns.includes(`${SHARD_KEY} `) ? SHARD_KEY : '0'
    const replicated = `Replicated${engine}(${path}${version ? `, ${version}` : ''})`
    const comment = /COMMENT '(?:[^'\\]|\\.|'')*'\s*$/.exec(rest)?.[0] ?? ''
    return [
      `CREATE TABLE IF NOT EXISTS ${database}.${table}_local ${on} ${columns} ENGINE = ${replicated}${rest}`,
      `CREATE TABLE IF NOT EXISTS ${database}.${table} ${on} ${columns.replaceAll(CODECS, '').replaceAll(/,\s*INDEX [^\n]*/g, '')}
       ENGINE = Distributed(\`${cluster}\`, ${database}, ${table}_local, ${key}) ${comment}`,
    ]
  }
  const altered = ALTER_TABLE.exec(statement)
  if (altered) {
    const [head, database, table] = altered
    const local = statement.replace(head, `ALTER TABLE ${database}.${table}_local ${on}`)
    return [local, statement.replace(head, `ALTER TABLE ${database}.${table} ${on}`).replaceAll(CODECS, '')]
  }
  return [
    statement.replace(
      /^(\s*CREATE (?:OR REPLACE )?(?:VIEW|DATABASE)(?: IF NOT EXISTS)? [{}\w.]+)/,
      `$1 ${on}`,
    ),
  ]
}
