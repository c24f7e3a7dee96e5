import { Retryable } from '../runtime/errors.ts'

export interface GroupCommitParts<Item, Result> {
  /** What waits, in words, e.g. `alerts`. */
  readonly what: string
  /** How much an item counts towards the bound. */
  readonly weigh: (item: Item) => number
  /** While more than this waits, senders are asked to come again. */
  readonly waiting_max: number
  /** Makes a group durable; gives what each item came to, in order. When it fails, it fails for all of them. */
  readonly commit: (group: readonly Item[]) => Promise<readonly Result[]>
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** One commit is under way at a time; everything that arrives meanwhile goes into the next one together. */
export class GroupCommit<Item, Result> {
  private readonly parts: GroupCommitParts<Item, Result>
  private waiting: Waiting<Item, Result>[] = []
  private weight = 0
  private committing = false

  constructor(parts: GroupCommitParts<Item, Result>) {
    this.parts = parts
  }

  /** Resolves when the item is durable; throws Retryable `intake-full` when too much waits. */
  take(item: Item): Promise<Result> {
    const { waiting_max, what, weigh } = this.parts
    if (this.weight > waiting_max) {
      const problem = `${this.weight} ${what} wait for the log, more than ${waiting_max}; send again later`
      return Promise.reject(new Retryable('intake-full', problem))
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      this.weight += weigh(item)
      if (!this.committing) void this.flush()
    })
  }

  /** Group after group until nobody waits. Never rejects: failures go to those who wait. */
  private async flush(): Promise<void> {
    this.committing = true
    while (this.waiting.length > 0) {
      const group = this.waiting
      this.waiting = []
      this.weight = 0
      try {
        const results = await this.parts.commit(group.map(({ item }) => item))
        for (const [i, { resolve }] of group.entries()) resolve(results[i] as Result)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.committing = false
  }
}
