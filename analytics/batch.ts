import type { Position } from '../runtime/ports.ts'
import type { TableName } from './rows.ts'

/** The rows of one insert: one table, one month, so one part on disk that is there as a whole or not at all. */
export interface Insert {
  readonly table: TableName
  /** Year and month, e.g. 202611. */
  readonly month: number
  readonly lines: string[]
}

/** Rows of the shard that change; null deletes one. */
export type Remembered = Map<string, Buffer | null>

function monthOf(time_ms: number): number {
  const time = new Date(time_ms)
  return time.getUTCFullYear() * 100 + time.getUTCMonth() + 1
}

/** What the entries from one position to another come to: rows, and what the fold must remember once they are there. */
export class Batch {
  readonly from: Position
  /** The position after the last entry. */
  to: Position
  rows = 0
  bytes = 0
  readonly remembered: Remembered
  private readonly parts = new Map<string, Insert>()

  constructor(from: Position, remembered: Remembered = new Map()) {
    this.from = from
    this.to = from
    this.remembered = remembered
  }

  /** `time_ms` is what the table is partitioned by. */
  add(table: TableName, time_ms: number, lines: readonly string[]): void {
    if (lines.length === 0) return
    const month = monthOf(time_ms)
    const key = `${table}/${month}`
    let part = this.parts.get(key)
    if (part === undefined) this.parts.set(key, (part = { table, month, lines: [] }))
    for (const one of lines) part.lines.push(one)
    this.rows += lines.length
  }

  /**
   * Months in order, so that the highest position in a table tells how far the inserts before it went; the changes of
   * incidents come after the tables that can be written twice, for the same purpose.
   */
  inserts(): readonly Insert[] {
    const order: readonly TableName[] = [
      'alerts',
      'dead_letters',
      'memberships',
      'incidents',
      'incident_changes',
    ]
    return [...this.parts.values()].sort(
      (a, b) => order.indexOf(a.table) - order.indexOf(b.table) || a.month - b.month,
    )
  }
}
