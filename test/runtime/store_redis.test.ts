import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Fenced, Misconfigured, Retryable } from '../../runtime/errors.ts'
import { RedisStore, type RedisSettings } from '../../runtime/store/redis.ts'
import { storeContract } from '../contracts/store.ts'
import { eventually } from '../contracts/wait.ts'
import {
  type Controls,
  describeWith,
  freePort,
  redis,
  type RedisAddress,
  startRedis,
  uniqueName,
} from '../services/index.ts'

interface Line {
  readonly details: object
  readonly message: string
}

function settings(
  { host, port }: RedisAddress,
  changes: Partial<RedisSettings> & { lines?: Line[] } = {},
): RedisSettings {
  const { lines = [], ...others } = changes
  const keep = (details: object, message: string) => void lines.push({ details, message })
  return {
    url: `redis://${host}:${port}`,
    cluster: false,
    key_prefix: `${uniqueName('store')}:`,
    logger: { info: keep, warn: keep },
    clock: systemClock,
    ...others,
  }
}

const rows = (count: number, value: string) =>
  new Map(Array.from({ length: count }, (_, i) => [`row/${i}`, Buffer.from(`${value} ${i}`)]))

const commitOf = (
  version: number,
  put: ReadonlyMap<string, Buffer>,
  gone: readonly string[] = [],
  token = 'token',
) => ({
  token,
  version,
  position: version,
  put,
  delete: new Set(gone),
})

await describeWith(redis, 'the Redis store', (address) => {
  storeContract('Redis', async () => {
    const own = settings(address)
    let store = await RedisStore.open(own)
    return {
      store,
      async reopen() {
        await store.close()
        store = await RedisStore.open(own)
        return store
      },
      cleanup: () => store.close(),
    }
  })
})

type OwnRedis = RedisAddress & Controls

await describeWith(
  async () =>
    startRedis({
      arguments: [
        ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
        // Else it is the port and 10000, where anybody may be.
        ...['--cluster-port', String(await freePort())],
      ],
    }),
  'a cluster',
  (server: OwnRedis) => {
    const client = new Redis({ ...server })
    beforeAll(async () => {
      await client.cluster('ADDSLOTSRANGE', 0, 16_383)
      await eventually('the cluster is ready', async () =>
        (await client.cluster('INFO')).startsWith('cluster_state:ok'),
      )
    })
    afterAll(async () => {
      client.disconnect()
      await server.stop()
    })
    storeContract('Redis Cluster', async () => {
      const own = settings(server, { cluster: true })
      let store = await RedisStore.open(own)
      return {
        store,
        async reopen() {
          await store.close()
          store = await RedisStore.open(own)
          return store
        },
        cleanup: () => store.close(),
      }
    })
  },
)

await describeWith(startRedis, 'a Redis of its own', (server: OwnRedis) => {
  let store: RedisStore
  const lines: Line[] = []
  const client = new Redis({ ...server })
  beforeAll(async () => {
    store = await RedisStore.open(settings(server, { lines, command_timeout_ms: 2_000 }))
  })
  afterAll(async () => {
    client.disconnect()
    await store.close()
    await server.stop()
  })

  describe('a commit of 50,000 rows', () => {
    it('is seen whole or not at all, and leaves nothing behind', async () => {
      await store.claim('big', 'token')
      let version = await store.commit('big', commitOf(0, rows(50_000, 'old')))
      const sizes = new Set<string>()
      let is_committing = true
      const watching = (async () => {
        while (is_committing) {
          const [row] = await store.read('big', 'row/0')
          const [last] = await store.read('big', 'row/49999')
          sizes.add(`${row?.[1].toString()}, ${last?.[1].toString()}`)
        }
      })()
      version = await store.commit('big', commitOf(version, rows(50_000, 'new'), ['row/7', 'never there']))
      is_committing = false
      await watching
      // Of two reads the commit may fall in between, but never new before old.
      expect(['old 0, old 49999', 'old 0, new 49999', 'new 0, new 49999']).toEqual(
        expect.arrayContaining([...sizes]),
      )
      const found = new Map(await store.read('big', ''))
      expect(found.size).toBe(50_000)
      expect(found.get('row/7')?.toString()).toBe('new 7')
      expect(version).toBe(2)
      expect(await client.keys('*staged*')).toEqual([])
    })

    it('deletes as many', async () => {
      await store.claim('gone', 'token')
      const version = await store.commit('gone', commitOf(0, rows(50_000, 'old')))
      await store.commit('gone', commitOf(version, rows(1, 'kept'), [...rows(50_000, '').keys()].slice(1)))
      expect((await store.read('gone', '')).map(([key, value]) => [key, value.toString()])).toEqual([
        ['row/0', 'kept 0'],
      ])
    })

    it('is fenced as a whole, and what it staged goes away', async () => {
      await store.claim('fenced', 'token')
      await store.claim('fenced', 'newer')
      await expect(store.commit('fenced', commitOf(0, rows(50_000, 'stale')))).rejects.toBeInstanceOf(Fenced)
      expect(await store.read('fenced', '')).toEqual([])
      for (const key of await client.keys('*staged*')) expect(await client.pttl(key)).toBeGreaterThan(0)
    })
  })

  it('that was restarted ends the claims of before, and keeps the rows', async () => {
    const before = await store.claim('restarted', 'token')
    const version = await store.commit('restarted', commitOf(0, rows(10, 'before')))
    await server.kill9()
    await eventually('the loss is noticed', () => lines.some(({ message }) => message.includes('lost')))
    await expect(store.commit('restarted', commitOf(version, rows(10, 'lost')))).rejects.toMatchObject({
      name: 'Retryable',
      code: 'redis-unavailable',
    })
    await expect(store.ping()).rejects.toBeInstanceOf(Retryable)
    await server.restart()
    await eventually('it is back', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    // With other settings it might have lost acknowledged commits, and it cannot tell.
    await expect(store.commit('restarted', commitOf(version, rows(10, 'after')))).rejects.toBeInstanceOf(
      Fenced,
    )
    const claim = await store.claim('restarted', 'token')
    expect(claim).toMatchObject({ version, position: 0 })
    expect(claim.incarnation).not.toBe(before.incarnation)
    expect(await store.commit('restarted', commitOf(version, rows(10, 'after')))).toBe(version + 1)
    expect((await store.read('restarted', 'row/3'))[0]?.[1].toString()).toBe('after 3')
    expect(lines.some(({ message }) => message.includes('again'))).toBe(true)
  })

  it('is not waited for when it freezes', async () => {
    await server.pause()
    const own = store.ping().then(
      () => 'answered',
      (error: unknown) => error,
    )
    await expect(own).resolves.toMatchObject({ name: 'Retryable', code: 'redis-unavailable' })
    await server.resume()
    await eventually('it is back', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
  })

  it('that is out of memory says so, and works on when there is some', async () => {
    await store.claim('full', 'token')
    await client.config('SET', 'maxmemory', '1mb')
    await expect(store.commit('full', commitOf(0, rows(10, 'x')))).rejects.toMatchObject({
      name: 'Retryable',
      code: 'redis-oom',
    })
    await client.config('SET', 'maxmemory', '0')
    expect(await store.commit('full', commitOf(0, rows(10, 'x')))).toBe(1)
  })

  it('that became a replica says so, and takes no commit of the owner of before when it is the master again', async () => {
    await store.claim('replica', 'token')
    await client.replicaof('127.0.0.1', 1)
    await expect(store.commit('replica', commitOf(0, rows(1, 'x')))).rejects.toBeInstanceOf(Retryable)
    await client.replicaof('NO', 'ONE')
    await eventually('it is a master again', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    const late: unknown = await eventually('it answers commits', () =>
      store
        .commit('replica', commitOf(0, rows(1, 'x')))
        .catch((error: unknown) => (error instanceof Retryable ? null : error)),
    )
    expect(late).toBeInstanceOf(Fenced)
    await store.claim('replica', 'token')
    expect(await store.commit('replica', commitOf(0, rows(1, 'x')))).toBe(1)
  })

  it('that may evict is refused with the remedy', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const refused: unknown = await RedisStore.open(settings(server)).catch((error: unknown) => error)
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    expect(refused).toBeInstanceOf(Misconfigured)
    expect(refused).toMatchObject({ code: 'redis-eviction', message: expect.stringContaining('noeviction') })
  })

  it('that forbids CONFIG is taken with a warning', async () => {
    await client.acl('SETUSER', 'limited', 'on', '>s3cret', '~*', '&*', '+@all', '-config')
    const warnings: Line[] = []
    const limited = await RedisStore.open(
      settings(server, {
        url: `redis://limited@${server.host}:${server.port}`,
        password: 's3cret',
        lines: warnings,
      }),
    )
    await limited.ping()
    await limited.close()
    expect(warnings.map(({ details }) => details)).toEqual([{ code: 'redis-config-unknown' }])
  })

  it('that refuses the login says so without telling the password', async () => {
    const told: Line[] = []
    const url = `redis://limited@${server.host}:${server.port}`
    const refused: unknown = await RedisStore.open(
      settings(server, { url, password: 'hunter2', lines: told }),
    ).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'Misconfigured', code: 'redis-login-refused' })
    expect(JSON.stringify([told, String(refused)])).not.toContain('hunter2')
  })

  it('that cannot be reached is tried again until the caller gives up', async () => {
    const told: Line[] = []
    const giving_up = new AbortController()
    const opening = RedisStore.open(
      settings({ host: '127.0.0.1', port: 1 }, { password: 'hunter2', lines: told }),
      giving_up.signal,
    )
    await eventually('a line about it', () => told.length > 0)
    giving_up.abort()
    await expect(opening).rejects.toMatchObject({ name: 'Retryable', code: 'redis-unavailable' })
    expect(JSON.stringify(told)).not.toContain('hunter2')
  })
})

/** One address in front of two servers, as after a failover: connections to the one end when the other takes over. */
class Switch {
  private readonly server = createServer((socket) => this.join(socket))
  private readonly sockets = new Set<Socket>()
  private target: RedisAddress

  constructor(target: RedisAddress) {
    this.target = target
  }

  async open(): Promise<RedisAddress> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done))
    return { host: '127.0.0.1', port: (this.server.address() as AddressInfo).port }
  }

  leadTo(target: RedisAddress): void {
    this.target = target
    for (const socket of this.sockets) socket.destroy()
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((done) => this.server.close(done))
  }

  private join(socket: Socket): void {
    const there = connect(this.target)
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      this.sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => this.sockets.delete(one) && other.destroy())
    }
    socket.pipe(there).pipe(socket)
  }
}

await describeWith(
  () => Promise.all([startRedis(), startRedis()]),
  'a Redis that fails over to a copy',
  ([one, other]: readonly [OwnRedis, OwnRedis]) => {
    const before = new Redis({ ...one })
    const after = new Redis({ ...other })
    const path = new Switch(one)
    let store: RedisStore
    beforeAll(async () => {
      store = await RedisStore.open(settings(await path.open(), { key_prefix: 'failover:' }))
    })
    afterAll(async () => {
      before.disconnect()
      after.disconnect()
      await store.close()
      await path.close()
      await Promise.all([one.stop(), other.stop()])
    })
    afterEach(() => after.flushall())

    /** What a replica has at this moment. */
    async function copy(shard: string): Promise<void> {
      for (const key of await before.keys(`*{${shard}}:*`))
        await after.restore(key, 0, await before.dumpBuffer(key))
    }

    async function failOver(): Promise<void> {
      path.leadTo(other)
      await eventually('the copy answers', () =>
        store.ping().then(
          () => true,
          () => false,
        ),
      )
    }

    it('ends the claims of before, whether they are in the copy or not', async () => {
      path.leadTo(one)
      await eventually('it answers', () => store.claim('claims', 'first').catch(() => null))
      const version = await store.commit('claims', commitOf(0, rows(3, 'old'), [], 'first'))
      await copy('claims')
      const claim = await store.claim('claims', 'second')
      await store.commit('claims', commitOf(version, rows(3, 'lost'), [], 'second'))
      await failOver()
      // The copy knows of the first owner alone, who may have read rows of the second one.
      for (const token of ['first', 'second'])
        await expect(
          store.commit('claims', commitOf(version, rows(3, token), [], token)),
        ).rejects.toBeInstanceOf(Fenced)
      const next = await store.claim('claims', 'third')
      expect(next.incarnation).not.toBe(claim.incarnation)
      expect(next.version).toBe(version)
      expect((await store.read('claims', 'row/1'))[0]?.[1].toString()).toBe('old 1')
      expect(await store.commit('claims', commitOf(version, rows(3, 'new'), [], 'third'))).toBe(version + 1)
    })

    it('ends a load that the other began, since cursors differ', async () => {
      path.leadTo(one)
      await eventually('it answers', () => store.claim('load', 'token').catch(() => null))
      await store.commit('load', commitOf(0, rows(5_000, 'x')))
      await copy('load')
      const load = async () => {
        let pages = 0
        for await (const _ of store.rows('load')) if (++pages === 1) await failOver()
      }
      await expect(load()).rejects.toMatchObject({ name: 'Retryable', code: 'redis-changed' })
      let count = 0
      for await (const page of store.rows('load')) count += page.length
      expect(count).toBe(5_000)
    })
  },
)
