import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fenced } from '../../runtime/errors.ts'
import type { Claim, Commit, Position, Shard, Store } from '../../runtime/ports.ts'
import { fresh, PATIENCE_MS } from './wait.ts'

export interface StoreUnderTest {
  /** Rows of earlier runs may be in it. */
  readonly store: Store
  /** Closes the store in use and opens it again over the same data; left out where data lives no longer than the store. */
  readonly reopen?: () => Promise<Store>
  /** Called once at the end. */
  readonly cleanup: () => Promise<void>
}

/**
 * What every adapter of the port Store does. `make` is called once; every test has shards of its own.
 * `lacks`: what an adapter does not have by its nature; the test of that is then not part of its contract.
 */
export function storeContract(
  name: string,
  make: () => Promise<StoreUnderTest>,
  lacks: readonly 'reopen'[] = [],
): void {
  describe(`store: ${name}`, { timeout: 2 * PATIENCE_MS }, () => {
    const subject: { made: StoreUnderTest | null; store: Store | null } = { made: null, store: null }
    const store = (): Store => subject.store ?? raise('the store was not made')

    beforeAll(async () => {
      subject.made = await make()
      subject.store = subject.made.store
    }, 2 * PATIENCE_MS)
    afterAll(async () => {
      await subject.made?.cleanup()
    }, 2 * PATIENCE_MS)

    claimContract(store)
    fenceContract(store)
    rowContract(store)
    readContract(store)
    if (!lacks.includes('reopen')) restartContract(subject, store)
  })
}

function restartContract(
  subject: { made: StoreUnderTest | null; store: Store | null },
  store: () => Store,
): void {
  it('keeps everything over a restart', async () => {
    const reopen = subject.made?.reopen ?? raise('this store has no reopen')
    const shard = fresh('test/restart/0')
    await store().claim(shard, 'token')
    const version = await store().commit(
      shard,
      change(0, { put: { kept: 'value', 'kept too': '' }, position: 41 }),
    )
    subject.store = await reopen()
    expect(await store().position(shard)).toBe(41)
    expect(await all(store(), shard)).toEqual({ kept: 'value', 'kept too': '' })
    const next = await store().commit(shard, change(version, { position: 42 }))
    expect(next, 'the owner of before may go on').toBeGreaterThan(version)
    expect(await store().claim(shard, 'other')).toMatchObject({ version: next, position: 42 })
  })
}

function raise(message: string): never {
  throw new Error(message)
}

interface Change {
  readonly token?: string
  readonly position?: Position | null
  readonly put?: Readonly<Record<string, string | Buffer>>
  readonly delete?: readonly string[]
}

function change(
  version: number,
  { token = 'token', position = null, put = {}, delete: gone = [] }: Change,
): Commit {
  const rows = Object.entries(put).map(([key, value]) => [key, Buffer.from(value)] as const)
  return { token, version, position, put: new Map(rows), delete: new Set(gone) }
}

/** All rows as text. A key that comes twice is an error. */
async function all(store: Store, shard: Shard): Promise<Record<string, string>> {
  const rows = new Map<string, string>()
  for await (const page of store.rows(shard)) {
    for (const [key, value] of page) {
      if (rows.has(key)) throw new Error(`key ${key} came twice`)
      rows.set(key, value.toString())
    }
  }
  return Object.fromEntries(rows)
}

async function seen(
  store: Store,
  shard: Shard,
): Promise<{ rows: Record<string, string>; position: Position | null }> {
  return { rows: await all(store, shard), position: await store.position(shard) }
}

function claimContract(store: () => Store): void {
  describe('claim', () => {
    it('of a shard that never was begins with nothing', async () => {
      const shard = fresh('test/claim/0')
      await store().ping()
      expect(await seen(store(), shard)).toEqual({ rows: {}, position: null })
      const claim: Claim = await store().claim(shard, 'token')
      expect(claim).toMatchObject({ version: 0, position: null })
      expect(await seen(store(), shard)).toEqual({ rows: {}, position: null })
      expect(await store().read(shard, '')).toEqual([])
    })

    it('says version and position of the last commit, and resets nothing', async () => {
      const shard = fresh('test/claim/1')
      await store().claim(shard, 'token')
      const first = await store().commit(shard, change(0, { position: 7, put: { a: '1' } }))
      expect(first).toBeGreaterThan(0)
      const second = await store().commit(shard, change(first, { position: 9, put: { b: '2' } }))
      expect(second).toBeGreaterThan(first)
      for (const token of ['other', 'other', 'token']) {
        expect(await store().claim(shard, token)).toMatchObject({ version: second, position: 9 })
      }
      expect(await seen(store(), shard)).toEqual({ rows: { a: '1', b: '2' }, position: 9 })
    })

    it('of a shard that was claimed and never committed is version 0 still', async () => {
      const shard = fresh('test/claim/2')
      await store().claim(shard, 'one')
      expect(await store().claim(shard, 'two')).toMatchObject({ version: 0, position: null })
    })

    it('names the same copy of the data for as long as nothing happens to it', async () => {
      const shard = fresh('test/claim/3')
      const { incarnation } = await store().claim(shard, 'one')
      await store().commit(shard, change(0, { token: 'one', put: { a: '1' } }))
      expect((await store().claim(shard, 'two')).incarnation).toBe(incarnation)
    })
  })
}

function fenceContract(store: () => Store): void {
  const refused = async (shard: Shard, commit: Commit): Promise<void> => {
    await expect(store().commit(shard, commit)).rejects.toBeInstanceOf(Fenced)
  }

  describe('a commit', () => {
    it('by a token that was overtaken is fenced and writes nothing', async () => {
      const shard = fresh('test/fence/0')
      await store().claim(shard, 'old')
      const version = await store().commit(
        shard,
        change(0, { token: 'old', position: 3, put: { a: 'old', b: 'old' } }),
      )
      await store().claim(shard, 'new')
      await refused(
        shard,
        change(version, { token: 'old', position: 4, put: { a: 'stale', c: 'stale' }, delete: ['b'] }),
      )
      expect(await seen(store(), shard)).toEqual({ rows: { a: 'old', b: 'old' }, position: 3 })
      const next = await store().commit(shard, change(version, { token: 'new', position: 5, delete: ['b'] }))
      expect(next).toBeGreaterThan(version)
      expect(await seen(store(), shard)).toEqual({ rows: { a: 'old' }, position: 5 })
    })

    it('on another version is fenced and writes nothing', async () => {
      const shard = fresh('test/fence/1')
      await store().claim(shard, 'token')
      const version = await store().commit(shard, change(0, { position: 1, put: { a: '1' } }))
      await refused(shard, change(0, { position: 2, put: { a: 'stale' } }))
      await refused(shard, change(version + 1, { position: 2, put: { a: 'early' } }))
      expect(await seen(store(), shard)).toEqual({ rows: { a: '1' }, position: 1 })
      expect(await store().claim(shard, 'token')).toMatchObject({ version, position: 1 })
    })

    it('to a shard that nobody claimed is fenced', async () => {
      const shard = fresh('test/fence/2')
      await refused(shard, change(0, { position: 1, put: { a: '1' } }))
      expect(await seen(store(), shard)).toEqual({ rows: {}, position: null })
    })

    it('wins once among many at the same time, and lets others through', async () => {
      const [shard, other] = [fresh('test/fence/3'), fresh('test/fence/4')]
      await store().claim(shard, 'token')
      await store().claim(other, 'token')
      const racing = Array.from({ length: 10 }, (_, i) =>
        store().commit(shard, change(0, { position: i, put: { [`key ${i}`]: 'x' } })),
      )
      const beside = store().commit(other, change(0, { put: { beside: 'x' } }))
      const outcomes = await Promise.allSettled(racing)
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
      const losers = outcomes.filter((outcome) => outcome.status === 'rejected')
      for (const { reason } of losers) expect(reason).toBeInstanceOf(Fenced)
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled')
      expect(await seen(store(), shard)).toEqual({ rows: { [`key ${winner}`]: 'x' }, position: winner })
      await beside
      expect(await all(store(), other)).toEqual({ beside: 'x' })
    })
  })
}

function rowContract(store: () => Store): void {
  describe('rows', () => {
    it('are put, replaced and deleted in one step with the position', async () => {
      const shard = fresh('test/rows/0')
      await store().claim(shard, 'token')
      const first = await store().commit(shard, change(0, { position: 1, put: { a: '1', b: '1', c: '1' } }))
      const second = await store().commit(
        shard,
        change(first, { position: 2, put: { a: '2', d: '2' }, delete: ['b', 'never there'] }),
      )
      expect(await seen(store(), shard)).toEqual({ rows: { a: '2', c: '1', d: '2' }, position: 2 })
      await store().commit(shard, change(second, { position: 3, delete: ['a', 'c', 'd'] }))
      expect(await seen(store(), shard)).toEqual({ rows: {}, position: 3 })
    })

    it('hold any bytes, also none and very many', async () => {
      const shard = fresh('test/rows/1')
      const put = {
        every: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
        none: Buffer.alloc(0),
        big: randomBytes(1_000_000),
      }
      await store().claim(shard, 'token')
      await store().commit(shard, change(0, { put }))
      const rows = new Map(await store().read(shard, ''))
      expect([...rows.keys()].sort()).toEqual(['big', 'every', 'none'])
      for (const [key, value] of Object.entries(put)) expect(rows.get(key)?.equals(value), key).toBe(true)
    })

    it('come in pages, each once, when there are 50,000', async () => {
      const shard = fresh('test/rows/2')
      await store().claim(shard, 'token')
      let version = 0
      for (let from = 0; from < 50_000; from += 5_000) {
        const put = Object.fromEntries(
          Array.from({ length: 5_000 }, (_, i) => [`row/${from + i}`, `value ${from + i}`]),
        )
        version = await store().commit(shard, change(version, { put, position: from }))
      }
      const values = new Map<string, string>()
      let pages = 0
      for await (const page of store().rows(shard)) {
        pages += 1
        for (const [key, value] of page) {
          if (values.has(key)) throw new Error(`key ${key} came twice`)
          values.set(key, value.toString())
        }
      }
      expect(values.size).toBe(50_000)
      expect(pages).toBeGreaterThan(1)
      for (let i = 0; i < 50_000; i += 1)
        if (values.get(`row/${i}`) !== `value ${i}`) throw new Error(`row ${i} is ${values.get(`row/${i}`)}`)
    })

    it('of two shards have nothing to do with each other, however alike the names', async () => {
      const shard = fresh('test/rows/3')
      const shards = [shard, `${shard}0`, `${shard}/0`]
      const versions: number[] = []
      for (const name of shards) {
        await store().claim(name, 'token')
        versions.push(await store().commit(name, change(0, { position: name.length, put: { same: name } })))
      }
      await store().claim(shard, 'other')
      await store().commit(`${shard}0`, change(versions[1] ?? -1, { delete: ['same'], position: 0 }))
      expect(await seen(store(), shard)).toEqual({ rows: { same: shard }, position: shard.length })
      expect(await seen(store(), `${shard}0`)).toEqual({ rows: {}, position: 0 })
      expect(await seen(store(), `${shard}/0`)).toEqual({
        rows: { same: `${shard}/0` },
        position: `${shard}/0`.length,
      })
    })
  })
}

function readContract(store: () => Store): void {
  const KEYS = [
    'a',
    'a%',
    'a%b',
    'a_',
    'a_b',
    'aXb',
    'a\\',
    'a\\b',
    'a*',
    'a*b',
    'a?b',
    'a[b]',
    'a[b]c',
    'a^',
    'A',
    'ab',
    'a b',
    'a\nb',
    "a'b",
    'a"b',
    'a:b',
    'a{b}',
    'é',
    'éa',
    'e',
    '火',
    '火山',
    '😀',
    '😀a',
    '\u{10FFFF}',
    '\u{10FFFF}a',
    '\uD7FF',
    '\uD7FFa',
  ]

  it('reads by prefix, literally, whatever the keys look like', async () => {
    const shard = fresh('test/read/0')
    await store().claim(shard, 'token')
    await store().commit(
      shard,
      change(0, { put: Object.fromEntries(KEYS.map((key) => [key, `value of ${key}`])) }),
    )
    for (const prefix of ['', ...KEYS, 'a[', 'a{', 'none of them', 'a%b%']) {
      const rows = await store().read(shard, prefix)
      const expected = KEYS.filter((key) => key.startsWith(prefix)).sort()
      expect(rows.map(([key]) => key).sort(), `prefix ${JSON.stringify(prefix)}`).toEqual(expected)
      for (const [key, value] of rows) expect(value.toString()).toBe(`value of ${key}`)
    }
    expect(Object.keys(await all(store(), shard)).sort()).toEqual([...KEYS].sort())
  })
}
