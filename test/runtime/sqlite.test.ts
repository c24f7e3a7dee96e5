import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Fenced, Misconfigured, Retryable } from '../../runtime/errors.ts'
import { SqliteLog } from '../../runtime/log/sqlite.ts'
import type { Append, Commit } from '../../runtime/ports.ts'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { StorageBroken } from '../../runtime/sqlite_file.ts'
import { SqliteStore } from '../../runtime/store/sqlite.ts'
import { readFrom, subscribeAlone } from '../contracts/owner.ts'
import type { Acknowledged } from './sqlite_child.ts'

const PARTITIONS = 4
const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'tocsin-sqlite-'))
  cleanups.push(() => rmSync(path, { recursive: true }))
  return path
}

async function open(data_dir: string, queue_max_bytes?: number) {
  const engine = new SqliteEngine({ data_dir, ...(queue_max_bytes === undefined ? {} : { queue_max_bytes }) })
  cleanups.push(() => engine.close())
  const log = await SqliteLog.open(engine, { clock: systemClock, partitions: PARTITIONS })
  return { engine, log, store: await SqliteStore.open(engine) }
}

function opening(data_dir: string): unknown {
  try {
    const engine = new SqliteEngine({ data_dir })
    cleanups.push(() => engine.close())
    return engine
  } catch (error) {
    return error
  }
}

const entry = (partition: number, value: string | Buffer): Append => ({
  topic: 'alerts',
  partition,
  value: Buffer.from(value),
})
const commitOf = (token: string, version: number, position: number): Commit => ({
  token,
  version,
  position,
  put: new Map([['key', Buffer.from(token)]]),
  delete: new Set(),
})

describe('group commit', () => {
  it('shares few fsyncs among many operations at the same time', async () => {
    const { engine, log, store } = await open(directory())
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.claim(`shard ${i}`, 'token')))
    const before = { ...engine.counters }
    const appends = Array.from({ length: 500 }, (_, i) => log.append([entry(i % PARTITIONS, `value ${i}`)]))
    const commits = Array.from({ length: 50 }, (_, i) => store.commit(`shard ${i}`, commitOf('token', 0, i)))
    await Promise.all([...appends, ...commits])
    expect(engine.counters.operations - before.operations).toBe(550)
    expect(engine.counters.fsyncs - before.fsyncs).toBeLessThanOrEqual(3)
  })

  it('lets an operation fail alone, with all that it wrote', async () => {
    const { engine, log, store } = await open(directory())
    await store.claim('shard', 'new')
    engine.execute('CREATE TABLE made_for_test (n INTEGER PRIMARY KEY) STRICT')
    const insert = engine.prepare('INSERT INTO made_for_test VALUES (?)')
    const outcomes = await Promise.allSettled([
      log.append([entry(0, 'before')]),
      store.commit('shard', commitOf('old', 0, 9)),
      engine.write(0, () => {
        insert.run(1)
        throw new Error('changed my mind')
      }),
      engine.write(0, () => insert.run('no number')),
      engine.write(0, () => insert.run(2)),
      store.commit('shard', commitOf('new', 0, 5)),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(outcomes[1]).toMatchObject({ reason: expect.any(Fenced) as unknown })
    expect(outcomes[2]).toMatchObject({ reason: { message: 'changed my mind' } })
    expect(engine.prepare('SELECT n FROM made_for_test').all()).toMatchObject([{ n: 2 }])
    expect(await store.position('shard')).toBe(5)
    expect((await log.bounds('alerts'))[0]?.next).toBe(1)
  })

  it('shows no reader what is not durable', async () => {
    const { engine, store } = await open(directory())
    await store.claim('shard', 'token')
    const durable_before = engine.counters.operations
    const seen = Promise.withResolvers<{ count: unknown; durable: number }>()
    const written = engine.write(0, () => {
      engine.execute(
        'CREATE TABLE made_for_test (n INTEGER PRIMARY KEY) STRICT; INSERT INTO made_for_test VALUES (1)',
      )
      // Runs when the transaction is over and the fsync is under way.
      queueMicrotask(() => {
        const query = () => ({
          count: engine.prepare('SELECT count(*) AS n FROM made_for_test').get()?.['n'],
          durable: engine.counters.operations,
        })
        seen.resolve(engine.read(query))
      })
    })
    expect(await seen.promise).toEqual({ count: 1, durable: durable_before + 1 })
    await written
  })

  it('refuses more than it may hold while the disk is busy', async () => {
    const { log } = await open(directory(), 10_000)
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map((n) => log.append([entry(0, Buffer.alloc(4_000, n))])),
    )
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ])
    expect(outcomes[2]).toMatchObject({ reason: { name: 'Retryable', code: 'storage-overloaded' } })
    expect(
      await log.append([entry(0, Buffer.alloc(20_000))]),
      'one that is larger than the bound, alone',
    ).toEqual([2])
  })
})

function child(
  data_dir: string,
  run: string,
): { process: ChildProcess; acknowledged: Acknowledged[]; enough: Promise<void> } {
  const path = join(import.meta.dirname, 'sqlite_child.ts')
  const started = spawn(process.execPath, [path, data_dir, run], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanups.push(() => void started.kill('SIGKILL'))
  const acknowledged: Acknowledged[] = []
  const enough = Promise.withResolvers<undefined>()
  createInterface({ input: started.stdout })
    .on('line', (line) => {
      acknowledged.push(JSON.parse(line) as Acknowledged)
      if (acknowledged.length === 300) enough.resolve(undefined)
    })
    .on('close', () =>
      enough.reject(new Error(`the child ended after ${acknowledged.length} acknowledgements`)),
    )
  return { process: started, acknowledged, enough: enough.promise }
}

describe('a killed process', () => {
  it('has lost nothing that it acknowledged', { timeout: 90_000 }, async () => {
    const data_dir = directory()
    const acknowledged: Acknowledged[] = []
    for (const run of ['first', 'second', 'third']) {
      const running = child(data_dir, run)
      await running.enough
      running.process.kill('SIGKILL')
      await once(running.process, 'close')
      acknowledged.push(...running.acknowledged)
    }
    const { log, store } = await open(data_dir)
    const { owner } = await subscribeAlone(log, 'alerts', 'check')
    const bounds = await log.bounds('alerts')
    for (const [partition, { first, next }] of bounds.entries()) {
      const entries = await readFrom(owner.reader(partition), first, next - first)
      const texts = new Map(entries.map((found) => [found.position, found.value.toString().trimEnd()]))
      const expected = acknowledged.filter((known) => known.partition === partition)
      expect(expected.length).toBeGreaterThan(0)
      for (const { position, text } of expected) expect(texts.get(position)).toBe(text)
    }
    for (const { partition, text, position } of acknowledged) {
      expect(await store.position(`work/${partition}/${text.split(' ')[1]}`)).toBeGreaterThan(position)
    }
  })

  it('leaves its directory to the next, and a running one does not', { timeout: 60_000 }, async () => {
    const data_dir = directory()
    const running = child(data_dir, 'only')
    await running.enough
    const refused = opening(data_dir)
    expect(refused).toBeInstanceOf(Misconfigured)
    expect(refused).toMatchObject({ code: 'data-dir-in-use' })
    expect(String(refused)).toContain(data_dir)
    running.process.kill('SIGKILL')
    await once(running.process, 'close')
    expect(opening(data_dir)).toBeInstanceOf(SqliteEngine)
    expect(opening(data_dir), 'twice in one process').toMatchObject({ code: 'data-dir-in-use' })
  })
})

describe('a failing disk', () => {
  it('that is full fails what waits with Retryable, loses nothing acknowledged, and is used again when there is room', async ({
    skip,
  }) => {
    const data_dir = directory()
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', data_dir], { stdio: 'pipe' })
    } catch (error) {
      skip(`no file system may be mounted here: ${String(error)}`)
    }
    cleanups.push(() => void execFileSync('umount', [data_dir]))
    writeFileSync(join(data_dir, 'ballast'), Buffer.alloc(3_000_000))
    const { engine, log } = await open(data_dir)
    const values = Array.from({ length: 400 }, (_, i) => Buffer.alloc(9_000, i))
    const outcomes = await Promise.allSettled(
      values.map(async (value, i) => {
        // In several groups, so that some still find room.
        for (let turn = 0; turn < i / 20; turn += 1) await engine.write(0, () => undefined)
        return log.append([entry(0, value)])
      }),
    )
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(failed.length).toBeGreaterThan(0)
    for (const { reason } of failed) {
      expect(reason).toBeInstanceOf(Retryable)
      expect(reason).toMatchObject({ code: 'disk-full' })
    }
    rmSync(join(data_dir, 'ballast'))
    const [position = -1] = await log.append([entry(0, 'room again')])
    await log.close()
    await engine.close()

    const again = await open(data_dir)
    const { owner } = await subscribeAlone(again.log, 'alerts', 'check')
    const kept = outcomes.flatMap((outcome, i) =>
      outcome.status === 'fulfilled' ? [[outcome.value[0], values[i]] as const] : [],
    )
    expect(kept.length).toBeGreaterThan(0)
    const entries = await readFrom(owner.reader(0), 0, kept.length + 1)
    const found = new Map(entries.map((one) => [one.position, one.value]))
    for (const [at = -1, value = Buffer.alloc(0)] of kept) expect(found.get(at)?.equals(value)).toBe(true)
    expect(found.get(position)?.toString()).toBe('room again')
    await again.engine.close()
  })

  it('that lost the file under the process ends everything, now and later', async () => {
    const data_dir = directory()
    const { log, store } = await open(data_dir)
    await log.append([entry(0, 'fine')])
    rmSync(join(data_dir, 'tocsin.db-wal'))
    const outcomes = await Promise.allSettled([log.append([entry(0, 'lost')]), store.claim('shard', 'token')])
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: expect.any(StorageBroken) as unknown })
    await expect(log.append([entry(0, 'later')])).rejects.toMatchObject({ code: 'storage-broken' })
    await expect(store.read('shard', '')).rejects.toMatchObject({ code: 'storage-broken' })
    await expect(log.ping()).rejects.toMatchObject({ code: 'storage-broken' })
  })

  it('whose WAL was cut short keeps a beginning of what was written', async () => {
    const data_dir = directory()
    const running = child(data_dir, 'cut')
    await running.enough
    running.process.kill('SIGKILL')
    await once(running.process, 'close')
    truncateSync(join(data_dir, 'tocsin.db-wal'), 2_000_001)
    const { log } = await open(data_dir)
    const { owner } = await subscribeAlone(log, 'alerts', 'check')
    for (const [partition, { next }] of (await log.bounds('alerts')).entries()) {
      expect(next).toBeGreaterThan(0)
      const entries = await readFrom(owner.reader(partition), 0, next)
      expect(entries.map((found) => found.position)).toEqual(
        Array.from({ length: next }, (_, position) => position),
      )
    }
    expect((await log.append([entry(0, 'goes on')])).length).toBe(1)
  })
})

describe('a data directory', () => {
  it('that cannot be one is refused', () => {
    const data_dir = directory()
    writeFileSync(join(data_dir, 'file'), 'x')
    expect(opening(join(data_dir, 'file'))).toMatchObject({
      name: 'Misconfigured',
      code: 'data-dir-unusable',
    })
    mkdirSync(join(data_dir, 'odd', 'tocsin.db'), { recursive: true })
    expect(opening(join(data_dir, 'odd'))).toMatchObject({ name: 'Misconfigured', code: 'data-dir-unusable' })
  })

  it('of a newer program is refused', async () => {
    const data_dir = directory()
    const { engine } = await open(data_dir)
    await engine.close()
    const db = new DatabaseSync(join(data_dir, 'tocsin.db'))
    db.exec('PRAGMA user_version = 1000')
    db.close()
    expect(opening(data_dir)).toMatchObject({ name: 'Misconfigured', code: 'database-newer' })
  })

  it('with a damaged file is refused, and left as it is for another try', () => {
    const data_dir = directory()
    writeFileSync(join(data_dir, 'tocsin.db'), Buffer.alloc(40_000, 'no database'))
    for (const _ of [1, 2])
      expect(opening(data_dir)).toMatchObject({ name: 'Misconfigured', code: 'database-corrupt' })
  })

  it('made with another number of partitions is refused', async () => {
    const data_dir = directory()
    const { engine } = await open(data_dir)
    await expect(SqliteLog.open(engine, { clock: systemClock, partitions: 5 })).rejects.toMatchObject({
      name: 'Misconfigured',
      code: 'partitions-fixed',
    })
  })
})
