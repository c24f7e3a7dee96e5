const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'.split('')

/** A small seeded generator (Mulberry32, Tommy Ettinger, public domain): the same seed gives the same story. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  /** A word of the letters that Kubernetes ends pod names with. */
  suffix(length: number): string {
    return Array.from({ length }, () => this.pick(SUFFIX_LETTERS)).join('')
  }
}
