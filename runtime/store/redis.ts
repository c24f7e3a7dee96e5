/** The state store of the distributed mode: Redis 7 or Redis Cluster. */
import { Fenced, Retryable } from '../errors.ts'
import type { Claim, Clock, Commit, Position, Shard, Store } from '../ports.ts'
import { type Client, openClient, type RedisSettings } from './redis/connection.ts'
import { asStoreError, replyCode } from './redis/faults.ts'
import { CLAIM, COMMIT, COMMIT_STAGED, SCAN, type Script, STAGE } from './redis/scripts.ts'

export type { RedisSettings } from './redis/connection.ts'

type Value = string | Buffer
type Row = readonly [key: string, value: Buffer]

/** Redis' Lua takes some eight thousand arguments. */
const ARGUMENTS_MAX = 6_000
const ARGUMENT_BYTES_MAX = 4 * 1024 * 1024
const PAGE_ROWS = 1_000
/** Staged rows of a commit that was given up go away by themselves. */
const STAGED_TTL_MS = 60_000
const QUIT_TIMEOUT_MS = 2_000

/**
 * Every key of a shard has the shard's name as its hash tag, so that a script may touch them all in a cluster:
 * `{shard}:head` (token, version, position, incarnation), `{shard}:rows`, and for a moment `{shard}:staged:…`.
 */
export class RedisStore implements Store {
  private readonly client: Client
  private readonly key_prefix: string
  private readonly clock: Clock
  private is_closed = false

  /** Tries until Redis answers, unless the signal ends it. Throws Misconfigured (redis-url, redis-eviction, redis-login-refused). */
  static async open(settings: RedisSettings, signal?: AbortSignal): Promise<RedisStore> {
    return new RedisStore(await openClient(settings, signal), settings)
  }

  private constructor(client: Client, { key_prefix, clock }: RedisSettings) {
    this.client = client
    this.key_prefix = key_prefix
    this.clock = clock
  }

  async claim(shard: Shard, token: string): Promise<Claim> {
    const reply = await this.run(CLAIM, [this.key(shard, 'head')], [token])
    const [version, position, incarnation] = reply as [string | null, string | null, string]
    return { version: Number(version ?? 0), position: positionOf(position), incarnation }
  }

  async *rows(shard: Shard): AsyncIterable<readonly Row[]> {
    // HSCAN gives every row at least once, and again when the hash was resized since the page before.
    const seen = new Set<string>()
    for await (const page of this.scan(shard, '*')) {
      const fresh = page.filter(([key]) => !seen.has(key) && seen.add(key))
      if (fresh.length > 0) yield fresh
    }
  }

  async commit(shard: Shard, commit: Commit): Promise<number> {
    const head = [commit.token, String(commit.version), String(commit.position ?? '')]
    const deletes = [...commit.delete]
    const puts = [...commit.put].flat()
    const is_small =
      deletes.length + puts.length <= ARGUMENTS_MAX && bytesOf([...deletes, ...puts]) <= ARGUMENT_BYTES_MAX
    const version = is_small
      ? await this.run(COMMIT, this.keys(shard, 'head', 'rows'), [
          ...head,
          String(deletes.length),
          ...deletes,
          ...puts,
        ])
      : await this.commitStaged(shard, head, deletes, puts)
    if (version === -1) throw new Fenced(shard)
    if (version === -2)
      throw new Retryable(
        'redis-staging-lost',
        `commit of shard ${shard}: what was staged is not there any more`,
      )
    return version as number
  }

  async read(shard: Shard, prefix: string): Promise<readonly Row[]> {
    const pattern = `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`
    const rows = new Map<string, Buffer>()
    for await (const page of this.scan(shard, pattern)) for (const [key, value] of page) rows.set(key, value)
    return [...rows]
  }

  async position(shard: Shard): Promise<Position | null> {
    return positionOf(
      await this.ask('reading a position', () => this.client.hget(this.key(shard, 'head'), 'position')),
    )
  }

  async ping(): Promise<void> {
    await this.ask('asking', () => this.client.ping())
  }

  async close(): Promise<void> {
    if (this.is_closed) return
    this.is_closed = true
    this.client.removeAllListeners('close')
    const done = new AbortController()
    const quit = this.client.quit().then(
      () => done.abort(),
      () => done.abort(),
    )
    await Promise.race([quit, this.clock.sleep(QUIT_TIMEOUT_MS, done.signal)])
    this.client.disconnect()
  }

  private key(shard: Shard, part: string): string {
    return `${this.key_prefix}{${shard}}:${part}`
  }

  private keys(shard: Shard, ...parts: readonly string[]): string[] {
    return parts.map((part) => this.key(shard, part))
  }

  private async commitStaged(
    shard: Shard,
    head: string[],
    deletes: Value[],
    puts: Value[],
  ): Promise<unknown> {
    const name = `staged:${this.clock.token()}`
    const keys = this.keys(shard, 'head', 'rows', `${name}:delete`, `${name}:put`)
    for (const [key, values] of [
      [keys[2] ?? '', deletes],
      [keys[3] ?? '', puts],
    ] as const) {
      for (const piece of pieces(values)) await this.run(STAGE, [key], [String(STAGED_TTL_MS), ...piece])
    }
    return this.run(COMMIT_STAGED, keys, [...head, String(deletes.length), String(puts.length)])
  }

  /** A cursor means nothing to another process than the one that gave it, which may be reached behind the same address by then. */
  private async *scan(shard: Shard, pattern: string): AsyncIterable<Row[]> {
    const keys = [this.key(shard, 'rows')]
    let cursor = '0'
    let first: string | null = null
    do {
      const reply = await this.run(SCAN, keys, [cursor, pattern, String(PAGE_ROWS)], true)
      const [process, next, found] = reply as [Buffer, Buffer, Buffer[]]
      first ??= process.toString()
      if (process.toString() !== first)
        throw new Retryable('redis-changed', `rows of shard ${shard}: another Redis answers than before`)
      cursor = next.toString()
      yield pairs(found)
    } while (cursor !== '0')
  }

  /** `bytes`: the reply is in buffers instead of text. */
  private run(
    { text, sha1 }: Script,
    keys: readonly string[],
    values: readonly Value[],
    bytes = false,
  ): Promise<unknown> {
    const call = (command: 'evalsha' | 'eval', script: string) => {
      const given = [script, keys.length, ...keys, ...values]
      return bytes ? this.client.callBuffer(command, given) : this.client.call(command, given)
    }
    return this.ask('running a script', async () => {
      try {
        return await call('evalsha', sha1)
      } catch (error) {
        // A Redis that was restarted, or one of a cluster that has not had it yet.
        if (replyCode(error) !== 'NOSCRIPT') throw error
        return call('eval', text)
      }
    })
  }

  private async ask<Answer>(doing: string, question: () => Promise<Answer>): Promise<Answer> {
    if (this.is_closed) throw new Error('the store was closed')
    try {
      return await question()
    } catch (error) {
      throw asStoreError(error, doing)
    }
  }
}

function positionOf(text: string | null): Position | null {
  return text === null || text === '' ? null : Number(text)
}

function bytesOf(values: readonly Value[]): number {
  return values.reduce((sum, value) => sum + value.length, 0)
}

/** In order, each below the bounds of one call; a single value may be larger. */
function* pieces(values: readonly Value[]): Iterable<Value[]> {
  let piece: Value[] = []
  let bytes = 0
  for (const value of values) {
    if (piece.length >= ARGUMENTS_MAX || (piece.length > 0 && bytes + value.length > ARGUMENT_BYTES_MAX)) {
      yield piece
      piece = []
      bytes = 0
    }
    piece.push(value)
    bytes += value.length
  }
  if (piece.length > 0) yield piece
}

function pairs(flat: readonly Buffer[]): Row[] {
  const rows: Row[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [key, value] = [flat[i], flat[i + 1]]
    if (key !== undefined && value !== undefined) rows.push([key.toString(), value])
  }
  return rows
}
