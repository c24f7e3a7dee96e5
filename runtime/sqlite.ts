/**
 * One SQLite file with group commit: operations wait while one fsync runs, then share one transaction and the next fsync.
 * SQLite writes the WAL and leaves syncing it to us (synchronous=NORMAL), so that the sync does not block the process.
 */
import { closeSync, fdatasync, fstatSync, openSync } from 'node:fs'
import type { StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Retryable } from './errors.ts'
import {
  DatabaseCorrupt,
  type DatabaseFile,
  diskFault,
  openDatabaseFile,
  StorageBroken,
} from './sqlite_file.ts'

const fdatasyncAsync = promisify(fdatasync)
const QUEUE_MAX_BYTES = 256 * 1024 * 1024
const GROUP_MAX_BYTES = 32 * 1024 * 1024

export interface SqliteOptions {
  readonly data_dir: string
  /** Operations beyond this are refused with Retryable `storage-overloaded`. */
  readonly queue_max_bytes?: number
}

interface Operation {
  readonly bytes: number
  /** Works inside the transaction; what it returns is called when the work is durable. */
  run(): () => void
  reject(error: unknown): void
}

export class SqliteEngine {
  /** How often the file was synced, and for how many operations: their ratio is the size of a group. */
  readonly counters = { fsyncs: 0, operations: 0 }
  private readonly file: DatabaseFile
  private readonly queue_max_bytes: number
  /** Of the `-wal` file. SQLite resets and truncates that file but never replaces it while a connection is open. */
  private readonly wal_descriptor: number
  private readonly statements: Record<'begin' | 'commit' | 'savepoint' | 'release' | 'undo', StatementSync>
  private queue: Operation[] = []
  private queue_bytes = 0
  /** Reads that wait until nothing is visible that is not durable. */
  private reads: (() => void)[] = []
  private syncing = false
  private draining: Promise<void> | null = null
  private closed = false
  private broken: StorageBroken | DatabaseCorrupt | null = null

  /** Throws Misconfigured (data-dir-in-use, data-dir-unusable, database-newer, database-corrupt) or Retryable (disk-full). */
  constructor({ data_dir, queue_max_bytes = QUEUE_MAX_BYTES }: SqliteOptions) {
    this.file = openDatabaseFile(data_dir)
    this.queue_max_bytes = queue_max_bytes
    this.wal_descriptor = openSync(`${this.file.path}-wal`, 'r')
    this.statements = {
      begin: this.prepare('BEGIN IMMEDIATE'),
      commit: this.prepare('COMMIT'),
      savepoint: this.prepare('SAVEPOINT operation'),
      release: this.prepare('RELEASE operation'),
      undo: this.prepare('ROLLBACK TO operation'),
    }
  }

  /** To be run inside `write` or `read` only, except for rows that are known to be durable. */
  prepare(sql: string): StatementSync {
    return this.file.db.prepare(sql)
  }

  /** To be run inside `write` only. */
  execute(sql: string): void {
    this.file.db.exec(sql)
  }

  /**
   * Runs the operation in the next transaction and resolves with its result once that is durable. If it throws, it is
   * undone alone and the promise rejects with its error. A fault of the disk fails the whole group with Retryable,
   * a failed sync that and everything later with StorageBroken.
   */
  write<T>(bytes: number, operation: () => T): Promise<T> {
    const refusal = this.refusal(bytes)
    if (refusal !== null) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.queue_bytes += bytes
      this.queue.push({
        bytes,
        reject,
        run() {
          const result = operation()
          return () => resolve(result)
        },
      })
      this.draining ??= this.drain()
    })
  }

  /** Runs a query when nothing but durable rows is visible. */
  async read<T>(query: () => T): Promise<T> {
    if (this.syncing) await new Promise<void>((resolve) => this.reads.push(resolve))
    return this.guard(query)
  }

  /** Runs a query at once, over rows that are known to be durable, with the fault of the disk coded. */
  guard<T>(query: () => T): T {
    if (this.broken !== null) throw this.broken
    try {
      return query()
    } catch (error) {
      throw this.coded(error)
    }
  }

  /**
   * What was accepted is done first. A broken file stays open until the process ends: closing it would copy pages
   * that may be gone from the WAL into the database.
   */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.draining
    if (this.broken !== null) return
    this.file.close()
    closeSync(this.wal_descriptor)
  }

  private refusal(bytes: number): Error | null {
    if (this.broken !== null) return this.broken
    if (this.closed) return new Error('the embedded database was closed')
    if (this.queue_bytes + bytes <= this.queue_max_bytes || this.queue.length === 0) return null
    return new Retryable('storage-overloaded', `${this.queue_bytes} bytes wait for the disk already`)
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      // Everything that arrives in this turn of the event loop shares the transaction.
      await nextTurn()
      const group = this.takeGroup()
      const settle = await this.commit(group)
      // These go on before the next turn, thus before the next transaction.
      for (const read of this.reads.splice(0)) read()
      for (const done of settle) done()
    }
    this.draining = null
  }

  private takeGroup(): Operation[] {
    let bytes = 0
    let count = 0
    for (const operation of this.queue) {
      if (count > 0 && bytes + operation.bytes > GROUP_MAX_BYTES) break
      bytes += operation.bytes
      count += 1
    }
    this.queue_bytes -= bytes
    return this.queue.splice(0, count)
  }

  /** Never throws: returns how each operation of the group is to be settled. */
  private async commit(group: readonly Operation[]): Promise<readonly (() => void)[]> {
    try {
      if (this.broken !== null) throw this.broken
      const settle = this.transact(group)
      this.syncing = true
      await this.sync()
      this.counters.operations += group.length
      return settle
    } catch (error) {
      const fault = this.coded(error)
      return group.map((operation) => () => operation.reject(fault))
    } finally {
      this.syncing = false
    }
  }

  private transact(group: readonly Operation[]): (() => void)[] {
    try {
      this.statements.begin.run()
      const settle = group.map((operation) => this.runAlone(operation))
      this.statements.commit.run()
      return settle
    } catch (error) {
      this.rollBack()
      throw error
    }
  }

  private runAlone(operation: Operation): () => void {
    this.statements.savepoint.run()
    try {
      const done = operation.run()
      this.statements.release.run()
      return done
    } catch (error) {
      if (diskFault(error) !== null) throw error
      this.statements.undo.run()
      this.statements.release.run()
      return () => operation.reject(error)
    }
  }

  private rollBack(): void {
    // A full disk may have rolled back already.
    if (!this.file.db.isTransaction) return
    try {
      this.file.db.exec('ROLLBACK')
    } catch (error) {
      this.broken = new StorageBroken('a transaction could not be rolled back', { cause: error })
    }
  }

  private async sync(): Promise<void> {
    try {
      this.counters.fsyncs += 1
      await fdatasyncAsync(this.wal_descriptor)
    } catch (error) {
      throw new StorageBroken(`fsync failed: ${String(error)}`, { cause: error })
    }
    if (fstatSync(this.wal_descriptor).nlink === 0)
      throw new StorageBroken(`${this.file.path}-wal was deleted`)
  }

  private coded(error: unknown): unknown {
    const fault = error instanceof StorageBroken ? error : (diskFault(error) ?? error)
    if (fault instanceof StorageBroken || fault instanceof DatabaseCorrupt) this.broken ??= fault
    return this.broken ?? fault
  }
}
