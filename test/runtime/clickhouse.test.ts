import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from '../../runtime/clickhouse.ts'

const quiet = { on_exit: () => {}, log: () => {} }

let data_dir: string
const clients: ClickHouseClient[] = []

async function temporaryDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tocsin-test-embedded-'))
}

function clientOf(server: EmbeddedClickHouse, username = server.username): ClickHouseClient {
  const client = createClient({
    url: server.url,
    username,
    password: username === server.reader_username ? server.reader_password : server.password,
    log: { level: ClickHouseLogLevel.OFF },
  })
  clients.push(client)
  return client
}

async function numbersIn(client: ClickHouseClient, table: string): Promise<number[]> {
  const result = await client.query({ query: `SELECT n FROM ${table} ORDER BY n`, format: 'JSONEachRow' })
  return (await result.json<{ n: number }>()).map(({ n }) => n)
}

async function createTable(client: ClickHouseClient, table: string, settings = ''): Promise<void> {
  await client.command({
    query: `CREATE TABLE ${table} (n UInt32) ENGINE = MergeTree ORDER BY n ${settings}`,
  })
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 20))
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

describe('an embedded ClickHouse that runs', () => {
  let server: EmbeddedClickHouse
  beforeAll(async () => {
    data_dir = await temporaryDir()
    server = await startEmbeddedClickHouse({ data_dir, ...quiet })
  })
  afterAll(async () => {
    await server.stop()
    await rm(data_dir, { recursive: true })
  })

  it('takes rows and gives them back', async () => {
    const client = clientOf(server)
    await createTable(client, 'kept')
    await client.insert({ table: 'kept', values: [{ n: 2 }, { n: 1 }], format: 'JSONEachRow' })
    expect(await numbersIn(client, 'kept')).toEqual([1, 2])
  })

  it('inserts once what is sent twice with one deduplication token', async () => {
    const client = clientOf(server)
    await createTable(client, 'deduplicated', 'SETTINGS non_replicated_deduplication_window = 100')
    const insert = (n: number, insert_deduplication_token: string) =>
      client.insert({
        table: 'deduplicated',
        values: [{ n }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token },
      })
    await insert(1, 'batch-1')
    await insert(1, 'batch-1')
    await insert(2, 'batch-2')
    expect(await numbersIn(client, 'deduplicated')).toEqual([1, 2])
  })

  it('answers nobody without its password', async () => {
    for (const user of ['default', server.username, server.reader_username])
      for (const query of [
        'SELECT 1',
        'SELECT 1 SETTINGS max_concurrent_queries_for_all_users = 0',
        'SYSTEM STOP LISTEN HTTP',
        'KILL QUERY WHERE 1',
      ]) {
        const headers = { 'x-clickhouse-user': user }
        const response = await fetch(server.url, { method: 'POST', body: query, headers })
        expect(response.ok, `${user}: ${query}`).toBe(false)
      }
    expect((await clientOf(server).ping({ select: true })).success).toBe(true)
  })

  it('lets the reader select, and neither write nor read files nor reach the network', async () => {
    await createTable(clientOf(server), 'guarded')
    const reader = clientOf(server, server.reader_username)
    expect(await numbersIn(reader, 'guarded')).toEqual([])
    for (const query of [
      'INSERT INTO guarded VALUES (1)',
      'DROP TABLE guarded',
      `SELECT * FROM file('/etc/hostname', 'LineAsString')`,
      `SELECT * FROM url('${server.url}/ping', 'LineAsString')`,
    ])
      await expect(reader.query({ query }), query).rejects.toMatchObject({
        type: expect.stringMatching(/^(ACCESS_DENIED|READONLY)$/),
      })
  })

  it('refuses a query beyond its memory with an error and answers the next one', async () => {
    const client = clientOf(server)
    await expect(
      client.query({ query: 'SELECT groupArray(number) FROM numbers(1000000000)' }),
    ).rejects.toMatchObject({
      type: 'MEMORY_LIMIT_EXCEEDED',
    })
    expect((await client.ping({ select: true })).success).toBe(true)
  })

  it('refuses a second server on its directory, says which process has it, and goes on', async () => {
    await expect(startEmbeddedClickHouse({ data_dir, ...quiet })).rejects.toMatchObject({
      code: 'clickhouse-dir-in-use',
      message: expect.stringContaining(`process ${server.pid}`),
    })
    expect((await clientOf(server).ping({ select: true })).success).toBe(true)
  })

  it('refuses a port that is taken', async () => {
    const other_dir = await temporaryDir()
    const { port } = server
    await expect(startEmbeddedClickHouse({ data_dir: other_dir, port, ...quiet })).rejects.toMatchObject({
      code: 'clickhouse-port-in-use',
    })
    await rm(other_dir, { recursive: true })
  })
})

const parent_entry = fileURLToPath(new URL('clickhouse_parent.ts', import.meta.url))

describe('an embedded ClickHouse that is not installed', () => {
  it('is refused with the remedy', async () => {
    // Where chdb looks for its engine first: with nothing there it is as if the optional package were missing.
    const env = { CHDB_LIBCHDB_PATH: join(tmpdir(), 'no-engine-here') }
    const child = spawn(process.execPath, [parent_entry, tmpdir()], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    })
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString()
    })
    const [code] = (await once(child, 'close')) as [number]
    expect(code).not.toBe(0)
    expect(said).toContain("code: 'clickhouse-not-installed'")
    expect(said).toContain('npm install --include=optional')
  })
})

describe('an embedded ClickHouse that ends', () => {
  beforeEach(async () => {
    data_dir = await temporaryDir()
  })
  afterEach(() => rm(data_dir, { recursive: true }))

  it('has every acknowledged row after kill -9 and a start on the same directory', async () => {
    const reasons: string[] = []
    const first = await startEmbeddedClickHouse({
      data_dir,
      log: () => {},
      on_exit: (reason) => reasons.push(reason),
    })
    const client = clientOf(first)
    await createTable(client, 'kept')
    for (const n of [1, 2, 3]) await client.insert({ table: 'kept', values: [{ n }], format: 'JSONEachRow' })
    process.kill(first.pid, 'SIGKILL')
    await until(() => reasons.length > 0)
    expect(reasons).toEqual(['signal SIGKILL'])

    const { port, password } = first
    const second = await startEmbeddedClickHouse({ data_dir, port, password, ...quiet })
    expect(await numbersIn(client, 'kept')).toEqual([1, 2, 3])
    await second.stop()
  })

  it('is gone when stop resolves and reports no exit', async () => {
    const reasons: string[] = []
    const server = await startEmbeddedClickHouse({
      data_dir,
      log: () => {},
      on_exit: (reason) => reasons.push(reason),
    })
    await server.stop()
    expect(alive(server.pid)).toBe(false)
    await expect(fetch(server.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    expect(reasons).toEqual([])
  })

  it('dies with its parent when that is killed with -9', async () => {
    const parent: ChildProcess = spawn(process.execPath, [parent_entry, data_dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer]
    const pid = Number(line)
    expect(alive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await until(() => !alive(pid))
    // Its directory is free again.
    await (await startEmbeddedClickHouse({ data_dir, ...quiet })).stop()
  })
})
