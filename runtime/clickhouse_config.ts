/**
 * Configuration files of the embedded ClickHouse. Users: the given one with all rights, a reader that can only select,
 * and `default`, as whom the engine runs its opening statements and which cannot have a password. It may do nothing but
 * start to listen, and only while no other query runs; since the statement that keeps the engine listening never ends,
 * nobody else can do anything as `default`.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface EngineConfig {
  readonly username: string
  readonly reader_username: string
  readonly password: string
  readonly reader_password: string
  /** Random value of this start, readable as `getMacro('instance')`. */
  readonly instance: string
  readonly memory_max_bytes: number
}

const MARK_CACHE_BYTES = 64 * 1024 * 1024
const CONCURRENT_QUERIES_MAX = 64

function serverXml(config: EngineConfig): string {
  return `<clickhouse>
  <users_config>users.xml</users_config>
  <macros><instance>${config.instance}</instance></macros>
  <max_server_memory_usage>${config.memory_max_bytes}</max_server_memory_usage>
  <mark_cache_size>${MARK_CACHE_BYTES}</mark_cache_size>
  <max_concurrent_queries>${CONCURRENT_QUERIES_MAX}</max_concurrent_queries>
  <send_crash_reports><enabled>false</enabled></send_crash_reports>
  <logger><console>0</console><log>clickhouse.log</log><size>10M</size><count>2</count></logger>
</clickhouse>
`
}

function userXml(name: string, password_sha256: string, profile: string, grants = ''): string {
  return `<${name}><password_sha256_hex>${password_sha256}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>
    <profile>${profile}</profile><quota>default</quota>${grants}</${name}>`
}

function sha256(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}

function usersXml(config: EngineConfig): string {
  return `<clickhouse>
  <profiles>
    <default></default>
    <reader><readonly>2</readonly></reader>
    <engine>
      <max_concurrent_queries_for_all_users>1</max_concurrent_queries_for_all_users>
      <constraints><max_concurrent_queries_for_all_users><const/></max_concurrent_queries_for_all_users></constraints>
    </engine>
  </profiles>
  <quotas><default></default></quotas>
  <users>
    <default><password></password><networks><ip>::1</ip></networks><profile>engine</profile><quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants></default>
    ${userXml(config.username, sha256(config.password), 'default')}
    ${userXml(config.reader_username, sha256(config.reader_password), 'reader', '<grants><query>GRANT SELECT, SHOW ON *.*</query></grants>')}
  </users>
</clickhouse>
`
}

/** Writes the configuration into a folder that only this user can read; returns the path of the main file. */
export async function writeEngineConfig(folder: string, config: EngineConfig): Promise<string> {
  const path = join(folder, 'config.xml')
  await writeFile(path, serverXml(config), { mode: 0o600 })
  await writeFile(join(folder, 'users.xml'), usersXml(config), { mode: 0o600 })
  return path
}
