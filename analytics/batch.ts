import type { Position } from '../runtime/ports.ts'
import type { Origin } from '../schemas/record.ts'
import type { Repeats } from '../schemas/repeats.ts'
import { RepeatCounts } from './repeat_counts.ts'
import type { LogPlace, TableName } from './rows.ts'

/** The rows of one insert: one table, one month, so one part on disk that is there as a whole or not at all. */
export interface Insert {
  readonly table: TableName
  /** Year and month, e.g. 202611. */
  readonly month: number
  /** The position of the first entry with rows here. */
  readonly from: Position
  /** Rows of every table but one, as lines of JSONCompactEachRow. */
  readonly lines: string[]
  /** Rows of `alert_repeats`, by source partition. */
  readonly repeats: Map<string, RepeatCounts>
}

/** Counted repeats are small and many: so many of them weigh as much as one row of another table. */
const REPEATS_PER_ROW = 16

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
  /** How full it is: rows of the tables, of counted repeats a fraction. */
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
  add(table: TableName, time_ms: number, position: Position, lines: readonly string[]): void {
    if (lines.length === 0) return
    const part = this.part(table, monthOf(time_ms), position)
    for (const one of lines) {
      part.lines.push(one)
      this.bytes += one.length
    }
    this.rows += lines.length
  }

  /** Counts repeats from `first` on. */
  addRepeats(place: LogPlace, origin: Origin | null, repeats: Repeats, first: number): void {
    if (first >= repeats.count) return
    const { repeats: counts } = this.part('alert_repeats', monthOf(place.time_ms), place.position)
    const key = origin === null ? '' : `${origin.source}#${origin.partition}`
    const known = counts.get(key) ?? new RepeatCounts(place.partition, origin)
    counts.set(key, known)
    this.rows += known.add(place, repeats, first) / REPEATS_PER_ROW
  }

  private part(table: TableName, month: number, from: Position): Insert {
    const key = `${table}/${month}`
    const part = this.parts.get(key) ?? { table, month, from, lines: [], repeats: new Map() }
    this.parts.set(key, part)
    return part
  }

  /**
   * Months in order, so that the highest position in a table tells how far the inserts before it went. Repeats come after
   * alerts, so that where the repeats reach the alerts are as well, and what was changed before both; the changes of incidents come after the tables that can
   * be written twice, for the same purpose.
   */
  inserts(): readonly Insert[] {
    const order: readonly TableName[] = [
      'change_events',
      'alerts',
      'alert_repeats',
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
