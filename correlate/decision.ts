import type { Change } from '../schemas/change.ts'
import type { Row } from './state.ts'

/** An alert that is in no incident, and why. */
export interface Unassigned {
  readonly fingerprint: string
  /**
   * `repeat-unknown`: a repeat named an alert that is not known (any more). `chronic`: it would have opened an incident but is on the
   * list of chronic alerts.
   */
  readonly code: 'resolved-unknown' | 'active-alerts-bound' | 'repeat-unknown' | 'chronic'
}

export interface Decision {
  readonly rows: readonly Row[]
  readonly changes: readonly Change[]
  readonly unassigned?: Unassigned
}

export const NOTHING: Decision = { rows: [], changes: [] }

/** What a command came to. */
export interface Done {
  readonly rows: readonly Row[]
  readonly changes: readonly Change[]
  readonly refused: string | null
}
