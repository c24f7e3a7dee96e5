import type { Alert } from '../schemas/alert.ts'
import type { Silence } from '../schemas/command.ts'
import type { Incident, Member } from '../schemas/incident.ts'
import type { MaintenanceWindow } from '../schemas/maintenance.ts'
import type { Place } from '../schemas/record.ts'
import { DEFAULT_RULES, type Rules } from '../schemas/rules.ts'
import type { DeclaredHeartbeat, HeartbeatRow } from './declared_heartbeats.ts'
import { DependencyIndex } from './dependency_index.ts'
import type { SightingRow } from './match/by_pair.ts'
import { type CompiledGrouping, compileGrouping } from './match/compiled.ts'
import { IncidentIndex } from './match/incident_index.ts'
import { Learned } from './match/learned.ts'
import type { Link } from './match/links.ts'
import type { IncidentPace, ScopePace } from './match/pace.ts'
import { RelationTable } from './match/relation_table.ts'
import type { RelationRow } from './match/relations.ts'
import type { ChangeEvent } from './rank/evidence.ts'
import type { Background, BackgroundHead, EntityHabits } from './rank/background.ts'
import { Vicinity } from './match/vicinity.ts'
import type { Why } from './match/why.ts'
import { type Waiting, WaitingAlerts } from './match/waiting.ts'
import { SeenAlerts } from './seen.ts'
import { Timers } from './timers.ts'

/** An alert that waits before it opens an incident or joins one, in case it is transient. */
export interface Held {
  readonly until_ms: number
  /** Where it came in the log, from which the id of an incident that it opens is derived. */
  readonly place: Place
  /** The incident that it was in when it fired before; empty when none. */
  readonly incident_id: string
}

/** How often an alert turned of late (flapping.ts). Written when it turns. */
export interface History {
  /** Its last twenty states, the newest in bit 0: 1 where one differs from the one before. */
  readonly bits: number
  /** When it turned last. */
  readonly at_ms: number
  /** It flaps until then, unless it turns again; null: it does not flap. */
  readonly settles_at_ms: number | null
  /** It flaps, counts as firing, and its source says that it resolved at that time. */
  readonly rests_since_ms: number | null
}

/** An alert that fires, or that stopped while its incident is still kept. */
export interface AlertRow {
  readonly alert: Alert
  /** Empty while it is in none: it is held, waits for others (match/waiting.ts), or is left out (match/place.ts). */
  readonly incident_id: string
  readonly held?: Held | null
  readonly firing: boolean
  /** An operator resolved the incident while this alert fired: it counts for nothing until it fires anew. */
  readonly dismissed: boolean
  /** When it stops unless repeated, rounded up to a bucket so that repeats seldom write. */
  readonly expires_at_ms: number
  /** The end was not given by the sender but by the resolve timeout. */
  readonly by_timeout: boolean
  readonly ended_at_ms: number | null
  /** What mutes it, as in a member of an incident. */
  readonly silenced_by: readonly string[]
  readonly joined_at_ms: number
  readonly updated_at_ms: number
  /** When the row may be forgotten, once it has ended. */
  readonly forget_at_ms: number | null
  /** Absent while it never turned. (Never undefined: what is read back must have its keys in the same order.) */
  readonly history?: History | null
  /** Why it is in its incident; told again with every telling. */
  readonly reason: Member['reason'] | Why
  /** The latest beginning that a sender told; absent: the alert's own. */
  readonly last_start_ms?: number
  /** It ended because nobody repeated it. */
  readonly timed_out?: true
  /** Incidents that it was in before it began anew elsewhere (match/anew.ts), newest first. */
  readonly was_in?: readonly string[]
  /** It is in no incident yet. */
  readonly waiting?: Waiting
}

/** A membership that is not told yet. */
export type UntoldMember = Omit<Member, 'reason'> & { readonly reason: Member['reason'] | Why }

/** An incident and what the fold needs beside its summary. */
export interface IncidentRow {
  readonly incident: Incident
  readonly group_key: string
  /** Where it was opened: position and ordinal. The newest incident of a group takes its next alert. */
  readonly opened_place: Place
  /** Members that fire and that nothing mutes. */
  readonly members_heard: number
  readonly last_joined_at_ms: number
  /** Memberships not told yet. */
  readonly joined: readonly UntoldMember[]
  readonly ended: readonly UntoldMember[]
  /** When growth that is held back will be told; null when all is told. */
  readonly tell_at_ms: number | null
  readonly told_at_ms: number
  /** When a closed incident leaves the live view. */
  readonly retire_at_ms: number | null
  /** How many members there were when the causes were ranked. */
  readonly ranked_members?: number
  /** How alerts come, in an incident that evidence opened; null in one that a rule opened. */
  readonly pace?: IncidentPace | null
}

/** A maintenance window, and who made it: the rules (null) or an operator. */
export interface MaintenanceRow {
  readonly window: MaintenanceWindow
  readonly created_by: string | null
}

/** An alert that an operator shelved, whether it fires or not. */
export interface Shelf {
  readonly incident_id: string
  readonly actor: string
  readonly comment: string
  readonly until_ms: number
}

/** What became of a command, so that the same id is not carried out twice. */
export interface CommandOutcome {
  readonly at_ms: number
  readonly refused: string | null
}

/** Everything that the fold of one partition knows. `decide` only reads it; only `apply` writes. */
export interface State {
  readonly partition: number
  time_ms: number
  rules: Rules
  readonly alerts: Map<string, AlertRow>
  readonly incidents: Map<string, IncidentRow>
  readonly silences: Map<string, Silence>
  readonly maintenance: Map<string, MaintenanceRow>
  /** By fingerprint. */
  readonly shelves: Map<string, Shelf>
  readonly origins: Map<string, Place>
  readonly commands: Map<string, CommandOutcome>
  /** By scope. */
  readonly paces: Map<string, ScopePace>
  readonly relations: RelationTable
  /** What operators said about kinds of alerts, by scope. */
  readonly links: Map<string, readonly Link[]>
  /** Versions of the topology that are complete, by source. */
  readonly topologies: Map<string, string>
  /** What is usual in a scope, for the ranking of causes. */
  readonly backgrounds: Map<string, Background & { readonly habits: Map<string, EntityHabits> }>
  /** By scope (change_events.ts), oldest first. */
  readonly change_events: Map<string, readonly ChangeEvent[]>
  /** By half of a pair and values (match/by_pair.ts). */
  readonly sightings: Map<string, SightingRow>
  /** Signs of life that are expected, by fingerprint (heartbeats.ts). */
  readonly heartbeats: Map<string, HeartbeatRow>
  /** Follows from the rows, never stored: see apply.ts. */
  readonly derived: Derived
}

export type LabelTest = (labels: Readonly<Record<string, string>>) => boolean

export interface Derived {
  /** Group key → its incidents, newest last. */
  readonly groups: Map<string, readonly string[]>
  readonly timers: Timers
  readonly seen: SeenAlerts
  grouping: CompiledGrouping
  /** By what any-of rules look alerts up. */
  agreed: IncidentIndex
  readonly waiting: WaitingAlerts
  readonly silence_tests: Map<string, LabelTest>
  /** Incident → fingerprints of its alerts. */
  readonly members: Map<string, Set<string>>
  /** What the alerts of an incident name, and of which kind they are. */
  readonly mentioned: IncidentIndex
  readonly kinds: IncidentIndex
  /** The maintenance windows that hold now. */
  readonly maintenance_now: Map<string, LabelTest>
  readonly dependencies: DependencyIndex
  readonly vicinity: Vicinity
  learned: Learned
  heartbeats: readonly DeclaredHeartbeat[]
  firing: number
  unresolved: number
}

/** One stored row by its kind and key; null deletes it. */
export type Row =
  | { readonly kind: 'alert'; readonly key: string; readonly value: AlertRow | null }
  | { readonly kind: 'incident'; readonly key: string; readonly value: IncidentRow | null }
  | { readonly kind: 'silence'; readonly key: string; readonly value: Silence | null }
  | { readonly kind: 'maintenance'; readonly key: string; readonly value: MaintenanceRow | null }
  | { readonly kind: 'shelf'; readonly key: string; readonly value: Shelf | null }
  | { readonly kind: 'origin'; readonly key: string; readonly value: Place }
  | { readonly kind: 'command'; readonly key: string; readonly value: CommandOutcome | null }
  | { readonly kind: 'pace'; readonly key: string; readonly value: ScopePace }
  | {
      readonly kind: 'relation'
      readonly scope: string
      /** The entity. */
      readonly key: string
      readonly value: RelationRow | null
    }
  | { readonly kind: 'links'; readonly key: string; readonly value: readonly Link[] }
  | { readonly kind: 'topology'; readonly key: string; readonly value: string }
  | { readonly kind: 'episode'; readonly key: string; readonly value: BackgroundHead }
  | { readonly kind: 'habits'; readonly key: string; readonly value: EntityHabits | null }
  | { readonly kind: 'change-events'; readonly key: string; readonly value: readonly ChangeEvent[] | null }
  | { readonly kind: 'sighting'; readonly key: string; readonly value: SightingRow | null }
  | { readonly kind: 'heartbeat'; readonly key: string; readonly value: HeartbeatRow | null }
  | { readonly kind: 'rules'; readonly key: string; readonly value: Rules }
  | { readonly kind: 'time'; readonly key: string; readonly value: number }

/** Stored keys: one letter for the kind, then the key, so that `a/` reads all alerts of a partition. */
export const ROW_PREFIX = {
  alert: 'a/',
  incident: 'i/',
  silence: 's/',
  maintenance: 'm/',
  shelf: 'h/',
  origin: 'o/',
  command: 'c/',
  pace: 'p/',
  relation: 'g/',
  topology: 'v/',
  links: 'l/',
  episode: 'e/',
  habits: 'b/',
  'change-events': 'd/',
  sighting: 'n/',
  heartbeat: 'k/',
  rules: 'r/',
  time: 't/',
} as const satisfies Record<Row['kind'], string>

export function emptyState(partition: number): State {
  return {
    partition,
    time_ms: 0,
    rules: DEFAULT_RULES,
    alerts: new Map(),
    incidents: new Map(),
    silences: new Map(),
    maintenance: new Map(),
    shelves: new Map(),
    origins: new Map(),
    commands: new Map(),
    paces: new Map(),
    relations: new RelationTable(),
    topologies: new Map(),
    links: new Map(),
    backgrounds: new Map(),
    change_events: new Map(),
    sightings: new Map(),
    heartbeats: new Map(),
    derived: {
      groups: new Map(),
      timers: new Timers(),
      seen: new SeenAlerts(),
      grouping: compileGrouping(DEFAULT_RULES.grouping),
      agreed: new IncidentIndex(),
      waiting: new WaitingAlerts(),
      silence_tests: new Map(),
      members: new Map(),
      mentioned: new IncidentIndex(),
      kinds: new IncidentIndex(),
      maintenance_now: new Map(),
      dependencies: new DependencyIndex(),
      vicinity: new Vicinity(),
      learned: new Learned(DEFAULT_RULES.learned, new Map()),
      heartbeats: [],
      firing: 0,
      unresolved: 0,
    },
  }
}
