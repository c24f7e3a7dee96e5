import type { Labels } from '../../schemas/alert.ts'
import type { Repeats } from '../../schemas/repeats.ts'

/** What a statement is recognised by when it comes again (ingest/recognise/); `end` is the text of its end, when that may differ. */
export interface Mark {
  readonly hash: Int32Array
  readonly end: string | null
}

/** An alert as its source tells it, times resolved; not yet normalised. Labels with an empty value are gone. */
export interface RawAlert {
  /** Its place within the message or request, from 0. */
  readonly ordinal: number
  readonly labels: Labels
  /**
   * The labels that every statement about this alert carries, its end included; fingerprint and scope are made of these alone.
   * Left out where all labels are.
   */
  readonly identity?: Labels
  readonly annotations: Labels
  readonly generator_url: string
  readonly starts_at_ms: number
  /** The source did not say when it began: `starts_at_ms` is when it was heard. */
  readonly start_assumed?: true
  /** null leaves the end to the resolve timeout. */
  readonly ends_at_ms: number | null
  readonly mark?: Mark | null
}

/** An alert that is not taken: why, by code and in words, and the alert itself as text. */
export interface RejectedAlert {
  readonly ordinal: number
  readonly code: string
  readonly reason: string
  readonly payload: string
  /** The payload is the alert as it was read, not as it was received. */
  readonly was_read?: true
}

/** Somebody works on it: no alert, but a command on the incident of the alert with this identity. */
export interface Acknowledgement {
  readonly ordinal: number
  readonly identity: Labels
  /** Who says so, as far as the sender tells. */
  readonly by: string
}

export interface DecodedAlerts {
  readonly alerts: readonly RawAlert[]
  readonly rejects: readonly RejectedAlert[]
  readonly acknowledgements?: readonly Acknowledgement[]
  /** Items that the configuration leaves out. */
  readonly dropped?: number
  /** Alerts that were told before, by partition of the log, with the ordinal of each. */
  readonly repeats?: ReadonlyMap<number, { readonly repeats: Repeats; readonly ordinals: readonly number[] }>
}
