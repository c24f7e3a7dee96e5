import { DeliverFold, type DeliverParts } from '../../notify/deliver_fold.ts'
import type { DeliveryRow } from '../../notify/delivery.ts'
import { decodeRow } from '../../notify/rows.ts'
import type { Sink } from '../../notify/sinks/sink.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Step } from '../../runtime/fold.ts'
import type { Append, LogEntry } from '../../runtime/ports.ts'
import type { Change } from '../../schemas/change.ts'
import { encodeChange } from '../../schemas/codec.ts'
import { eventually } from '../contracts/wait.ts'

/** The stored half of one shard, which outlives the folds that own it one after another. */
export class Shard {
  readonly rows = new Map<string, Buffer>()
  readonly published: Append[] = []
  private position = 0
  /** As the store would name its copy of the rows. */
  incarnation: string | null = null
  /** Where the log ends when an owner takes over. */
  log_end = 0
  fold: DeliverFold
  private readonly sinks: readonly Sink[]
  private readonly over: Partial<DeliverParts>

  private constructor(sinks: readonly Sink[], over: Partial<DeliverParts>) {
    this.sinks = sinks
    this.over = over
    this.fold = this.make()
  }

  static async open(sinks: readonly Sink[], over: Partial<DeliverParts> = {}): Promise<Shard> {
    const shard = new Shard(sinks, over)
    await shard.takeOver()
    return shard
  }

  /** A new owner begins from what is stored; the old one is neither told nor closed. */
  async takeOver(): Promise<void> {
    this.fold = this.make()
    for (const [key, value] of this.rows) this.fold.restore(key, value)
    await this.fold.restored(
      this.position,
      this.incarnation === null ? null : { incarnation: this.incarnation, logEnd: async () => this.log_end },
    )
  }

  async tell(...changes: (Change | Buffer)[]): Promise<void> {
    const entries = changes.map((value): LogEntry => {
      return {
        position: this.position++,
        time_ms: 1_000,
        value: Buffer.isBuffer(value) ? value : encodeChange(value),
        headers: {},
      }
    })
    await this.carryOut(this.fold.fold(entries))
  }

  /** Lets the fold do what is due until the stored row is like that. */
  until(key: string, holds: (row: DeliveryRow) => boolean): Promise<DeliveryRow> {
    return eventually(`${key} is as expected`, async () => {
      await this.turn()
      const row = this.row(key)
      return row !== null && holds(row) ? row : null
    })
  }

  async turn(): Promise<void> {
    const due_ms = this.fold.dueAt()
    if (due_ms !== null && due_ms <= this.clock.now()) await this.carryOut(this.fold.onDue(this.clock.now()))
  }

  row(key: string): DeliveryRow | null {
    const value = this.rows.get(key)
    return value === undefined ? null : decodeRow(value)
  }

  async carryOut(step: Step): Promise<void> {
    this.published.push(...step.publish)
    for (const [key, value] of step.put) this.rows.set(key, value)
    for (const key of step.delete) this.rows.delete(key)
    await step.after?.(new AbortController().signal)
  }

  private get clock() {
    return this.over.clock ?? systemClock
  }

  private make(): DeliverFold {
    return new DeliverFold({
      partition: 0,
      sinks: this.sinks,
      clock: systemClock,
      attempts_max: 4,
      alerts_partitions: 4,
      deadletters_partitions: 4,
      attempted: () => {},
      counted: () => {},
      ...this.over,
    })
  }
}
