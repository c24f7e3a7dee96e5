import { Misconfigured } from '../../runtime/errors.ts'
import { TIME_FORMS, timeOf, valueOf } from './cells.ts'
import type { Columns } from './columns.ts'

/** When the first so many rows have no readable cell in a column, it is the wrong column. */
const PATIENCE_ROWS = 100
const ROW_MS = 60_000

/** The cells of a row that are asked for. */
export interface ReadRow {
  readonly time: string
  /** Null when the time is not readable. */
  readonly at_ms: number | null
  readonly texts: readonly string[]
  /** NaN where there is no number. */
  readonly values: readonly number[]
}

/** Reads cells, and tells a wrong column from a bad row. */
export class RowReader {
  private rows = 0
  private readonly columns: Columns
  /** Readable cells by column number. */
  private readonly readable = new Map<number, number>()
  /** The first cell that was not, with its row. */
  private readonly unreadable = new Map<number, { count: number; row: number; text: string }>()

  constructor(columns: Columns) {
    this.columns = columns
  }

  read(fields: readonly string[]): ReadRow {
    this.rows++
    const { time, values } = this.columns
    const texts = values.map((column) => fields[column] ?? '')
    const numbers = values.map((column, i) => this.number(column, texts[i] ?? ''))
    const text = time === null ? String(this.rows) : (fields[time] ?? '')
    const at_ms = time === null ? this.rows * ROW_MS : this.time(time, text)
    if (this.rows === PATIENCE_ROWS) this.refuseWrongColumns()
    return { time: text, at_ms, texts, values: numbers }
  }

  /** After the last row: what a person should know, on the error output. */
  conclude(): void {
    this.refuseWrongColumns()
    for (const [column, { count, row, text }] of this.unreadable)
      console.error(
        `tocsin: column "${this.columns.names[column]}": ${count} cells could not be read and were left out, the first in row ${row}: ${text.slice(0, 60)}`,
      )
    if (this.columns.time === null)
      console.error(
        'tocsin: no column of times was found; rows are counted as a minute each. Name one with --time',
      )
  }

  private number(column: number, text: string): number {
    const cell = valueOf(text)
    if (cell.kind === 'number') this.note(column)
    if (cell.kind === 'unreadable') this.noteUnreadable(column, text)
    return cell.kind === 'number' ? cell.value : Number.NaN
  }

  private time(column: number, text: string): number | null {
    const at_ms = timeOf(text)
    if (at_ms === null) this.noteUnreadable(column, text)
    else this.note(column)
    return at_ms
  }

  private note(column: number): void {
    this.readable.set(column, (this.readable.get(column) ?? 0) + 1)
  }

  private noteUnreadable(column: number, text: string): void {
    const known = this.unreadable.get(column)
    if (known) known.count++
    else this.unreadable.set(column, { count: 1, row: this.rows, text })
  }

  private refuseWrongColumns(): void {
    for (const [column, { row, text }] of this.unreadable) {
      if (this.readable.has(column)) continue
      const name = this.columns.names[column] ?? ''
      const [what, remedy] =
        column === this.columns.time
          ? ['no time', `--time takes a column of ${TIME_FORMS}`]
          : ['no number', 'name the columns to read with --value']
      throw new Misconfigured(
        'csv-unreadable',
        `column "${name}" holds ${what} (row ${row}: "${text.slice(0, 60)}"): ${remedy}`,
      )
    }
  }
}
