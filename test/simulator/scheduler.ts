import { setImmediate } from 'node:timers/promises'
import type { Random } from './random.ts'

/** Something that will happen at a virtual time, unless it is cancelled before. */
export interface Pending {
  readonly at_ms: number
  readonly tie: number
  readonly run: () => void
  cancelled: boolean
}

function before(a: Pending, b: Pending): boolean {
  return a.at_ms !== b.at_ms ? a.at_ms < b.at_ms : a.tie < b.tie
}

/** The one event loop of a simulated world: virtual time, and every completion that anybody waits for, in a seeded order. */
export class Scheduler {
  now_ms: number
  steps = 0
  private readonly random: Random
  private readonly heap: Pending[] = []

  constructor(start_ms: number, random: Random) {
    this.now_ms = start_ms
    this.random = random
  }

  /** What falls on the same millisecond happens in any order. */
  after(delay_ms: number, run: () => void): Pending {
    const pending = {
      at_ms: this.now_ms + Math.max(0, Math.ceil(delay_ms)),
      tie: this.random.next(),
      run,
      cancelled: false,
    }
    this.push(pending)
    return pending
  }

  /** Lets the next thing happen, and everything that follows from it at once. False: nothing is pending. */
  async step(): Promise<boolean> {
    let next = this.pop()
    while (next?.cancelled) next = this.pop()
    if (next === undefined) return false
    this.now_ms = next.at_ms
    this.steps++
    next.run()
    // Every microtask runs before this resolves, so the order within a step is that of the code.
    await setImmediate()
    return true
  }

  private push(pending: Pending): void {
    const { heap } = this
    let i = heap.push(pending) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(pending, heap[parent] as Pending)) break
      heap[i] = heap[parent] as Pending
      i = parent
    }
    heap[i] = pending
  }

  private pop(): Pending | undefined {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Pending, heap[child] as Pending)) child++
      if (!before(heap[child] as Pending, last)) break
      heap[i] = heap[child] as Pending
      i = child
    }
    heap[i] = last
    return top
  }
}
