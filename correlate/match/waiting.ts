import type { OpenAfter } from '../../schemas/grouping.ts'
import { comparePlaces } from '../../schemas/places.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import type { AlertRow, State } from '../state.ts'
import type { Group } from './labels.ts'

/** What an alert waits for that is in no incident, because too few of its group came. */
export interface Waiting {
  readonly group_key: string
  /** Where it stands in the log. */
  readonly place: Place
  /** It counts for its group until then. */
  readonly until_ms: number
}

/** Alerts that wait, by group. Derived from the alert rows. */
export class WaitingAlerts {
  private readonly groups = new Map<string, Set<string>>()
  count = 0

  add(group_key: string, fingerprint: string): void {
    const group = this.groups.get(group_key) ?? new Set<string>()
    this.groups.set(group_key, group.add(fingerprint))
    this.count++
  }

  remove(group_key: string, fingerprint: string): void {
    const group = this.groups.get(group_key)
    if (!group?.delete(fingerprint)) return
    this.count--
    if (group.size === 0) this.groups.delete(group_key)
  }

  of(group_key: string): ReadonlySet<string> {
    return this.groups.get(group_key) ?? NOBODY
  }
}

const NOBODY: ReadonlySet<string> = new Set()

/** The others of the group that wait, if they are enough with this one; null when it has to wait as well. */
export function enough(state: State, { alert }: AlertRow, group: Group): readonly AlertRow[] | null {
  const wanted = group.rule.open_after
  if (!wanted) return []
  const waiting = state.derived.waiting.of(group.key)
  const others = waiting.size - (waiting.has(alert.fingerprint) ? 1 : 0)
  if (others + 1 < wanted.alerts) return null
  const rows: AlertRow[] = []
  for (const fingerprint of waiting) {
    const row = fingerprint === alert.fingerprint ? undefined : state.alerts.get(fingerprint)
    if (row) rows.push(row)
  }
  return rows.sort((a, b) => comparePlaces(placeOf(a), placeOf(b)))
}

function placeOf(row: AlertRow): Place {
  return row.waiting?.place ?? [0, 0]
}

/** The alert waits for others of its group. */
export function hold(
  state: State,
  fresh: AlertRow,
  { key }: Group,
  { within_ms }: OpenAfter,
  place: Place,
): Decision {
  const waiting: Waiting = { group_key: key, place, until_ms: state.time_ms + within_ms + 1 }
  const { fingerprint } = fresh.alert
  return {
    rows: [{ kind: 'alert', key: fingerprint, value: { ...fresh, incident_id: '', waiting } }],
    changes: [],
    unassigned: { fingerprint, code: 'waiting-for-more' },
  }
}

/** The row of an alert that waits no longer. */
export function released(row: AlertRow): AlertRow {
  const { waiting: _over, ...rest } = row
  return rest
}
