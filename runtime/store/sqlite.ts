/** The embedded store: a table per shard in the SQLite file that holds the log as well. */
import type { StatementSync } from 'node:sqlite'
import { Fenced } from '../errors.ts'
import type { Claim, Commit, Position, Shard, Store } from '../ports.ts'
import type { SqliteEngine } from '../sqlite.ts'
import { ShardTable } from './shard_table.ts'

const PAGE_ROWS = 1_000
/** What a row costs beside its value, for the bounds of the engine. */
const ROW_BYTES = 100

interface ShardRow {
  readonly id: number
  readonly token: string
  readonly version: number
  readonly position: Position | null
}

export class SqliteStore implements Store {
  private readonly engine: SqliteEngine
  private readonly statements: Record<'find' | 'add' | 'own' | 'advance', StatementSync>
  private readonly tables = new Map<number, ShardTable>()
  private closed = false

  static async open(engine: SqliteEngine): Promise<SqliteStore> {
    await engine.write(0, () => {
      engine.execute(`CREATE TABLE IF NOT EXISTS store_shards (
        id INTEGER PRIMARY KEY, shard TEXT NOT NULL UNIQUE, token TEXT NOT NULL,
        version INTEGER NOT NULL, position INTEGER) STRICT`)
    })
    return engine.guard(() => new SqliteStore(engine))
  }

  private constructor(engine: SqliteEngine) {
    this.engine = engine
    this.statements = {
      find: engine.prepare('SELECT id, token, version, position FROM store_shards WHERE shard = ?'),
      add: engine.prepare(
        'INSERT INTO store_shards (shard, token, version, position) VALUES (?, ?, 0, NULL)',
      ),
      own: engine.prepare('UPDATE store_shards SET token = ? WHERE id = ?'),
      advance: engine.prepare('UPDATE store_shards SET version = ?, position = ? WHERE id = ?'),
    }
  }

  async claim(shard: Shard, token: string): Promise<Claim> {
    this.checkOpen()
    return this.engine.write(ROW_BYTES, () => {
      const found = this.find(shard)
      if (found !== null) {
        this.statements.own.run(token, found.id)
        return { version: found.version, position: found.position, incarnation: null }
      }
      ShardTable.make(this.engine, Number(this.statements.add.run(shard, token).lastInsertRowid))
      return { version: 0, position: null, incarnation: null }
    })
  }

  async *rows(shard: Shard): AsyncIterable<readonly (readonly [key: string, value: Buffer])[]> {
    this.checkOpen()
    const found = await this.engine.read(() => this.find(shard))
    if (found === null) return
    let after = 0
    for (;;) {
      const page = await this.engine.read(() => this.table(found.id).page(after, PAGE_ROWS))
      if (page.rows.length === 0) return
      yield page.rows
      after = page.last_id
    }
  }

  async commit(shard: Shard, commit: Commit): Promise<number> {
    this.checkOpen()
    let bytes = ROW_BYTES * (1 + commit.put.size + commit.delete.size)
    for (const value of commit.put.values()) bytes += value.length
    return this.engine.write(bytes, () => {
      const found = this.find(shard)
      if (found === null || found.token !== commit.token || found.version !== commit.version)
        throw new Fenced(shard)
      this.table(found.id).change(commit.put, commit.delete)
      this.statements.advance.run(found.version + 1, commit.position, found.id)
      return found.version + 1
    })
  }

  async read(shard: Shard, prefix: string): Promise<readonly (readonly [key: string, value: Buffer])[]> {
    this.checkOpen()
    return this.engine.read(() => {
      const found = this.find(shard)
      return found === null ? [] : this.table(found.id).read(prefix)
    })
  }

  async position(shard: Shard): Promise<Position | null> {
    this.checkOpen()
    return this.engine.read(() => this.find(shard)?.position ?? null)
  }

  async ping(): Promise<void> {
    await this.position('')
  }

  /** The engine stays open. */
  async close(): Promise<void> {
    this.closed = true
  }

  private checkOpen(): void {
    if (this.closed) throw new Error('the store was closed')
  }

  private find(shard: Shard): ShardRow | null {
    return (this.statements.find.get(shard) as ShardRow | undefined) ?? null
  }

  private table(id: number): ShardTable {
    const table = this.tables.get(id) ?? new ShardTable(this.engine, id)
    this.tables.set(id, table)
    return table
  }
}
