/**
 * What was worked out before, bounded: when half of the bound came anew, what was not asked for since the last such time is forgotten.
 * A cache: it never changes what comes out.
 */
export class Remembered<Key, Value> {
  private readonly half: number
  private young = new Map<Key, Value>()
  private old = new Map<Key, Value>()

  /** `entries_max`: at least 2. */
  constructor(entries_max: number) {
    this.half = Math.floor(entries_max / 2)
  }

  get(key: Key): Value | undefined {
    const found = this.young.get(key)
    if (found !== undefined) return found
    const older = this.old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: Key, value: Value): void {
    if (this.young.size >= this.half) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, value)
  }
}
