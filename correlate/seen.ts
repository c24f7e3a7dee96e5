import { fingerprintWords, type Repeats } from '../schemas/repeats.ts'
import type { AlertRow } from './state.ts'

const FIRST_CAPACITY = 1_024
const WORDS = 4

/** What is known of a slot. */
const FREE = 0
const GONE = 1
/** The alert fires and counts: a repeat that says nothing new may be passed over. */
const STEADY = 2
/** Anything else: the whole decision is taken. */
const OTHER = 3

/**
 * Finds the alerts that a repeat names, and says whether the repeat changes anything: derived from the alert rows, so that a storm
 * of repeats touches a few numbers each and no row. A hash table with open addressing over the words of the fingerprints.
 */
export class SeenAlerts {
  private capacity = FIRST_CAPACITY
  /** Slots that are not free, those of alerts that are gone included. */
  private taken = 0
  private live = 0
  private words = new Int32Array(FIRST_CAPACITY * WORDS)
  private kind = new Uint8Array(FIRST_CAPACITY)
  private by_timeout = new Uint8Array(FIRST_CAPACITY)
  private starts_at_ms = new Float64Array(FIRST_CAPACITY)
  private expires_at_ms = new Float64Array(FIRST_CAPACITY)
  private readonly asked = new Int32Array(WORDS)

  set(fingerprint: string, row: AlertRow): void {
    fingerprintWords(fingerprint, this.asked, 0)
    const slot = this.slotFor()
    this.kind[slot] = row.firing && !row.dismissed ? STEADY : OTHER
    this.by_timeout[slot] = row.by_timeout ? 1 : 0
    this.starts_at_ms[slot] = row.alert.starts_at_ms
    this.expires_at_ms[slot] = row.expires_at_ms
  }

  delete(fingerprint: string): void {
    fingerprintWords(fingerprint, this.asked, 0)
    const slot = this.find()
    if (slot < 0) return
    this.kind[slot] = GONE
    this.live--
  }

  /**
   * Whether a repeat changes nothing: its alert fires, lasts as long as the repeat says or longer, and began no later. `now_ms` is
   * the time of its record, at which an alert without an end is given the timeout. (The same tests as `repeat` in dedup.ts.)
   */
  covers(repeats: Repeats, index: number, now_ms: number, resolve_timeout_ms: number): boolean {
    for (let i = 0; i < WORDS; i++) this.asked[i] = repeats.word(index, i as 0 | 1 | 2 | 3)
    const slot = this.find()
    if (slot < 0 || this.kind[slot] !== STEADY) return false
    if (repeats.startsAt(index) < (this.starts_at_ms[slot] as number)) return false
    const ends_at_ms = repeats.endsAt(index)
    const without_end = Number.isNaN(ends_at_ms)
    const expires_at_ms = this.expires_at_ms[slot] as number
    if (without_end) return now_ms + resolve_timeout_ms <= expires_at_ms
    if (ends_at_ms <= now_ms || ends_at_ms > expires_at_ms) return false
    return ends_at_ms === expires_at_ms || this.by_timeout[slot] === 0
  }

  /** The slot of the fingerprint that is asked for, or -1. */
  private find(): number {
    const mask = this.capacity - 1
    for (let slot = (this.asked[0] as number) & mask; ; slot = (slot + 1) & mask) {
      if (this.kind[slot] === FREE) return -1
      if (this.kind[slot] !== GONE && this.holds(slot)) return slot
    }
  }

  private holds(slot: number): boolean {
    const { words, asked } = this
    const at = slot * WORDS
    return (
      words[at] === asked[0] &&
      words[at + 1] === asked[1] &&
      words[at + 2] === asked[2] &&
      words[at + 3] === asked[3]
    )
  }

  private slotFor(): number {
    const known = this.find()
    if (known >= 0) return known
    if (this.taken * 2 >= this.capacity) this.rebuild()
    const mask = this.capacity - 1
    let slot = (this.asked[0] as number) & mask
    while (this.kind[slot] !== FREE) slot = (slot + 1) & mask
    this.words.set(this.asked, slot * WORDS)
    this.taken++
    this.live++
    return slot
  }

  /** Without those that are gone, and larger if that does not make room. */
  private rebuild(): void {
    const { capacity, words, kind, by_timeout, starts_at_ms, expires_at_ms } = this
    while (this.live * 4 >= this.capacity) this.capacity *= 2
    this.words = new Int32Array(this.capacity * WORDS)
    this.kind = new Uint8Array(this.capacity)
    this.by_timeout = new Uint8Array(this.capacity)
    this.starts_at_ms = new Float64Array(this.capacity)
    this.expires_at_ms = new Float64Array(this.capacity)
    this.taken = this.live
    const mask = this.capacity - 1
    for (let old = 0; old < capacity; old++) {
      if (kind[old] === FREE || kind[old] === GONE) continue
      let slot = (words[old * WORDS] as number) & mask
      while (this.kind[slot] !== FREE) slot = (slot + 1) & mask
      this.words.set(words.subarray(old * WORDS, (old + 1) * WORDS), slot * WORDS)
      this.kind[slot] = kind[old] as number
      this.by_timeout[slot] = by_timeout[old] as number
      this.starts_at_ms[slot] = starts_at_ms[old] as number
      this.expires_at_ms[slot] = expires_at_ms[old] as number
    }
  }
}
