import type { Change } from '../schemas/change.ts'
import type { Row } from './state.ts'

/** An alert that is in no incident, and why. */
export interface Unassigned {
  readonly fingerprint: string
  readonly code: 'resolved-unknown' | 'active-alerts-bound'
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
