import type { Alert } from '../schemas/alert.ts'
import type { Change } from '../schemas/change.ts'
import type { Command } from '../schemas/command.ts'
import type { Place } from '../schemas/record.ts'
import type { Rules } from '../schemas/rules.ts'
import type { TopologyPart } from '../schemas/topology.ts'
import type { Turned } from './dependency_index.ts'
import type { Row } from './state.ts'

/** What a repeat of an alert tells (schemas/repeats.ts). */
export interface Repeat {
  readonly fingerprint: string
  readonly starts_at_ms: number
  readonly ends_at_ms: number | null
}

/** What one decision is about: one alert, one command, new rules, something that fell due, or what follows from another decision. */
export type Event =
  | { readonly kind: 'alert'; readonly alert: Alert; readonly place: Place }
  | { readonly kind: 'repeat'; readonly repeat: Repeat; readonly place: Place }
  | { readonly kind: 'command'; readonly command: Command; readonly place: Place }
  | { readonly kind: 'rules'; readonly rules: Rules }
  | { readonly kind: 'topology'; readonly topology: TopologyPart }
  | { readonly kind: 'alert-due'; readonly fingerprint: string; readonly late_ms: number }
  | { readonly kind: 'incident-due'; readonly incident_id: string }
  | { readonly kind: 'silence-due'; readonly silence_id: string }
  | { readonly kind: 'maintenance-due'; readonly name: string }
  | { readonly kind: 'shelf-due' }
  | { readonly kind: 'storm-due'; readonly scope: string }
  | { readonly kind: 'command-due'; readonly command_id: string }
  | { readonly kind: 'waiting-due'; readonly fingerprint: string }
  | { readonly kind: 'sighting-due'; readonly key: string }
  | { readonly kind: 'heartbeat-due'; readonly fingerprint: string; readonly late_ms: number }
  | { readonly kind: 'suppression-changed' }
  | { readonly kind: 'heartbeats-changed' }
  | { readonly kind: 'flapping-began'; readonly fingerprint: string }
  | { readonly kind: 'dependency-turned'; readonly turned: Turned }

/** An alert that is in no incident, and why. */
export interface Unassigned {
  readonly fingerprint: string
  /**
   * `repeat-unknown`: a repeat named an alert that is not known (any more). `transient`: it was held, and resolved before its
   * time was up. `waiting-for-more`: its rule opens no incident before more alerts of the group came, and `too-few` of them did. `chronic`: it
   * would have opened an incident but is on the list of chronic alerts. `heartbeat`: it is a sign of life (heartbeats.ts); `heartbeats-bound`: it
   * would be one, but too many are expected already.
   */
  readonly code:
    | 'resolved-unknown'
    | 'active-alerts-bound'
    | 'repeat-unknown'
    | 'waiting-for-more'
    | 'too-few'
    | 'transient'
    | 'chronic'
    | 'heartbeat'
    | 'heartbeats-bound'
}

export interface Decision {
  readonly rows: readonly Row[]
  readonly changes: readonly Change[]
  readonly unassigned?: Unassigned
  /** What is to be decided next, once these rows are installed. */
  readonly next?: Event
}

export const NOTHING: Decision = { rows: [], changes: [] }

/** What a command came to. */
export interface Done {
  readonly rows: readonly Row[]
  readonly changes: readonly Change[]
  readonly refused: string | null
}

export function refused(why: string): Done {
  return { rows: [], changes: [], refused: why }
}
