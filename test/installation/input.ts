import { alertOf, type SentAlert } from '../../bench/load/alerts.ts'
import { seeded } from '../../bench/load/random.ts'

const PER_GROUP = 20
/** Of statements: these are about an alert that was not heard of before. */
const FRESH_SHARE = 0.15
/** One group in three goes on firing to the end. */
const STAYS_EVERY = 3
const HOUR_MS = 3_600_000

export const GROUP_BY = ['alertname', 'group'] as const

/** A seeded stream of statements without an end, which remembers what it gave. Inputs of different ids share no alert. */
export class Input {
  /** In the order in which they were given. */
  readonly statements: SentAlert[] = []
  private readonly alerts: SentAlert[] = []
  private readonly random: () => number
  private readonly shape: Parameters<typeof alertOf>[0]
  private readonly first: number

  constructor(seed: number, id = 0) {
    this.shape = { seed, distinct: 0, per_group: PER_GROUP, started_at_ms: Date.now() - HOUR_MS }
    this.first = id * 1_000_000
    this.random = seeded(seed + id)
  }

  get distinct(): number {
    return this.alerts.length
  }

  /** The next statements, all about alerts that fire: some new, most repeats. */
  next(count: number): SentAlert[] {
    return this.given(Array.from({ length: count }, () => this.nextAlert()))
  }

  /** That alerts are over, those of most groups, in batches of `count`. To be given when all before was taken. */
  *endings(count: number): Generator<SentAlert[]> {
    const over = this.alerts
      .filter((_, i) => Math.floor(i / PER_GROUP) % STAYS_EVERY !== 0)
      .map((alert) => ({ ...alert, endsAt: new Date(Date.parse(alert.startsAt) + 60_000).toISOString() }))
    for (let i = 0; i < over.length; i += count) yield this.given(over.slice(i, i + count))
  }

  private given(statements: SentAlert[]): SentAlert[] {
    for (const statement of statements) this.statements.push(statement)
    return statements
  }

  private nextAlert(): SentAlert {
    if (this.alerts.length === 0 || this.random() < FRESH_SHARE) {
      const fresh = alertOf(this.shape, this.first + this.alerts.length)
      this.alerts.push(fresh)
      return fresh
    }
    return this.alerts[Math.floor(this.alerts.length * this.random() ** 2)] as SentAlert
  }
}
