import { enlarged, FingerprintIndex } from '../schemas/fingerprint_index.ts'
import { FINGERPRINT_WORDS, fingerprintWords, type Repeats } from '../schemas/repeats.ts'
import type { AlertRow } from './state.ts'

/** What is known of an alert that was here once. */
const GONE = 0
/** The alert fires and counts: a repeat that says nothing new may be passed over. */
const STEADY = 1
/** Anything else: the whole decision is taken. */
const OTHER = 2

/**
 * Finds the alerts that a repeat names, and says whether the repeat changes anything: derived from the alert rows, so that a storm
 * of repeats touches a few numbers each and no row.
 */
export class SeenAlerts {
  private alerts = new FingerprintIndex()
  /** Alerts that are not gone. */
  private live = 0
  private capacity = this.alerts.capacity
  private kind = new Uint8Array(this.capacity)
  private by_timeout = new Uint8Array(this.capacity)
  private starts_at_ms = new Float64Array(this.capacity)
  private expires_at_ms = new Float64Array(this.capacity)
  private readonly asked = new Int32Array(FINGERPRINT_WORDS)

  set(fingerprint: string, row: AlertRow): void {
    fingerprintWords(fingerprint, this.asked)
    const at = this.placeOf()
    if (this.kind[at] === GONE) this.live++
    const steady = row.firing && !row.dismissed && row.history?.rests_since_ms == null
    this.kind[at] = steady ? STEADY : OTHER
    this.by_timeout[at] = row.by_timeout ? 1 : 0
    this.starts_at_ms[at] = row.alert.starts_at_ms
    this.expires_at_ms[at] = row.expires_at_ms
  }

  delete(fingerprint: string): void {
    fingerprintWords(fingerprint, this.asked)
    const at = this.alerts.find(this.asked)
    if (at < 0 || this.kind[at] === GONE) return
    this.kind[at] = GONE
    this.live--
  }

  /**
   * Whether a repeat changes nothing: its alert fires, lasts as long as the repeat says or longer, and began no later. `now_ms` is
   * the time of its record, at which an alert without an end is given the timeout. (The same tests as `repeat` in dedup.ts.)
   */
  covers(repeats: Repeats, index: number, now_ms: number, resolve_timeout_ms: number): boolean {
    repeats.words(index, this.asked)
    const at = this.alerts.find(this.asked)
    if (at < 0 || this.kind[at] !== STEADY) return false
    if (repeats.startsAt(index) < (this.starts_at_ms[at] as number)) return false
    const ends_at_ms = repeats.endsAt(index)
    const without_end = Number.isNaN(ends_at_ms)
    const expires_at_ms = this.expires_at_ms[at] as number
    if (without_end) return now_ms + resolve_timeout_ms <= expires_at_ms
    if (ends_at_ms <= now_ms || ends_at_ms > expires_at_ms) return false
    return ends_at_ms === expires_at_ms || this.by_timeout[at] === 0
  }

  /** The place of the fingerprint that is asked for, which is given one if it has none. */
  private placeOf(): number {
    const known = this.alerts.find(this.asked)
    if (known >= 0) return known
    // Instead of growing: when half of it is gone, the rest has room.
    if (this.alerts.count === this.capacity && this.live * 2 <= this.capacity) this.compact()
    const at = this.alerts.add(this.asked)
    if (this.alerts.capacity > this.capacity) this.grow()
    this.kind[at] = GONE
    return at
  }

  private grow(): void {
    this.capacity = this.alerts.capacity
    this.kind = enlarged(this.kind, new Uint8Array(this.capacity))
    this.by_timeout = enlarged(this.by_timeout, new Uint8Array(this.capacity))
    this.starts_at_ms = enlarged(this.starts_at_ms, new Float64Array(this.capacity))
    this.expires_at_ms = enlarged(this.expires_at_ms, new Float64Array(this.capacity))
  }

  /** Leaves out the alerts that are gone. */
  private compact(): void {
    const { alerts, kind, by_timeout, starts_at_ms, expires_at_ms } = this
    this.alerts = new FingerprintIndex()
    for (let old = 0; old < alerts.count; old++) {
      if (kind[old] === GONE) continue
      // The new place is never behind the old one, so what is moved was not overwritten.
      const at = this.alerts.add(alerts.words, old * FINGERPRINT_WORDS)
      kind[at] = kind[old] as number
      by_timeout[at] = by_timeout[old] as number
      starts_at_ms[at] = starts_at_ms[old] as number
      expires_at_ms[at] = expires_at_ms[old] as number
    }
  }
}
