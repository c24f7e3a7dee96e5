import type { Place } from './record.ts'

/**
 * Repeats of alerts whose whole statement stands in the same partition of the log not long before: the alert is named by
 * its fingerprint, and only what a repeat may change is told. Packed, since most of what senders say is a repeat
 * (32 bytes instead of some 400, and nothing to parse). Layout of one, little-endian:
 *
 *   0  fingerprint      16 bytes
 *  16  starts_at_ms     float64
 *  24  ends_at_ms       float64, NaN when the sender gave no end
 */
const REPEAT_BYTES = 32
const STARTS_AT = 16
const ENDS_AT = 24
const FINGERPRINT_BYTES = 16
/** A fingerprint as 32-bit numbers, in the order of its bytes. */
export const FINGERPRINT_WORDS = 4

export class Repeats {
  /** A whole number of repeats. */
  readonly bytes: Buffer
  /** Where each came from, ascending, when the source has positions; else empty. */
  readonly places: readonly Place[]
  readonly count: number
  private readonly view: DataView

  /** Throws RangeError when bytes and places do not fit together. */
  constructor(bytes: Buffer, places: readonly Place[]) {
    this.bytes = bytes
    this.places = places
    this.count = bytes.length / REPEAT_BYTES
    if (!Number.isInteger(this.count) || (places.length !== 0 && places.length !== this.count))
      throw new RangeError(`${bytes.length} bytes and ${places.length} places are no repeats`)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** 32 hex digits. */
  fingerprint(index: number): string {
    const from = index * REPEAT_BYTES
    return this.bytes.toString('hex', from, from + FINGERPRINT_BYTES)
  }

  /** Puts the words of a fingerprint at the beginning of `into`. */
  words(index: number, into: Int32Array): void {
    const from = index * REPEAT_BYTES
    for (let i = 0; i < FINGERPRINT_WORDS; i++) into[i] = this.view.getInt32(from + i * 4, true)
  }

  startsAt(index: number): number {
    return this.view.getFloat64(index * REPEAT_BYTES + STARTS_AT, true)
  }

  /** NaN when the sender gave no end. */
  endsAt(index: number): number {
    return this.view.getFloat64(index * REPEAT_BYTES + ENDS_AT, true)
  }

  /** Those from one index to before another. */
  slice(from: number, to: number): Repeats {
    return new Repeats(
      this.bytes.subarray(from * REPEAT_BYTES, to * REPEAT_BYTES),
      this.places.slice(from, to),
    )
  }

  static join(parts: readonly Repeats[]): Repeats {
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return only
    return new Repeats(
      Buffer.concat(parts.map(({ bytes }) => bytes)),
      parts.flatMap(({ places }) => places),
    )
  }
}

const FIRST_CAPACITY = 64

/** Packs repeats one after another. */
export class RepeatsWriter {
  count = 0
  private readonly places: Place[] = []
  private bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY * REPEAT_BYTES)
  private view = new DataView(this.bytes.buffer)

  /** `words` are the four of the fingerprint from `at` on; the place is null when the source has none. */
  add(words: Int32Array, at: number, starts_at_ms: number, ends_at_ms: number, place: Place | null): void {
    const to = this.count * REPEAT_BYTES
    if (to === this.bytes.length) this.grow()
    const { view } = this
    for (let i = 0; i < FINGERPRINT_WORDS; i++) view.setInt32(to + i * 4, words[at + i] as number, true)
    view.setFloat64(to + STARTS_AT, starts_at_ms, true)
    view.setFloat64(to + ENDS_AT, ends_at_ms, true)
    if (place !== null) this.places.push(place)
    this.count++
  }

  done(): Repeats {
    return new Repeats(this.bytes.subarray(0, this.count * REPEAT_BYTES), this.places)
  }

  private grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.bytes.length * 2)
    this.bytes.copy(larger)
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}

/** Puts the words of a fingerprint of 32 hex digits at the beginning of `into`. */
export function fingerprintWords(fingerprint: string, into: Int32Array): void {
  for (let i = 0; i < FINGERPRINT_WORDS; i++) {
    const big_endian = Number.parseInt(fingerprint.slice(i * 8, i * 8 + 8), 16)
    into[i] =
      (big_endian << 24) | ((big_endian & 0xff00) << 8) | ((big_endian >>> 8) & 0xff00) | (big_endian >>> 24)
  }
}
