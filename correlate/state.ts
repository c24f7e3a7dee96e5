import type { Alert } from '../schemas/alert.ts'
import type { Silence } from '../schemas/command.ts'
import type { Incident, Member } from '../schemas/incident.ts'
import type { Place } from '../schemas/record.ts'
import type { Rules } from '../schemas/rules.ts'

/** An alert that fires, or that stopped while its incident is still kept. */
export interface AlertRow {
  readonly alert: Alert
  readonly incident_id: string
  readonly firing: boolean
  /** An operator resolved the incident while this alert fired: it counts for nothing until it stops and fires anew. */
  readonly dismissed: boolean
  /** When it stops unless repeated, rounded up to a bucket so that repeats seldom write. */
  readonly expires_at_ms: number
  /** The end was not given by the sender but by the resolve timeout. */
  readonly by_timeout: boolean
  readonly ended_at_ms: number | null
  readonly silenced_by: readonly string[]
  readonly joined_at_ms: number
  readonly updated_at_ms: number
  /** The stored member, so that every later telling says the same reason. */
  readonly reason: Member['reason']
}

/** An incident and what the fold needs beside its summary. */
export interface IncidentRow {
  readonly incident: Incident
  readonly group_key: string
  /** Members that fire and are not silenced. */
  readonly members_heard: number
  readonly last_joined_at_ms: number
  /** Memberships not told yet. */
  readonly joined: readonly Member[]
  readonly ended: readonly Member[]
  /** When growth that is held back will be told; null when all is told. */
  readonly tell_at_ms: number | null
  readonly told_at_ms: number
}

export interface CommandOutcome {
  readonly at_ms: number
  readonly incident_id: string | null
  readonly revision: number | null
  readonly refused: string | null
}

/** Everything that a fold of one partition knows. Treated as immutable by `decide`; only `apply` writes. */
export interface State {
  readonly partition: number
  time_ms: number
  rules: Rules | null
  readonly alerts: Map<string, AlertRow>
  readonly incidents: Map<string, IncidentRow>
  readonly silences: Map<string, Silence>
  readonly origins: Map<string, Place>
  readonly commands: Map<string, CommandOutcome>
  /** Derived from the rows, never stored: see apply.ts. */
  readonly derived: Derived
}

export interface Derived {
  /** Group key → the incident that takes its next alert. */
  readonly groups: Map<string, string>
  firing: number
  unresolved: number
}

/** One stored row, by its kind and key. */
export type Row =
  | { readonly kind: 'alert'; readonly key: string; readonly value: AlertRow | null }
  | { readonly kind: 'incident'; readonly key: string; readonly value: IncidentRow | null }
  | { readonly kind: 'silence'; readonly key: string; readonly value: Silence | null }
  | { readonly kind: 'origin'; readonly key: string; readonly value: Place | null }
  | { readonly kind: 'command'; readonly key: string; readonly value: CommandOutcome | null }
  | { readonly kind: 'rules'; readonly key: 'rules'; readonly value: Rules }
  | { readonly kind: 'time'; readonly key: 'time'; readonly value: number }

/** Stored keys: one letter for the kind, then the key. `read(shard, 'a/')` gives the alerts of a partition. */
export const ROW_PREFIX = { alert: 'a/', incident: 'i/', silence: 's/', origin: 'o/', command: 'c/', rules: 'r/', time: 't/' } as const satisfies Record<Row['kind'], string>

export function emptyState(partition: number): State {
  return {
    partition,
    time_ms: 0,
    rules: null,
    alerts: new Map(),
    incidents: new Map(),
    silences: new Map(),
    origins: new Map(),
    commands: new Map(),
    derived: { groups: new Map(), firing: 0, unresolved: 0 },
  }
}

