export type TimerKind =
  | 'alert'
  | 'incident'
  | 'silence'
  | 'maintenance'
  | 'shelf'
  | 'command'
  | 'storm'
  | 'waiting'
  | 'sighting'

export interface Timer {
  readonly due_ms: number
  readonly kind: TimerKind
  readonly key: string
}

/** A total order, so that what falls due together is handled in the same order after a restart as before it. */
function before(a: Timer, b: Timer): boolean {
  if (a.due_ms !== b.due_ms) return a.due_ms < b.due_ms
  if (a.kind !== b.kind) return a.kind < b.kind
  return a.key < b.key
}

/**
 * What falls due when: a binary heap with one live entry per row. A row whose time moves later keeps its old entry,
 * which is moved on when it comes up; so a repeated alert costs nothing here.
 */
export class Timers {
  private readonly heap: Timer[] = []
  private readonly queued = new Map<string, number>()
  private readonly wanted = new Map<string, number>()

  /** Sets, moves or (with null) removes the time of a row. */
  set(kind: TimerKind, key: string, due_ms: number | null): void {
    const id = `${kind}/${key}`
    if (due_ms === null) {
      this.wanted.delete(id)
      return
    }
    this.wanted.set(id, due_ms)
    const queued = this.queued.get(id)
    if (queued === undefined || due_ms < queued) this.push({ due_ms, kind, key }, id)
  }

  /** The next timer that is really due, or null. */
  peek(): Timer | null {
    for (;;) {
      const top = this.heap[0]
      if (!top) return null
      const id = `${top.kind}/${top.key}`
      const wanted = this.wanted.get(id)
      if (wanted === top.due_ms && this.queued.get(id) === top.due_ms) return top
      this.pop()
      if (this.queued.get(id) !== top.due_ms) continue
      this.queued.delete(id)
      if (wanted !== undefined) this.push({ ...top, due_ms: wanted }, id)
    }
  }

  /** Removes the timer that `peek` gave. */
  take(timer: Timer): void {
    const id = `${timer.kind}/${timer.key}`
    this.pop()
    this.queued.delete(id)
    this.wanted.delete(id)
  }

  private push(timer: Timer, id: string): void {
    this.queued.set(id, timer.due_ms)
    const heap = this.heap
    let i = heap.push(timer) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(timer, heap[parent] as Timer)) break
      heap[i] = heap[parent] as Timer
      i = parent
    }
    heap[i] = timer
  }

  private pop(): void {
    const heap = this.heap
    const last = heap.pop() as Timer
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++
      if (!before(heap[child] as Timer, last)) break
      heap[i] = heap[child] as Timer
      i = child
    }
    heap[i] = last
  }
}
