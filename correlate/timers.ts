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
  | 'heartbeat'

export interface Timer {
  readonly due_ms: number
  readonly kind: TimerKind
  readonly key: string
}

/** The entry of a row in the heap; it counts while the row's table holds this very object. */
interface Queued extends Timer {
  due_ms: number
  /** When the row is really due, no earlier than `due_ms`; null: not at all any more. */
  wanted_ms: number | null
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
  private readonly heap: Queued[] = []
  private readonly queued: Record<TimerKind, Map<string, Queued>> = {
    alert: new Map(),
    incident: new Map(),
    silence: new Map(),
    maintenance: new Map(),
    shelf: new Map(),
    command: new Map(),
    storm: new Map(),
    waiting: new Map(),
    sighting: new Map(),
    heartbeat: new Map(),
  }

  /** Sets, moves or (with null) removes the time of a row. */
  set(kind: TimerKind, key: string, due_ms: number | null): void {
    const of_kind = this.queued[kind]
    const known = of_kind.get(key)
    if (known !== undefined && (due_ms === null || due_ms >= known.due_ms)) known.wanted_ms = due_ms
    else if (due_ms !== null) {
      const timer = { due_ms, kind, key, wanted_ms: due_ms }
      of_kind.set(key, timer)
      this.push(timer)
    }
  }

  /** The next timer that is really due, or null. */
  peek(): Timer | null {
    for (;;) {
      const top = this.heap[0]
      if (!top) return null
      const of_kind = this.queued[top.kind]
      const is_live = of_kind.get(top.key) === top
      if (is_live && top.wanted_ms === top.due_ms) return top
      this.pop()
      if (!is_live) continue
      if (top.wanted_ms === null) of_kind.delete(top.key)
      else {
        top.due_ms = top.wanted_ms
        this.push(top)
      }
    }
  }

  /** Removes the timer that `peek` gave. */
  take(timer: Timer): void {
    this.pop()
    this.queued[timer.kind].delete(timer.key)
  }

  private push(timer: Queued): void {
    const heap = this.heap
    let i = heap.push(timer) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(timer, heap[parent] as Queued)) break
      heap[i] = heap[parent] as Queued
      i = parent
    }
    heap[i] = timer
  }

  private pop(): void {
    const heap = this.heap
    const last = heap.pop() as Queued
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Queued, heap[child] as Queued)) child++
      if (!before(heap[child] as Queued, last)) break
      heap[i] = heap[child] as Queued
      i = child
    }
    heap[i] = last
  }
}
