/** Each bucket is a tenth wider than the one before, so a quantile is right within 5 %. */
const GROWTH = Math.log(1.1)

/** Quantiles of durations, in bounded memory: a histogram with buckets of equal relative width. */
export class Gaps {
  count = 0
  private readonly buckets = new Map<number, number>()

  add(gap_ms: number): void {
    const bucket = gap_ms < 1 ? -1 : Math.floor(Math.log(gap_ms) / GROWTH)
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + 1)
    this.count++
  }

  /** In milliseconds; 0 without durations. */
  quantile(p: number): number {
    let rest = Math.ceil(p * this.count)
    const buckets = [...this.buckets].sort(([a], [b]) => a - b)
    for (const [bucket, count] of buckets) {
      rest -= count
      if (rest <= 0) return bucket < 0 ? 0 : Math.round(Math.exp((bucket + 0.5) * GROWTH))
    }
    return 0
  }
}
