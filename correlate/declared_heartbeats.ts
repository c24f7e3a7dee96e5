import type { Alert } from '../schemas/alert.ts'
import type { Heartbeat } from '../schemas/heartbeat.ts'
import { compileMatchers } from '../schemas/matching.ts'
import type { Place } from '../schemas/record.ts'

/** One sign of life that is expected, by the fingerprint of the alert that gives it. */
export interface HeartbeatRow {
  /** Of its declaration in the rules. */
  readonly name: string
  /** As it was told last, without annotations. */
  readonly alert: Alert
  /** Where it stands in the log. */
  readonly place: Place
  readonly heard_at_ms: number
  /** Its term is counted from then: when it was heard, or when the system was back after it was down. */
  readonly counts_from_ms: number
  /** When it is looked at next; null: it is lost, and an alert says so. */
  readonly due_at_ms: number | null
}

export interface DeclaredHeartbeat {
  readonly heartbeat: Heartbeat
  readonly isOne: (alert: Alert) => boolean
}

/** Throws MatcherError. */
export function compileHeartbeats(heartbeats: readonly Heartbeat[]): readonly DeclaredHeartbeat[] {
  return heartbeats.map((heartbeat) => {
    const test = compileMatchers(heartbeat.match)
    const { source } = heartbeat
    return {
      heartbeat,
      isOne: (alert) => (source === null || alert.source === source) && test(alert.labels),
    }
  })
}
