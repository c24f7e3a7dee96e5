/** The tables of the embedded log: one per partition, so that every append goes to the end of a tree. */
import type { StatementSync } from 'node:sqlite'
import { Misconfigured } from '../errors.ts'
import { type LogEntry, type Position, TOPICS, type Topic } from '../ports.ts'
import type { SqliteEngine } from '../sqlite.ts'
import { NO_HEADERS, type Partitions } from './append.ts'

/** A reader that is far behind takes no more than this at once. */
const READ_MAX_BYTES = 16 * 1024 * 1024

/** Makes the tables when they are missing. Throws Misconfigured `partitions-fixed` when they were made for another number. */
export async function makeTables(engine: SqliteEngine, partitions: Partitions): Promise<void> {
  await engine.write(0, () => {
    engine.execute(`CREATE TABLE IF NOT EXISTS log_partitions (
      topic TEXT NOT NULL, partition INTEGER NOT NULL, first INTEGER NOT NULL, last_time_ms INTEGER NOT NULL,
      PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID`)
    for (const topic of TOPICS) {
      const made = Number(
        engine.prepare('SELECT count(*) AS made FROM log_partitions WHERE topic = ?').get(topic)?.['made'],
      )
      if (made === 0) makeTopic(engine, topic, partitions[topic])
      else if (made !== partitions[topic]) {
        throw new Misconfigured(
          'partitions-fixed',
          `topic ${topic} was made with ${made} partitions, ${partitions[topic]} are configured; configure ${made}, or use another data_dir`,
        )
      }
    }
  })
}

function makeTopic(engine: SqliteEngine, topic: Topic, partitions: number): void {
  const insert = engine.prepare(
    'INSERT INTO log_partitions (topic, partition, first, last_time_ms) VALUES (?, ?, 0, 0)',
  )
  for (let partition = 0; partition < partitions; partition += 1) {
    insert.run(topic, partition)
    engine.execute(`CREATE TABLE log_${topic}_${partition} (
      position INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, headers TEXT, value BLOB NOT NULL) STRICT`)
  }
}

/** One partition's table. All methods are for use inside the engine's operations or over durable rows. */
export class PartitionTable {
  private readonly statements: Record<
    'ends' | 'insert' | 'select' | 'time' | 'remove' | 'keep',
    StatementSync
  >
  private readonly topic: Topic
  private readonly partition: number

  constructor(engine: SqliteEngine, topic: Topic, partition: number) {
    // The name is put together from the fixed list of topics and a number.
    const table = `log_${topic}_${partition}`
    this.topic = topic
    this.partition = partition
    this.statements = {
      ends: engine.prepare(`SELECT p.first, max(p.last_time_ms, coalesce(e.time_ms, 0)) AS last_time_ms,
          max(p.first, coalesce(e.position + 1, 0)) AS next
        FROM log_partitions p LEFT JOIN (SELECT * FROM ${table} ORDER BY position DESC LIMIT 1) e
        WHERE p.topic = ? AND p.partition = ?`),
      insert: engine.prepare(`INSERT INTO ${table} (position, time_ms, headers, value) VALUES (?, ?, ?, ?)`),
      select: engine.prepare(`SELECT position, time_ms, headers, value FROM ${table}
        WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`),
      time: engine.prepare(`SELECT time_ms FROM ${table} WHERE position >= ? ORDER BY position LIMIT 1`),
      remove: engine.prepare(`DELETE FROM ${table} WHERE position < ?`),
      keep: engine.prepare(
        'UPDATE log_partitions SET first = ?, last_time_ms = ? WHERE topic = ? AND partition = ?',
      ),
    }
  }

  /** Also right for a partition whose entries were all trimmed away: positions and times go on after them. */
  ends(): { first: Position; next: Position; last_time_ms: number } {
    const row = this.statements.ends.get(this.topic, this.partition)
    return {
      first: Number(row?.['first']),
      next: Number(row?.['next']),
      last_time_ms: Number(row?.['last_time_ms']),
    }
  }

  insert(entry: LogEntry): void {
    const headers = entry.headers === NO_HEADERS ? null : JSON.stringify(entry.headers)
    this.statements.insert.run(entry.position, entry.time_ms, headers, entry.value)
  }

  select(from: Position, before: Position, entries_max: number): LogEntry[] {
    const entries: LogEntry[] = []
    let bytes = 0
    for (const row of this.statements.select.iterate(from, before, entries_max)) {
      const entry = entryOf(row)
      entries.push(entry)
      bytes += entry.value.length
      if (bytes >= READ_MAX_BYTES) break
    }
    return entries
  }

  /** The first of the positions from `first` to before `next` whose time is not before `time_ms`; times ascend, so it is searched by halves. */
  firstSince(time_ms: number, first: Position, next: Position): Position {
    let low = first
    let high = next
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const found = this.statements.time.get(middle)
      if (found !== undefined && Number(found['time_ms']) < time_ms) low = middle + 1
      else high = middle
    }
    return low
  }

  /** `last_time_ms` is kept with the border, because the entry that had it may go. */
  removeBefore(first: Position, last_time_ms: number): void {
    this.statements.remove.run(first)
    this.statements.keep.run(first, last_time_ms, this.topic, this.partition)
  }
}

function entryOf(row: Readonly<Record<string, unknown>>): LogEntry {
  const value = row['value'] as Uint8Array
  const headers = row['headers'] as string | null
  return {
    position: Number(row['position']),
    time_ms: Number(row['time_ms']),
    value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers: headers === null ? NO_HEADERS : (JSON.parse(headers) as Record<string, string>),
  }
}
