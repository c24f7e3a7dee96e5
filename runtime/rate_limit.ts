/** How many requests a second, and how many at once. */
export interface Rate {
  readonly requests_per_s: number
  readonly burst: number
}

interface Bucket {
  requests: number
  at_ms: number
}

/** Beyond this many the ones that were used least lately are full again. */
const KEYS_MAX = 10_000

/** A token bucket for each key: `burst` requests at once, and `requests_per_s` in the long run. */
export class RateLimit {
  private readonly rate: Rate
  private readonly buckets = new Map<string, Bucket>()

  constructor(rate: Rate) {
    this.rate = rate
  }

  /** 0: the request is counted and may pass. Else how long to wait before the next may. */
  waitMs(key: string, now_ms: number): number {
    const { requests_per_s, burst } = this.rate
    const { requests, at_ms } = this.buckets.get(key) ?? { requests: burst, at_ms: now_ms }
    const refilled = Math.min(burst, requests + (Math.max(0, now_ms - at_ms) * requests_per_s) / 1_000)
    const passes = refilled >= 1
    // The newest is last.
    this.buckets.delete(key)
    this.buckets.set(key, { requests: passes ? refilled - 1 : refilled, at_ms: now_ms })
    if (this.buckets.size > KEYS_MAX) this.buckets.delete(this.buckets.keys().next().value as string)
    return passes ? 0 : Math.ceil(((1 - refilled) * 1_000) / requests_per_s)
  }
}
