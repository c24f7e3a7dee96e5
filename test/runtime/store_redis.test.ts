import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Fenced, Misconfigured, Retryable } from '../../runtime/errors.ts'
import { RedisStore, type RedisSettings } from '../../runtime/store/redis.ts'
import { storeContract } from '../contracts/store.ts'
import { eventually } from '../contracts/wait.ts'
import {
  type Controls,
  describeWith,
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
  () => startRedis({ arguments: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] }),
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

  it('may be restarted between claim and commit', async () => {
    await store.claim('restarted', 'token')
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
    // Scripts are forgotten over a restart, claims are not.
    const next = await store.commit('restarted', commitOf(version, rows(10, 'after')))
    expect(next).toBe(version + 1)
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

  it('that became a replica says so', async () => {
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
    await eventually('it takes the commit', () =>
      store.commit('replica', commitOf(0, rows(1, 'x'))).catch(() => null),
    )
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
