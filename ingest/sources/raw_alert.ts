import type { Labels } from '../../schemas/alert.ts'

/** An alert as its source tells it, times resolved; not yet normalised. Labels with an empty value are gone. */
export interface RawAlert {
  /** Its place within the message or request, from 0. */
  readonly ordinal: number
  readonly labels: Labels
  readonly annotations: Labels
  readonly generator_url: string
  readonly starts_at_ms: number
  /** null leaves the end to the resolve timeout. */
  readonly ends_at_ms: number | null
}

/** An alert that is not taken: why, by code and in words, and the alert itself as text. */
export interface RejectedAlert {
  readonly ordinal: number
  readonly code: string
  readonly reason: string
  readonly payload: string
}

export interface DecodedAlerts {
  readonly alerts: readonly RawAlert[]
  readonly rejects: readonly RejectedAlert[]
}
