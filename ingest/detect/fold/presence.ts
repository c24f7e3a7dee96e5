import type { Silence } from './plan.ts'
import type { Device, Watch } from './state.ts'

/**
 * Whether a device says anything, and anything that is vouched for. All times are kept time: of the log, less the time in which nobody kept
 * the clock. A device that is silent is one alert; a series is missing only while its device goes on talking.
 */
export interface Presence {
  /** Of the last reading that was not said to be the last one known of a device that is gone. */
  heard_ms: number
  /** Of the last reading that somebody vouches for. */
  usable_ms: number
  /** Usual distance of entries; NaN before the second. */
  gap_ms: number
  /** Since when all that is said is that the device is gone; NaN: it is not. */
  gone_since_ms: number
  /** When its series were looked at. */
  checked_ms: number
  /** The condition that holds; told or suppressed by design. */
  open: { readonly condition: PresenceCondition; readonly since_ms: number; told: boolean } | null
}

export type PresenceCondition = 'device-gone' | 'device-silent' | 'device-bad-quality'

/** State of the watch of one series that a `stale` rule matches. */
export interface Heard {
  heard_ms: number
  usable_ms: number
  gap_ms: number
}

export const startPresence = (): Presence => ({
  heard_ms: Number.NaN,
  usable_ms: Number.NaN,
  gap_ms: Number.NaN,
  gone_since_ms: Number.NaN,
  checked_ms: Number.NEGATIVE_INFINITY,
  open: null,
})

/** What says that it is gone is believed after so long: it may only be starting again. */
const GONE_AFTER_MS = 60_000
/** A longer gap moves the usual one slowly, a shorter one quickly: an outage is not the usual gap. */
const LONGER_RATE = 0.02
const SHORTER_RATE = 0.2
const CHECK_INTERVAL_MS = 15_000
const AGAIN_MS = 60_000

/** How long silence is usual; null while that is not known. */
function limitOf({ expected_gap_ms, gaps, least_ms }: Silence, gap_ms: number): number | null {
  const usual_ms = expected_gap_ms ?? gap_ms
  return Number.isNaN(usual_ms) ? null : Math.max(least_ms, gaps * usual_ms)
}

function learned(gap_ms: number, heard_ms: number, now_ms: number): number {
  if (Number.isNaN(heard_ms)) return Number.NaN
  const found_ms = now_ms - heard_ms
  if (Number.isNaN(gap_ms)) return found_ms
  return (
    gap_ms + (found_ms > gap_ms ? LONGER_RATE : SHORTER_RATE) * (Math.min(found_ms, 10 * gap_ms) - gap_ms)
  )
}

/** One entry of the log with readings of the device. */
export function hearDevice(presence: Presence, kept_ms: number, alive: boolean, usable: boolean): void {
  if (!alive) {
    if (Number.isNaN(presence.gone_since_ms)) presence.gone_since_ms = kept_ms
    return
  }
  if (kept_ms > presence.heard_ms || Number.isNaN(presence.heard_ms)) {
    presence.gap_ms = learned(presence.gap_ms, presence.heard_ms, kept_ms)
    presence.heard_ms = kept_ms
  }
  presence.gone_since_ms = Number.NaN
  if (usable || Number.isNaN(presence.usable_ms)) presence.usable_ms = kept_ms
}

export const startHeard = (): Heard => ({ heard_ms: Number.NaN, usable_ms: Number.NaN, gap_ms: Number.NaN })

/** As it was stored: JSON has no NaN. */
export function restoreHeard(stored: unknown): Heard {
  const { heard_ms, usable_ms, gap_ms } = (stored ?? {}) as { readonly [K in keyof Heard]?: number | null }
  return {
    heard_ms: heard_ms ?? Number.NaN,
    usable_ms: usable_ms ?? Number.NaN,
    gap_ms: gap_ms ?? Number.NaN,
  }
}

export function hearSeries(heard: Heard, kept_ms: number, usable: boolean): void {
  if (kept_ms > heard.heard_ms || Number.isNaN(heard.heard_ms)) {
    heard.gap_ms = learned(heard.gap_ms, heard.heard_ms, kept_ms)
    heard.heard_ms = kept_ms
  }
  if (usable || Number.isNaN(heard.usable_ms)) heard.usable_ms = kept_ms
}

/** The condition that holds now. */
export function presenceNow(device: Device, kept_ms: number): PresenceCondition | null {
  const { presence } = device
  if (kept_ms - presence.gone_since_ms >= GONE_AFTER_MS) return 'device-gone'
  const limit_ms = deviceLimit(device)
  if (limit_ms === null) return null
  if (kept_ms - presence.heard_ms > limit_ms) return 'device-silent'
  return presence.heard_ms - presence.usable_ms > limit_ms ? 'device-bad-quality' : null
}

/** When time alone makes a difference; Infinity: never. */
export function presenceDue(device: Device, kept_ms: number): number {
  const { open, gone_since_ms, heard_ms } = device.presence
  // What is suppressed by design is looked at again when that may have ended.
  if (open !== null && !open.told) return kept_ms + AGAIN_MS
  if (open !== null && open.condition !== 'device-bad-quality') return Number.POSITIVE_INFINITY
  const gone_ms = Number.isNaN(gone_since_ms) ? Number.POSITIVE_INFINITY : gone_since_ms + GONE_AFTER_MS
  const limit_ms = deviceLimit(device)
  return limit_ms === null ? gone_ms : Math.min(gone_ms, heard_ms + limit_ms + 1)
}

/** The silence of a device is measured by the first rule that one of its series has. */
const deviceLimit = ({ silence, presence }: Device): number | null =>
  silence === null ? null : limitOf(silence, presence.gap_ms)

/** Whether it is time to look at the series of a device that talks. */
export function isCheckDue({ presence }: Device, kept_ms: number): boolean {
  if (kept_ms - presence.checked_ms < CHECK_INTERVAL_MS) return false
  presence.checked_ms = kept_ms
  return true
}

/** The condition of one series, measured by what its device said meanwhile. */
export function missingNow({ presence }: Device, { spec, state }: Watch): 'missing' | 'bad-quality' | null {
  const heard = state as Heard
  const limit_ms = spec.silence && limitOf(spec.silence, heard.gap_ms)
  if (limit_ms === null) return null
  if (presence.heard_ms - heard.heard_ms > limit_ms) return 'missing'
  return presence.usable_ms - heard.usable_ms > limit_ms && heard.heard_ms > heard.usable_ms
    ? 'bad-quality'
    : null
}
