/** Opening the embedded database file: exclusive use, settings, version; and what SQLite's result codes mean for us. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Misconfigured, Retryable } from './errors.ts'

/** Raised whenever a table changes in a way that an older program cannot read. Kept in SQLite's user_version. */
const SCHEMA_VERSION = 1
const DATABASE_FILE = 'tocsin.db'
const LOCK_FILE = 'tocsin.lock'
/** Nobody else should hold a lock; an operator's sqlite3 shell may, for a moment. Waiting blocks the process. */
const BUSY_TIMEOUT_MS = 500
const PAGE_CACHE_KIB = 32 * 1024
const WAL_KEPT_BYTES = 64 * 1024 * 1024
const CORRUPT_REMEDY = 'restore it from a backup, or move it away (and its -wal and -shm) to begin anew'

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const PERM = 3
const BUSY = 5
const LOCKED = 6
const NOMEM = 7
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const PROTOCOL = 15
const NOTADB = 26
/** Extended result codes: SQLite's own fsync failed. */
const IOERR_FSYNC = 1034
const IOERR_DIR_FSYNC = 1290

/**
 * The file can no longer be trusted from within this process, e.g. after a failed fsync, when the kernel may have
 * dropped pages that it had accepted. The process ends and reads again what is on disk.
 */
export class StorageBroken extends Error {
  override name = 'StorageBroken'
  readonly code = 'storage-broken'
  constructor(reason: string, options?: ErrorOptions) {
    super(`the embedded database cannot be trusted any more, start the process again: ${reason}`, options)
  }
}

/** What was read is no database. Another start finds the same, so a person must act; nothing is written to it any more. */
export class DatabaseCorrupt extends Misconfigured {
  constructor(where: string, reason: string) {
    super('database-corrupt', `${where} is damaged: ${reason}; ${CORRUPT_REMEDY}`)
  }
}

function resultCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : null
}

/** A fault of disk or file as a coded error; null for anything else, such as an operation's own mistake. */
export function diskFault(error: unknown): Retryable | StorageBroken | DatabaseCorrupt | null {
  const code = resultCode(error)
  if (!(error instanceof Error) || code === null) return null
  if (code === IOERR_FSYNC || code === IOERR_DIR_FSYNC)
    return new StorageBroken(error.message, { cause: error })
  switch (code & 0xff) {
    case FULL:
      return new Retryable('disk-full', 'the disk that holds data_dir is full', { cause: error })
    case IOERR:
    case READONLY:
    case PERM:
    case CANTOPEN:
    case NOMEM:
      return new Retryable('disk-error', `the embedded database cannot be used: ${error.message}`, {
        cause: error,
      })
    case BUSY:
    case LOCKED:
    case PROTOCOL:
      return new Retryable('database-busy', 'another program holds a lock on the embedded database', {
        cause: error,
      })
    case CORRUPT:
    case NOTADB:
      return new DatabaseCorrupt('the embedded database', error.message)
    default:
      return null
  }
}

export interface DatabaseFile {
  readonly db: DatabaseSync
  readonly path: string
  /** Closes the database and lets other processes have the directory. */
  close(): void
}

/** Makes the directory and the file when they are missing. Throws Misconfigured, or Retryable for a full or failing disk. */
export function openDatabaseFile(data_dir: string): DatabaseFile {
  makeDirectory(data_dir)
  const lock = takeLock(data_dir)
  const path = join(data_dir, DATABASE_FILE)
  let db: DatabaseSync | null = null
  try {
    refuseEmptied(path)
    makeFile(path)
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepare(db, path)
    sync(data_dir)
  } catch (error) {
    if (db?.isOpen) db.close()
    lock.close()
    throw openingError(error, path)
  }
  const opened = db
  return {
    db,
    path,
    close() {
      opened.close()
      lock.close()
    },
  }
}

function makeDirectory(data_dir: string): void {
  try {
    mkdirSync(data_dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Misconfigured(
      'data-dir-unusable',
      `data_dir ${data_dir} cannot be made: ${String(error)}; name a directory that this user may write to`,
    )
  }
}

/**
 * An exclusive transaction on an empty database of its own: the lock goes when the process does, however it ends.
 * (It must be another file: closing any descriptor of a file drops the process's POSIX locks on it.)
 */
function takeLock(data_dir: string): DatabaseSync {
  const path = join(data_dir, LOCK_FILE)
  let lock: DatabaseSync | null = null
  try {
    lock = new DatabaseSync(path, { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    if (lock?.isOpen) lock.close()
    if (((resultCode(error) ?? 0) & 0xff) !== BUSY) throw openingError(error, path)
    throw new Misconfigured(
      'data-dir-in-use',
      `data_dir ${data_dir} is in use by another process; stop that one or give this one a data_dir of its own (TOCSIN_DATA_DIR)`,
    )
  }
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null
}

/** SQLite takes an empty file for a new database, and throws away the log of one that is missing. We never leave either. */
function refuseEmptied(path: string): void {
  const size = sizeOf(path)
  const is_lost = size === null && (sizeOf(`${path}-wal`) ?? 0) > 0
  if (size !== 0 && !is_lost) return
  const what = is_lost ? 'missing, but its -wal is there' : 'empty'
  throw new DatabaseCorrupt(path, `it is ${what}`)
}

/** Makes the file when it is missing: under another name first, so that a process that dies meanwhile leaves no empty one. */
function makeFile(path: string): void {
  if (sizeOf(path) !== null) return
  const unfinished = `${path}.new`
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${unfinished}${suffix}`, { force: true })
  const db = new DatabaseSync(unfinished)
  try {
    prepare(db, unfinished)
  } finally {
    db.close()
  }
  sync(unfinished)
  renameSync(unfinished, path)
}

function prepare(db: DatabaseSync, path: string): void {
  // The page size holds only for a file that has no page yet, and not once it is in WAL mode.
  db.exec(`PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`)
  db.exec(`PRAGMA cache_size = -${PAGE_CACHE_KIB}; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`)
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > SCHEMA_VERSION) {
    throw new Misconfigured(
      'database-newer',
      `${path} has schema version ${version}, this program knows ${SCHEMA_VERSION}; run the newer program, or use another data_dir`,
    )
  }
  if (version < SCHEMA_VERSION) db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  // What a killed process wrote and never synced is readable again: before anyone reads it, make it durable.
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  if (checkpoint?.['busy'] !== 0) throw new Retryable('database-busy', `another program reads ${path}`)
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function openingError(error: unknown, path: string): unknown {
  const code = (resultCode(error) ?? 0) & 0xff
  if (code === CORRUPT || code === NOTADB) return new DatabaseCorrupt(path, String(error))
  if (code === CANTOPEN || code === READONLY || code === PERM) {
    return new Misconfigured(
      'data-dir-unusable',
      `${path} cannot be opened for writing: ${String(error)}; check its owner and permissions`,
    )
  }
  return diskFault(error) ?? error
}
