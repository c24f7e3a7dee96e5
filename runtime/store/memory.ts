/** The store in memory, for tests and simulation: everything happens at once. */
import { Fenced } from '../errors.ts'
import type { Claim, Commit, Position, Shard, Store } from '../ports.ts'

const PAGE_ROWS = 1_000

interface State {
  token: string
  version: number
  position: Position | null
  readonly rows: Map<string, Buffer>
}

export class MemoryStore implements Store {
  private readonly shards = new Map<Shard, State>()
  private closed = false

  async claim(shard: Shard, token: string): Promise<Claim> {
    this.checkOpen()
    const state = this.shards.get(shard) ?? {
      token,
      version: 0,
      position: null,
      rows: new Map<string, Buffer>(),
    }
    state.token = token
    this.shards.set(shard, state)
    return { version: state.version, position: state.position, incarnation: null }
  }

  async *rows(shard: Shard): AsyncIterable<readonly (readonly [key: string, value: Buffer])[]> {
    this.checkOpen()
    const rows = [...(this.shards.get(shard)?.rows ?? [])]
    for (let from = 0; from < rows.length; from += PAGE_ROWS) yield rows.slice(from, from + PAGE_ROWS)
  }

  async commit(shard: Shard, commit: Commit): Promise<number> {
    this.checkOpen()
    const state = this.shards.get(shard)
    if (state === undefined || state.token !== commit.token || state.version !== commit.version)
      throw new Fenced(shard)
    for (const key of commit.delete) state.rows.delete(key)
    for (const [key, value] of commit.put) state.rows.set(key, Buffer.from(value))
    state.position = commit.position
    state.version += 1
    return state.version
  }

  async read(shard: Shard, prefix: string): Promise<readonly (readonly [key: string, value: Buffer])[]> {
    this.checkOpen()
    return [...(this.shards.get(shard)?.rows ?? [])].filter(([key]) => key.startsWith(prefix))
  }

  async position(shard: Shard): Promise<Position | null> {
    this.checkOpen()
    return this.shards.get(shard)?.position ?? null
  }

  async ping(): Promise<void> {
    this.checkOpen()
  }

  async close(): Promise<void> {
    this.closed = true
  }

  private checkOpen(): void {
    if (this.closed) throw new Error('the store was closed')
  }
}
