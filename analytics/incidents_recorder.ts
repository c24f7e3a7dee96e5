import type { LogEntry, Position } from '../runtime/ports.ts'
import type { Change } from '../schemas/change.ts'
import { decodeChange } from '../schemas/codec.ts'
import type { IncidentState } from '../schemas/incident.ts'
import type { Batch, Remembered } from './batch.ts'
import { ask, type Inquiry, recordedTo, type Recorder } from './recorders.ts'
import { changeRow, incidentRow, membershipRow } from './rows.ts'

/** The highest revision seen of an incident, whether the incident is closed, and when the change came. */
interface Seen {
  readonly revision: number
  readonly closed: boolean
  readonly time_ms: number
}

const CLOSED: readonly IncidentState[] = ['resolved', 'reviewed', 'merged']
const PREFIX = 'r/'

export interface RevisionLimits {
  /** A closed incident is forgotten when nothing came for so long. */
  readonly remember_closed_ms: number
  /** Incidents remembered at all; beyond it those that changed longest ago are forgotten. */
  readonly incidents_max: number
}

const REVISION_LIMITS: RevisionLimits = { remember_closed_ms: 86_400_000, incidents_max: 100_000 }

/**
 * Incidents log → `incident_changes`, `incidents`, `memberships`. Remembers the highest revision of each incident that
 * is open or changed lately. A change is appended twice only when the correlator stopped between publishing and
 * committing, and comes again as soon as it works again, so it is found among these. Beyond the bound the tables
 * themselves hold: all three keep one row for equal keys, and equal ids carry equal content.
 */
export class IncidentsRecorder implements Recorder {
  private readonly limits: RevisionLimits
  /** Both in the order in which the incidents changed. */
  private readonly open = new Map<string, Seen>()
  private readonly closed = new Map<string, Seen>()
  private time_ms = 0

  constructor(limits: RevisionLimits = REVISION_LIMITS) {
    this.limits = limits
  }

  restore(key: string, value: Buffer): void {
    this.keep(key.slice(PREFIX.length), JSON.parse(value.toString()) as Seen)
  }

  restored(): void {
    for (const map of [this.open, this.closed]) {
      const seen = [...map].sort(([, a], [, b]) => a.time_ms - b.time_ms)
      map.clear()
      for (const [incident_id, one] of seen) map.set(incident_id, one)
    }
  }

  async rebuild(inquiry: Inquiry, remembered: Remembered): Promise<Position> {
    const { client, partition, from, signal } = inquiry
    const query = `
      SELECT incident_id, max(revision) AS highest, argMax(state, revision) IN {closed:Array(String)} AS closed,
             toUnixTimestamp64Milli(max(at)) AS time_ms
      FROM incident_changes WHERE log_partition = {partition:UInt16}
      GROUP BY incident_id
      HAVING NOT closed OR time_ms >= (SELECT toUnixTimestamp64Milli(max(at)) FROM incident_changes) - {remember_closed_ms:Int64}
      ORDER BY time_ms DESC LIMIT {incidents_max:UInt32}`
    const params = { partition, closed: CLOSED, ...this.limits }
    interface Row {
      readonly incident_id: string
      readonly highest: number
      readonly closed: number
      readonly time_ms: number
    }
    for (const row of await ask<Row>(client, query, params, signal)) {
      const seen: Seen = { revision: row.highest, closed: row.closed === 1, time_ms: row.time_ms }
      this.keep(row.incident_id, seen)
      remembered.set(PREFIX + row.incident_id, Buffer.from(JSON.stringify(seen)))
    }
    this.restored()
    return Math.max(from, await recordedTo(inquiry, 'incident_changes'))
  }

  add(partition: number, entry: LogEntry, batch: Batch): void {
    const change = decodeChange(entry.value)
    const { incident_id, revision, incident } = change
    const before = this.open.get(incident_id) ?? this.closed.get(incident_id)
    if (before !== undefined && revision <= before.revision) return
    addRows(batch, { partition, position: entry.position, time_ms: entry.time_ms }, change)
    const seen: Seen = { revision, closed: CLOSED.includes(incident.state), time_ms: entry.time_ms }
    this.keep(incident_id, seen)
    batch.remembered.set(PREFIX + incident_id, Buffer.from(JSON.stringify(seen)))
  }

  forget(batch: Batch): void {
    const drop = (map: Map<string, Seen>, incident_id: string) => {
      map.delete(incident_id)
      batch.remembered.set(PREFIX + incident_id, null)
    }
    for (const [incident_id, { time_ms }] of this.closed) {
      if (
        time_ms + this.limits.remember_closed_ms >= this.time_ms &&
        this.open.size + this.closed.size <= this.limits.incidents_max
      )
        break
      drop(this.closed, incident_id)
    }
    for (const incident_id of this.open.keys()) {
      if (this.open.size <= this.limits.incidents_max) break
      drop(this.open, incident_id)
    }
  }

  private keep(incident_id: string, seen: Seen): void {
    this.open.delete(incident_id)
    this.closed.delete(incident_id)
    this.time_ms = Math.max(this.time_ms, seen.time_ms)
    const map = seen.closed ? this.closed : this.open
    map.set(incident_id, seen)
  }
}

function addRows(batch: Batch, place: Parameters<typeof changeRow>[0], change: Change): void {
  const { position } = place
  batch.add('incident_changes', change.at_ms, position, [changeRow(place, change)])
  batch.add('incidents', change.incident.opened_at_ms, position, [incidentRow(place, change)])
  // An alert that joined and ended within one change: the end is the newer of the two.
  for (const member of [...change.memberships.joined, ...change.memberships.ended]) {
    batch.add('memberships', member.joined_at_ms, position, [membershipRow(place, change, member)])
  }
}
