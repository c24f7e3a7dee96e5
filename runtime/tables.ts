import { readFile, stat } from 'node:fs/promises'
import type { Config } from '../schemas/config.ts'
import type { Lookup } from '../schemas/expression.ts'
import { LIMITS } from '../schemas/limits.ts'
import { records } from './csv.ts'
import { Misconfigured } from './errors.ts'
import type { Logger } from './logger.ts'
import type { Clock } from './ports.ts'

type TableConfig = Config['tables'][number]
type Row = Readonly<Record<string, unknown>>
type Rows = ReadonlyMap<string, Row>

export interface TablesParts {
  readonly tables: readonly TableConfig[]
  readonly clock: Clock
  readonly logger: Pick<Logger, 'info' | 'error'>
  /** A file cannot be used as it is now, or can be again. */
  readonly failing?: (table: string, failing: boolean) => void
}

/** How a table is, for people. */
export interface TableStatus {
  readonly name: string
  readonly file: string
  readonly rows: number
  readonly loaded_at_ms: number
  /** Why the file as it is now was not taken; what was read before holds on. */
  readonly error: string | null
}

interface Loaded {
  rows: Rows
  /** What told the file apart when it was read last, taken or not. */
  seen: string
  loaded_at_ms: number
  error: string | null
}

const LOOK_EVERY_MS = 2_000
const NO_ROW: Row = {}

/** Files that expressions look things up in. A file that changes is read again; one that cannot be read leaves what there was. */
export class Tables {
  private readonly parts: TablesParts
  private readonly loaded = new Map<string, Loaded>()
  private readonly closing = new AbortController()
  private watching: Promise<void> = Promise.resolve()

  private constructor(parts: TablesParts) {
    this.parts = parts
  }

  /** Reads every file. Throws Misconfigured when one cannot be used. */
  static async open(parts: TablesParts): Promise<Tables> {
    const tables = new Tables(parts)
    for (const table of parts.tables) {
      const rows = await readTable(table)
      const seen = await markOf(table.file)
      tables.loaded.set(table.name, { rows, seen, loaded_at_ms: parts.clock.now(), error: null })
    }
    return tables
  }

  readonly lookup: Lookup = (table, key) => this.loaded.get(table)?.rows.get(key) ?? NO_ROW

  watch(): void {
    if (this.parts.tables.length > 0) this.watching = this.look()
  }

  status(): TableStatus[] {
    return this.parts.tables.flatMap(({ name, file }) => {
      const found = this.loaded.get(name)
      if (found === undefined) return []
      const { rows, loaded_at_ms, error } = found
      return [{ name, file, rows: rows.size, loaded_at_ms, error }]
    })
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.watching
  }

  private async look(): Promise<void> {
    const { signal } = this.closing
    for (;;) {
      await this.parts.clock.sleep(LOOK_EVERY_MS, signal)
      if (signal.aborted) return
      for (const table of this.parts.tables) await this.refresh(table)
    }
  }

  private async refresh(table: TableConfig): Promise<void> {
    const { clock, logger, failing } = this.parts
    const loaded = this.loaded.get(table.name)
    const seen = await markOf(table.file)
    if (loaded === undefined || loaded.seen === seen) return
    loaded.seen = seen
    try {
      loaded.rows = await readTable(table)
      loaded.loaded_at_ms = clock.now()
      loaded.error = null
      failing?.(table.name, false)
      logger.info({ table: table.name, rows: loaded.rows.size }, 'a table was read again')
    } catch (error) {
      if (!(error instanceof Misconfigured)) throw error
      loaded.error = error.message
      failing?.(table.name, true)
      logger.error({ table: table.name, code: error.code }, `${error.message}; what was read before holds on`)
    }
  }
}

/** Tells whether a file changed; one that is not there is told apart too. */
async function markOf(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${mtimeMs}/${size}/${ino}`
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`
  }
}

/** Throws Misconfigured. */
async function readTable({ name, file, key }: TableConfig): Promise<Rows> {
  const text = await textOf(name, file)
  const rows = file.endsWith('.json') ? rowsOfJson(name, file, text, key) : await rowsOfCsv(file, text)
  const table = new Map<string, Row>()
  for (const row of rows) {
    const value = row[key]
    if (value === undefined)
      throw new Misconfigured('table-key', `table ${name}: ${file} has no ${key} in a row`)
    // A number in JSON is looked up as it is written.
    table.set(typeof value === 'string' ? value : JSON.stringify(value), row)
  }
  if (table.size > LIMITS.table_rows)
    throw new Misconfigured(
      'table-rows',
      `table ${name}: ${table.size} rows are more than ${LIMITS.table_rows}`,
    )
  return table
}

async function textOf(name: string, file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    if (bytes.length > LIMITS.table_bytes)
      throw new Misconfigured(
        'table-bytes',
        `table ${name}: ${file} has ${bytes.length} bytes, more than ${LIMITS.table_bytes}`,
      )
    return bytes.toString()
  } catch (error) {
    if (error instanceof Misconfigured) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new Misconfigured(
      'table-unreadable',
      `table ${name}: ${file} cannot be read (${code ?? 'unknown'})`,
    )
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function rowsOfJson(name: string, file: string, text: string, key: string): readonly Row[] {
  const value = parsed(name, file, text)
  const rows: unknown[] = Array.isArray(value)
    ? value
    : Object.entries(isRow(value) ? value : {}).map(([of, row]) => isRow(row) && { [key]: of, ...row })
  if (rows.every(isRow) && (isRow(value) || Array.isArray(value))) return rows
  throw new Misconfigured(
    'table-shape',
    `table ${name}: ${file} is neither a list of objects nor an object of objects`,
  )
}

function parsed(name: string, file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Misconfigured('table-json', `table ${name}: ${file} is no JSON: ${error.message}`)
  }
}

async function rowsOfCsv(file: string, text: string): Promise<readonly Row[]> {
  const rows: Row[] = []
  let names: readonly string[] | null = null
  for await (const fields of records(onceOf(text))) {
    if (names === null) names = fields
    else rows.push(Object.fromEntries(named(file, names, fields)))
  }
  return rows
}

function named(file: string, names: readonly string[], fields: readonly string[]): [string, string][] {
  if (fields.length !== names.length)
    throw new Misconfigured(
      'table-columns',
      `${file}: a row has ${fields.length} fields and not ${names.length}: ${fields.join(',').slice(0, 60)}`,
    )
  return names.map((name, i) => [name, fields[i] ?? ''])
}

async function* onceOf(text: string): AsyncGenerator<string> {
  yield text
}
