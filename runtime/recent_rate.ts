const SLOT_MS = 30_000
const SLOTS = 10

/** How much came in the last five minutes, in a few numbers. */
export class RecentRate {
  private readonly counts = new Float64Array(SLOTS)
  /** The slot that is counted into: since the epoch. */
  private slot = 0
  private first_ms = Number.POSITIVE_INFINITY

  add(count: number, now_ms: number): void {
    this.first_ms = Math.min(this.first_ms, now_ms)
    this.turn(now_ms)
    this.counts[this.slot % SLOTS] = (this.counts[this.slot % SLOTS] ?? 0) + count
  }

  /** Over the last five minutes, or since the first came if that is less. */
  perMinute(now_ms: number): number {
    this.turn(now_ms)
    const sum = this.counts.reduce((total, count) => total + count, 0)
    const span_ms = Math.min((SLOTS - 1) * SLOT_MS + (now_ms % SLOT_MS), now_ms - this.first_ms)
    return sum === 0 ? 0 : (sum * 60_000) / Math.max(span_ms, SLOT_MS)
  }

  private turn(now_ms: number): void {
    const slot = Math.floor(now_ms / SLOT_MS)
    for (let passed = Math.max(this.slot + 1, slot - SLOTS + 1); passed <= slot; passed++)
      this.counts[passed % SLOTS] = 0
    this.slot = Math.max(this.slot, slot)
  }
}
