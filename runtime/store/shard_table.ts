import type { StatementSync } from 'node:sqlite'
import type { SqliteEngine } from '../sqlite.ts'

type Row = readonly [key: string, value: Buffer]

/**
 * One shard's rows, ordered by age so that a restart reads them in one sweep; the index finds them by key.
 * (A table in the order of the keys costs two to ten times as much to write.)
 */
export class ShardTable {
  private readonly statements: Record<'put' | 'remove' | 'page' | 'from' | 'between', StatementSync>

  static make(engine: SqliteEngine, id: number): void {
    engine.execute(
      `CREATE TABLE store_rows_${id} (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL) STRICT`,
    )
  }

  constructor(engine: SqliteEngine, id: number) {
    const table = `store_rows_${id}`
    this.statements = {
      put: engine.prepare(
        `INSERT INTO ${table} (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      ),
      remove: engine.prepare(`DELETE FROM ${table} WHERE key = ?`),
      page: engine.prepare(`SELECT id, key, value FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`),
      from: engine.prepare(`SELECT key, value FROM ${table} WHERE key >= ?`),
      between: engine.prepare(`SELECT key, value FROM ${table} WHERE key >= ? AND key < ?`),
    }
  }

  change(put: ReadonlyMap<string, Buffer>, remove: ReadonlySet<string>): void {
    for (const key of remove) this.statements.remove.run(key)
    for (const [key, value] of put) this.statements.put.run(key, value)
  }

  page(after_id: number, rows_max: number): { readonly rows: readonly Row[]; readonly last_id: number } {
    const found = this.statements.page.all(after_id, rows_max)
    return { rows: found.map(rowOf), last_id: Number(found.at(-1)?.['id'] ?? after_id) }
  }

  read(prefix: string): readonly Row[] {
    const end = prefixEnd(prefix)
    const found = end === null ? this.statements.from.all(prefix) : this.statements.between.all(prefix, end)
    return found.map(rowOf)
  }
}

function rowOf(row: Readonly<Record<string, unknown>>): Row {
  const value = row['value'] as Uint8Array
  return [row['key'] as string, Buffer.from(value.buffer, value.byteOffset, value.byteLength)]
}

/** The least text beyond all that begin with the prefix, in the order of code points (as of UTF-8 bytes); null when there is none. */
function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return null
  // There is no text with a lone surrogate.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}
