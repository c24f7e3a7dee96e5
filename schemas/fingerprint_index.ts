import { FINGERPRINT_WORDS } from './repeats.ts'

const NONE = -1
const FIRST_CAPACITY = 1_024

/**
 * Numbers fingerprints from 0 in the order in which they come: a hash table with open addressing over their words, at most half
 * full, without an object for each. What is known of them lies in arrays beside it (`enlarged`).
 */
export class FingerprintIndex {
  /** The words of each, one after another. */
  words = new Int32Array(FIRST_CAPACITY * FINGERPRINT_WORDS)
  /** How many fit in before everything is enlarged. */
  capacity = FIRST_CAPACITY
  count = 0
  private slots = new Int32Array(FIRST_CAPACITY * 2).fill(NONE)

  /** The number of the fingerprint whose words begin at `at`, or -1. */
  find(fingerprint: Int32Array, at = 0): number {
    const { words, slots } = this
    const mask = slots.length - 1
    for (let slot = (fingerprint[at] as number) & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot] as number
      if (number === NONE) return NONE
      const own = number * FINGERPRINT_WORDS
      if (
        words[own] === fingerprint[at] &&
        words[own + 1] === fingerprint[at + 1] &&
        words[own + 2] === fingerprint[at + 2] &&
        words[own + 3] === fingerprint[at + 3]
      )
        return number
    }
  }

  /** Numbers a fingerprint that `find` does not find. */
  add(fingerprint: Int32Array, at = 0): number {
    if (this.count === this.capacity) this.grow()
    const number = this.count++
    this.words.set(fingerprint.subarray(at, at + FINGERPRINT_WORDS), number * FINGERPRINT_WORDS)
    this.enter(number)
    return number
  }

  private enter(number: number): void {
    const mask = this.slots.length - 1
    let slot = (this.words[number * FINGERPRINT_WORDS] as number) & mask
    while (this.slots[slot] !== NONE) slot = (slot + 1) & mask
    this.slots[slot] = number
  }

  private grow(): void {
    this.capacity *= 2
    this.words = enlarged(this.words, new Int32Array(this.capacity * FINGERPRINT_WORDS))
    this.slots = new Int32Array(this.capacity * 2).fill(NONE)
    for (let number = 0; number < this.count; number++) this.enter(number)
  }
}

/** The larger array, with what the old one holds at its beginning. */
export function enlarged<T extends { set(from: ArrayLike<number>): void }>(
  old: ArrayLike<number>,
  larger: T,
): T {
  larger.set(old)
  return larger
}
