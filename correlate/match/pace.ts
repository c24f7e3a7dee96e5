/**
 * How fast alerts come: in a scope as usual, and in an incident just now. An incident takes further alerts while more arrive in it
 * than would by chance: a CUSUM of the log-likelihood ratio of two Poisson rates (Page 1954), which each alert raises and silence
 * lowers. So a busy scope forgets an incident sooner than a quiet one, without a fixed gap.
 */

/** The pace of a scope; one stored row. */
export interface ScopePace {
  /** Minutes since the epoch. */
  readonly minute: number
  /** Alerts in that minute so far. */
  readonly alerts: number
  /** Alerts in each minute before, oldest first. */
  readonly minutes: readonly number[]
  /** Alerts per second on an ordinary minute. */
  readonly usual_per_s: number
  /** Incidents that took an alert last, newest first. */
  readonly recent: readonly string[]
}

/** The pace of one incident. */
export interface IncidentPace {
  /** The CUSUM at `at_ms`; above 0 the incident takes alerts. */
  readonly heat: number
  /** Alerts per second, with weights that fall by e in 30 s. */
  readonly rate_per_s: number
  readonly at_ms: number
  /** When members began anew of late (place_again.ts). */
  readonly anew_at_ms: readonly number[]
  /** The first of the incidents that were opened beside each other because members began anew together; null: it is that itself. */
  readonly beside: string | null
}

const MINUTE_MS = 60_000
const MINUTES_KEPT = 120
/** With fewer minutes known, nothing is held to be usual. */
const MINUTES_NEEDED = 10
/** Below the median, because incidents are not what is usual. */
const USUAL_QUANTILE = 0.4
const USUAL_MIN_PER_S = 0.1 / 60
const RECENT_INCIDENTS = 4

export const NO_PACE: ScopePace = {
  minute: 0,
  alerts: 0,
  minutes: [],
  usual_per_s: USUAL_MIN_PER_S,
  recent: [],
}

/** The pace after one more alert, which `incident_id` took. */
export function withAlert(pace: ScopePace, now_ms: number, incident_id: string): ScopePace {
  const recent = [incident_id, ...pace.recent.filter((id) => id !== incident_id)].slice(0, RECENT_INCIDENTS)
  const minute = Math.floor(now_ms / MINUTE_MS)
  if (minute === pace.minute) return { ...pace, alerts: pace.alerts + 1, recent }
  if (pace.minute === 0) return { ...pace, minute, alerts: 1, recent }
  const silent = Math.min(minute - pace.minute - 1, MINUTES_KEPT)
  const minutes = [...pace.minutes, pace.alerts, ...Array.from({ length: silent }, () => 0)].slice(
    -MINUTES_KEPT,
  )
  return { minute, alerts: 1, minutes, usual_per_s: usualOf(minutes), recent }
}

function usualOf(minutes: readonly number[]): number {
  if (minutes.length < MINUTES_NEEDED) return USUAL_MIN_PER_S
  const sorted = [...minutes].sort((a, b) => a - b)
  return Math.max(USUAL_MIN_PER_S, (sorted[Math.floor(sorted.length * USUAL_QUANTILE)] as number) / 60)
}

/** An incident that goes on brings at least this many times the usual. */
const ABOVE_USUAL = 3
/** And at least this many alerts in the time after which silence ends it. */
const ALERTS_PER_QUIET = 3.75
const RATE_TAU_S = 30

interface Tempo {
  readonly gain: number
  readonly loss_per_s: number
  readonly heat_max: number
}

function tempo(usual_per_s: number, quiet_ms: number): Tempo {
  const quiet_s = quiet_ms / 1_000
  const alive_per_s = Math.max(ALERTS_PER_QUIET / quiet_s, ABOVE_USUAL * usual_per_s)
  const gain = Math.log(alive_per_s / usual_per_s)
  const loss_per_s = alive_per_s - usual_per_s
  return { gain, loss_per_s, heat_max: Math.max(2 * gain, quiet_s * loss_per_s) }
}

export interface Usual {
  readonly usual_per_s: number
  readonly quiet_ms: number
}

export function firstPace(
  now_ms: number,
  beside: string | null,
  { usual_per_s, quiet_ms }: Usual,
): IncidentPace {
  return {
    heat: tempo(usual_per_s, quiet_ms).gain,
    rate_per_s: 1 / RATE_TAU_S,
    at_ms: now_ms,
    anew_at_ms: [],
    beside,
  }
}

export function heatAt(pace: IncidentPace, now_ms: number, { usual_per_s, quiet_ms }: Usual): number {
  return pace.heat - (tempo(usual_per_s, quiet_ms).loss_per_s * (now_ms - pace.at_ms)) / 1_000
}

export function rateAt(pace: IncidentPace, now_ms: number): number {
  return pace.rate_per_s * Math.exp(-(now_ms - pace.at_ms) / 1_000 / RATE_TAU_S)
}

/** The pace after one more alert. */
export function raised(pace: IncidentPace, now_ms: number, usual: Usual): IncidentPace {
  const { gain, heat_max } = tempo(usual.usual_per_s, usual.quiet_ms)
  return {
    ...pace,
    heat: Math.min(heat_max, Math.max(0, heatAt(pace, now_ms, usual)) + gain),
    rate_per_s: rateAt(pace, now_ms) + 1 / RATE_TAU_S,
    at_ms: now_ms,
  }
}
