import type { LogEntry, Position } from '../runtime/ports.ts'
import type { Command } from '../schemas/command.ts'
import { decodeRecord } from '../schemas/codec.ts'
import { comparePlaces, unseen } from '../schemas/places.ts'
import type { Origin, Place } from '../schemas/record.ts'
import type { Batch, Remembered } from './batch.ts'
import { ask, type Inquiry, recordedTo, type Recorder } from './recorders.ts'
import { alertRows, changeEventRow, type LogPlace } from './rows.ts'

interface OriginRow {
  readonly source: string
  readonly partition: number
  readonly offset: number
  readonly ordinal: number
}

/** Where the rows of `alerts` are already. */
const TOLD_KEY = 'told'
/** By so much the times of a log may go back, when another broker with another clock leads the partition. */
const LOG_TIME_BACK_MS = 3_600_000

/**
 * Alerts log → `alerts` and `alert_repeats`, and `change_events`. Remembers the highest place of each source partition: as many rows as sources have
 * partitions. When the stored state was lost between the two inserts of a batch, the repeats are behind: then it goes on
 * behind them, and leaves out the alerts that are there.
 */
export class AlertsRecorder implements Recorder {
  private readonly origins = new Map<string, Place>()
  /** Before this position there are no alerts to be written. */
  private told_to: Position = 0

  restore(key: string, value: Buffer): void {
    if (key === TOLD_KEY) this.told_to = Number(value.toString())
    else this.origins.set(key, JSON.parse(value.toString()) as Place)
  }

  restored(): void {}

  async rebuild(inquiry: Inquiry, remembered: Remembered): Promise<Position> {
    const { client, partition, from, signal } = inquiry
    // Both tables are sorted by the time, so a bound spares reading all of them.
    const since_ms = Math.max(0, inquiry.since_ms - LOG_TIME_BACK_MS)
    const told_to = await recordedTo(inquiry, 'alerts', since_ms)
    // Of every batch the alerts are inserted first: before this position both are there.
    const to = Math.max(from, await recordedTo(inquiry, 'alert_repeats', since_ms))
    if (told_to > to) {
      this.told_to = told_to
      remembered.set(TOLD_KEY, Buffer.from(String(told_to)))
    }
    const query = `
      SELECT origin_source AS source, origin_partition AS partition, max((origin_offset, origin_ordinal)) AS place,
             place.1 AS offset, place.2 AS ordinal
      FROM (SELECT at, log_partition, log_position, origin_source, origin_partition, origin_offset, origin_ordinal FROM alerts
            UNION ALL SELECT at, log_partition, log_position, origin_source, origin_partition, origin_offset, origin_ordinal FROM alert_repeats)
      WHERE log_partition = {partition:UInt16} AND log_position < {to:UInt64} AND at >= fromUnixTimestamp64Milli({since_ms:Int64})
        AND origin_source != ''
      GROUP BY source, partition`
    for (const row of await ask<OriginRow>(client, query, { partition, to, since_ms }, signal))
      this.remember(originKey(row), [row.offset, row.ordinal], remembered)
    return to
  }

  add(partition: number, entry: LogEntry, batch: Batch): void {
    const record = decodeRecord(entry.value)
    const place = { partition, position: entry.position, time_ms: entry.time_ms }
    if (record.kind === 'command') return addCommand(batch, place, record.command)
    if (record.kind !== 'alerts') return
    const key = record.origin && originKey(record.origin)
    const highest = key === null ? undefined : this.origins.get(key)
    const first = unseen(record.places, highest)
    if (entry.position >= this.told_to) {
      this.forgetTold(batch.remembered)
      batch.add('alerts', entry.time_ms, entry.position, alertRows(place, record, first))
    }
    const { repeats } = record
    const first_repeat = repeats === undefined ? 0 : unseen(repeats.places, highest)
    if (repeats !== undefined) batch.addRepeats(place, record.origin, repeats, first_repeat)
    if (key === null || (first === record.alerts.length && first_repeat === (repeats?.count ?? 0))) return
    const last = [record.places.at(-1), repeats?.places.at(-1)].filter((one) => one !== undefined)
    this.remember(key, last.sort(comparePlaces).at(-1) as Place, batch.remembered)
  }

  forget(): void {}

  private forgetTold(remembered: Remembered): void {
    if (this.told_to === 0) return
    this.told_to = 0
    remembered.set(TOLD_KEY, null)
  }

  private remember(key: string, place: Place, remembered: Remembered): void {
    this.origins.set(key, place)
    remembered.set(key, Buffer.from(JSON.stringify(place)))
  }
}

/** Of the commands those that tell of a change; what others did is in the changes of incidents. */
function addCommand(batch: Batch, place: LogPlace, command: Command): void {
  const { body } = command
  if (body.kind !== 'change-event') return
  batch.add('change_events', body.change.at_ms, place.position, [changeEventRow(place, command, body)])
}

function originKey(origin: Origin): string {
  return `o/${origin.source}#${origin.partition}`
}
