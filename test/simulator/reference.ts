import { storedKey } from '../../correlate/apply.ts'
import { dueAt, emptyOutcome, foldRecord, type Outcome } from '../../correlate/fold.ts'
import { homeOf, isUnresolved } from '../../correlate/home.ts'
import { emptyState, type State } from '../../correlate/state.ts'
import type { LogEntry } from '../../runtime/ports.ts'
import type { Change } from '../../schemas/change.ts'
import { decodeRecord, encodeChange } from '../../schemas/codec.ts'
import { comparePlaces } from '../../schemas/places.ts'
import type { AlertsRecord, Place } from '../../schemas/record.ts'
import type { World } from './world.ts'

/** An alert of a source, and where in the log it belongs. */
export interface Expected {
  readonly place: Place
  readonly partition: number
}

/**
 * The plain fold of the alerts log: one thread, from the beginning, entry by entry as they are appended. What the
 * processes publish and store must be equal to what it comes to.
 */
export class Reference {
  readonly states: readonly State[]
  /** The rows of each partition as they are stored. */
  readonly rows: readonly Map<string, string>[]
  /** Every change by its id, as bytes. */
  readonly changes = new Map<string, Buffer>()
  /** The newest change of each incident. */
  readonly newest = new Map<string, Change>()
  /** Incidents of which somebody was to hear at some time, by their first such change. */
  readonly audible = new Set<string>()
  private readonly world: World
  /** Source partition → partition of the log → alerts that have not come yet, in order. */
  private readonly expected = new Map<string, Expected[]>()

  constructor(world: World, partitions: number) {
    this.world = world
    this.states = Array.from({ length: partitions }, (_, partition) => emptyState(partition))
    this.rows = this.states.map(() => new Map())
  }

  /** Says what a source partition holds, in order. */
  expect(source_partition: number, alerts: readonly Expected[]): void {
    for (const alert of alerts) {
      const key = `${source_partition}/${alert.partition}`
      this.expected.set(key, [...(this.expected.get(key) ?? []), alert])
    }
  }

  /** Alerts of sources that are not in the log yet. */
  get missing(): number {
    return [...this.expected.values()].reduce((sum, list) => sum + list.length, 0)
  }

  /** Something should have been ticked long ago. */
  overdue(now_ms: number): boolean {
    return this.states.some((state) => (dueAt(state) ?? Infinity) < now_ms)
  }

  entry(partition: number, entry: LogEntry): void {
    const where = `alerts/${partition}@${entry.position}`
    const state = this.states[partition] as State
    const record = decodeRecord(entry.value)
    const before_ms = state.time_ms
    const outcome = emptyOutcome()
    foldRecord(state, { position: entry.position, time_ms: entry.time_ms, record }, outcome)
    if (state.time_ms < before_ms) this.world.violate('9: time never goes back', where)
    for (const row of outcome.rows.values()) {
      if (row.value === null) this.rows[partition]?.delete(storedKey(row))
      else this.rows[partition]?.set(storedKey(row), JSON.stringify(row.value))
    }
    for (const change of outcome.changes) this.tell(change)
    if (record.kind === 'alerts') this.account(partition, entry, record, outcome)
    this.checkState(state, where)
  }

  private tell(change: Change): void {
    const before = this.newest.get(change.incident_id)
    if (change.revision !== (before?.revision ?? 0) + 1)
      this.world.violate('4: revisions are 1, 2, 3', `${change.id} after ${before?.id ?? 'nothing'}`)
    if (before !== undefined && change.at_ms < before.at_ms)
      this.world.violate('9: time never goes back', `${change.id} is older than ${before.id}`)
    this.changes.set(change.id, encodeChange(change))
    this.newest.set(change.incident_id, change)
    const { state, suppressed } = change.incident
    if (!suppressed && !['resolved', 'reviewed', 'merged'].includes(state))
      this.audible.add(change.incident_id)
  }

  /** What a source repeats is skipped, what is new comes in the order of the source, and every alert is in an incident or has a reason why not. */
  private account(partition: number, entry: LogEntry, record: AlertsRecord, outcome: Outcome): void {
    const where = `alerts/${partition}@${entry.position}`
    const list =
      record.origin === null ? [] : (this.expected.get(`${record.origin.partition}/${partition}`) ?? [])
    let fresh = 0
    const places = [...record.places, ...(record.repeats?.places ?? [])].sort(comparePlaces)
    for (const place of places) {
      const at = list.findIndex(
        (expected) => expected.place[0] === place[0] && expected.place[1] === place[1],
      )
      if (at > 0)
        this.world.violate(
          '8: a source comes in order',
          `${where}: ${place.join('#')} came before ${list[0]?.place.join('#') ?? ''}`,
        )
      if (at < 0) continue
      list.splice(at, 1)
      fresh++
    }
    if (record.origin !== null && outcome.skipped !== places.length - fresh)
      this.world.violate(
        '8: what a source repeats is folded once',
        `${where}: ${outcome.skipped} skipped, ${places.length - fresh} had been there`,
      )
    if (outcome.unassigned.some(({ code }) => code === 'repeat-unknown'))
      this.world.violate('8: a repeat names an alert that the fold knows', where)
    const state = this.states[partition] as State
    const unassigned = new Set(outcome.unassigned.map(({ fingerprint }) => fingerprint))
    for (const fingerprint of fingerprintsOf(record).slice(outcome.skipped)) {
      if (!state.alerts.has(fingerprint) && !unassigned.has(fingerprint))
        this.world.violate('7: an alert has an incident or a reason', `${where}: ${fingerprint}`)
    }
  }

  /** A firing alert that is not held back is in exactly one incident, which is not closed, and the counts are exact. */
  private checkState(state: State, where: string): void {
    const firing = new Map<string, number>()
    for (const row of state.alerts.values()) {
      // What is held, or waits for others of its group, is in none.
      if (!row.firing || row.dismissed || row.incident_id === '') continue
      const home = homeOf(state, row.incident_id)
      if (home === undefined || !isUnresolved(home))
        this.world.violate(
          '6: an incident is closed only when no member fires',
          `${where}: ${row.alert.fingerprint} fires in ${row.incident_id}, which is ${home?.incident.state ?? 'not there'}`,
        )
      else firing.set(home.incident.id, (firing.get(home.incident.id) ?? 0) + 1)
    }
    for (const { incident } of state.incidents.values()) {
      if (incident.members_firing !== (firing.get(incident.id) ?? 0))
        this.world.violate(
          '6: counts are exact',
          `${where}: ${incident.id} counts ${incident.members_firing} firing, there are ${firing.get(incident.id) ?? 0}`,
        )
    }
  }
}

/** In the order in which they came. */
function fingerprintsOf({ alerts, repeats, repeats_before = [] }: AlertsRecord): readonly string[] {
  const found: string[] = []
  let repeat = 0
  const repeatsTo = (end: number) => {
    for (; repeats !== undefined && repeat < end; repeat++) found.push(repeats.fingerprint(repeat))
  }
  for (const [i, { fingerprint }] of alerts.entries()) {
    repeatsTo(repeats_before[i] ?? 0)
    found.push(fingerprint)
  }
  repeatsTo(repeats?.count ?? 0)
  return found
}
