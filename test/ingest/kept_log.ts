import { Retryable } from '../../runtime/errors.ts'
import type { Append, Log, Position } from '../../runtime/ports.ts'
import { decodeRecord } from '../../schemas/codec.ts'
import { type DeadLetter, deadLetter } from '../../schemas/deadletter.ts'
import type { AlertsRecord } from '../../schemas/record.ts'

/** A log in memory that shows what was appended in which calls, and can be unreachable or slow on request. */
export class KeptLog implements Pick<Log, 'append' | 'partitions'> {
  readonly calls: (readonly Append[])[] = []
  reachable = true
  /** Appends wait for this. */
  gate: Promise<void> = Promise.resolve()
  private readonly count: number
  private readonly next = new Map<string, number>()

  constructor(partitions = 4) {
    this.count = partitions
  }

  partitions(): number {
    return this.count
  }

  async append(entries: readonly Append[]): Promise<readonly Position[]> {
    await this.gate
    if (!this.reachable) throw new Retryable('log-unreachable', 'the log cannot be reached')
    this.calls.push(entries)
    return entries.map(({ topic, partition }) => {
      const key = `${topic}/${partition}`
      const position = this.next.get(key) ?? 0
      this.next.set(key, position + 1)
      return position
    })
  }

  get appends(): readonly Append[] {
    return this.calls.flat()
  }

  get records(): readonly (AlertsRecord & { readonly partition: number })[] {
    return this.appends.flatMap(({ topic, partition, value }) => {
      if (topic !== 'alerts') return []
      const record = decodeRecord(value)
      return record.kind === 'alerts' ? [{ ...record, partition }] : []
    })
  }

  get letters(): readonly DeadLetter[] {
    return this.appends.flatMap(({ topic, value }) =>
      topic === 'deadletters' ? [deadLetter.parse(JSON.parse(value.toString()))] : [],
    )
  }
}
