import type { ClickHouseClient } from '@clickhouse/client'
import type { Readable } from 'node:stream'
import type { REPEAT_COLUMNS } from '../../analytics/repeat_counts.ts'
import { COLUMNS, type TableName } from '../../analytics/rows.ts'
import type { Host, World } from './world.ts'

/** Tokens that a table remembers; by then no request is under way that bears an older one. */
const TOKENS_MAX = 50

type RepeatRow = Readonly<Record<(typeof REPEAT_COLUMNS)[number], string | number>>

/** A row by the names of its columns, and as it was written if it was text. */
export interface HistoryRow {
  readonly cells: Readonly<Record<string, unknown>>
  readonly line: string
}

type Inserting = Parameters<ClickHouseClient['exec']>[0] & { readonly values: Readable }

interface Question {
  readonly table: TableName
  readonly text: string
  readonly params: Readonly<Record<string, unknown>>
}

/**
 * ClickHouse as far as the record fold asks for it: an insert is there as a whole or not at all, a token that the table still
 * remembers makes it nothing, and questions about positions are answered from the rows. Rows with equal keys stay side by side.
 */
export class HistoryServer {
  /** Deliberate defects. */
  forgets_tokens = false
  forgets_beginnings = false
  /** Is an insert of this process not taken? */
  refuses = (_table: TableName, _host: Host): boolean => false
  private readonly world: World
  private readonly tables = new Map<TableName, HistoryRow[]>()
  private readonly tokens = new Map<TableName, string[]>()
  /** Partitions of logs of which something may be recorded. */
  private readonly begun = new Set<string>()

  constructor(world: World) {
    this.world = world
  }

  rows(table: TableName): readonly HistoryRow[] {
    return this.tables.get(table) ?? []
  }

  /** The three calls of the client that the record fold makes. */
  client(host: Host): ClickHouseClient {
    const { world } = this
    const exec = async (given: Inserting) => {
      const table = tableOf(given.query, 'INTO')
      const token = String(given.clickhouse_settings?.insert_deduplication_token)
      const chunks: Buffer[] = []
      for await (const chunk of given.values) chunks.push(chunk as Buffer)
      const rows = rowsOf(table, given.query, Buffer.concat(chunks))
      await world.request(host, 'history', `insert ${token}`, async () => {
        if (this.refuses(table, host)) throw new Error('not taken')
        this.insert(table, token, rows)
      })
      if (world.random.chance(world.rates.insert_unanswered)) throw new Error('the connection broke')
      return { stream: [] }
    }
    const command = async ({
      query: text,
      query_params = {},
    }: Parameters<ClickHouseClient['command']>[0]) => {
      if (!text.includes('INTO recorded_partitions'))
        throw new TypeError(`no command of the simulation: ${text}`)
      const begun = beginning(query_params)
      await world.request(host, 'history', `begin ${begun}`, async () => {
        if (!this.forgets_beginnings) this.begun.add(begun)
      })
    }
    const query = async ({ query: text, query_params = {} }: Parameters<ClickHouseClient['query']>[0]) => {
      if (text.includes('FROM recorded_partitions')) {
        const begun = beginning(query_params)
        const rows = await world.request(host, 'history', `ask of ${begun}`, async () =>
          this.begun.has(begun) ? [{}] : [],
        )
        return { json: async () => rows }
      }
      const table = tableOf(text, 'FROM')
      const rows = await world.request(host, 'history', `ask ${table}`, async () =>
        this.answer({ table, text, params: query_params }),
      )
      return { json: async () => rows }
    }
    return { exec, query, command } as unknown as ClickHouseClient
  }

  private insert(table: TableName, token: string, rows: readonly HistoryRow[]): void {
    const tokens = this.tokens.get(table) ?? []
    if (!this.forgets_tokens && tokens.includes(token)) return
    this.tokens.set(table, [...tokens, token].slice(-TOKENS_MAX))
    this.tables.set(table, [...this.rows(table), ...rows])
  }

  private answer({ table, text, params }: Question): readonly object[] {
    const rows = this.cells(table, params)
    if (text.includes('SELECT 1 FROM')) return between(rows, params).slice(0, 1)
    if (text.includes('max(log_position)')) return [highest(rows)]
    if (text.includes('origin_source AS source')) {
      const both = [...rows, ...this.cells('alert_repeats', params)]
      return origins(both.filter((cells) => position(cells) < Number(params['to'])))
    }
    if (text.includes('max(revision)')) return revisions(rows, params['closed'] as readonly string[])
    throw new TypeError(`the simulated ClickHouse does not understand ${text}`)
  }

  private cells(table: TableName, { partition, since_ms = 0 }: Question['params']): readonly Cells[] {
    return this.rows(table)
      .map(({ cells }) => cells)
      .filter(
        (cells) => cells['log_partition'] === partition && Number(cells['at']) * 1_000 >= Number(since_ms),
      )
  }
}

type Cells = HistoryRow['cells']

function beginning({ topic, partition }: Question['params']): string {
  return `${String(topic)}/${String(partition)}`
}

function tableOf(query: string, before: 'INTO' | 'FROM'): TableName {
  const name = new RegExp(`${before} (\\w+)`).exec(query)?.[1]
  if (name === undefined || !(name in COLUMNS)) throw new TypeError(`no table in ${query}`)
  return name as TableName
}

function rowsOf(table: TableName, query: string, content: Buffer): readonly HistoryRow[] {
  if (query.endsWith('FORMAT RowBinary')) return repeatRows(content).map((cells) => ({ cells, line: '' }))
  const lines = content
    .toString()
    .split('\n')
    .filter((line) => line !== '')
  return lines.map((line) => {
    const values = JSON.parse(line) as readonly unknown[]
    return { cells: Object.fromEntries(COLUMNS[table].map((column, i) => [column, values[i]])), line }
  })
}

/** Rows of `alert_repeats` in ClickHouse's RowBinary, as the types of its columns say. */
export function repeatRows(bytes: Buffer): readonly RepeatRow[] {
  const rows: RepeatRow[] = []
  for (let at = 0; at < bytes.length; ) {
    const whole = () => Number(bytes.readBigUInt64LE((at += 8) - 8))
    const seconds = () => whole() / 1_000
    rows.push({
      at: seconds(),
      first_at: seconds(),
      log_partition: bytes.readUInt16LE((at += 2) - 2),
      log_position: whole(),
      fingerprint_bytes: bytes.toString('hex', at, (at += 16)),
      repeats: whole(),
      // Names of sources are short here: their length is one byte.
      origin_source: bytes.toString('utf8', at + 1, (at += 1 + bytes.readUInt8(at))),
      origin_partition: bytes.readUInt32LE((at += 4) - 4),
      origin_offset: whole(),
      origin_ordinal: bytes.readUInt32LE((at += 4) - 4),
    })
  }
  return rows
}

const position = (cells: Cells) => Number(cells['log_position'])

function between(rows: readonly Cells[], { from, to }: Question['params']): readonly Cells[] {
  return rows.filter((cells) => position(cells) >= Number(from) && position(cells) < Number(to))
}

function highest(rows: readonly Cells[]): object {
  return { rows: rows.length, position: Math.max(0, ...rows.map(position)) }
}

/** The last row of each key, by an order. */
function last(
  rows: readonly Cells[],
  key: (cells: Cells) => string,
  order: (a: Cells, b: Cells) => number,
): readonly Cells[] {
  const sorted = [...rows].sort(order)
  return [...new Map(sorted.map((cells) => [key(cells), cells])).values()]
}

function origins(rows: readonly Cells[]): readonly object[] {
  const number = (cells: Cells, column: string) => Number(cells[column])
  return last(
    rows.filter((cells) => cells['origin_source'] !== ''),
    (cells) => `${String(cells['origin_source'])}#${String(cells['origin_partition'])}`,
    (a, b) =>
      number(a, 'origin_offset') - number(b, 'origin_offset') ||
      number(a, 'origin_ordinal') - number(b, 'origin_ordinal'),
  ).map((cells) => ({
    source: cells['origin_source'],
    partition: cells['origin_partition'],
    offset: cells['origin_offset'],
    ordinal: cells['origin_ordinal'],
  }))
}

function revisions(rows: readonly Cells[], closed: readonly string[]): readonly object[] {
  return last(
    rows,
    (cells) => String(cells['incident_id']),
    (a, b) => Number(a['revision']) - Number(b['revision']),
  ).map((cells) => ({
    incident_id: cells['incident_id'],
    highest: cells['revision'],
    closed: closed.includes(String(cells['state'])) ? 1 : 0,
    time_ms: Number(cells['at']) * 1_000,
  }))
}
