import { Retryable } from '../../runtime/errors.ts'
import type { Clock } from '../../runtime/ports.ts'
import { Random } from './random.ts'
import { Scheduler } from './scheduler.ts'

/** 1 January 2026, noon, so that times in a history are readable. */
export const START_MS = Date.UTC(2026, 0, 1, 12)
/** The clocks of two machines differ by twice this at most. */
export const CLOCK_SKEW_MS = 1_000

/** A check that did not hold. */
export interface Violation {
  readonly check: string
  readonly text: string
}

/** How rough the world is, as probabilities per request. */
export interface Rates {
  readonly refused: number
  readonly answer_lost: number
  readonly late: number
  readonly slow: number
  /** Of a page of stored rows. */
  readonly slow_page: number
  /** Of an insert into the history that is done. */
  readonly insert_unanswered: number
}

export const CALM: Rates = {
  refused: 0,
  answer_lost: 0,
  late: 0,
  slow: 0,
  slow_page: 0,
  insert_unanswered: 0,
}

type Fact = string | number | null

/** Virtual time, the faults of the moment, and what happened so far. All parts of one simulation share it. */
export class World {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly history: (readonly Fact[])[] = []
  rates: Rates
  violation: Violation | null = null
  /** To be done at the end: a joined signal that somebody listens to is kept for ever, and whoever died listens on. */
  readonly leftovers: (() => void)[] = []
  /** Requests to these parts are refused at the moment. */
  readonly down = new Set<string>()

  constructor(seed: number, rates: Rates) {
    this.random = new Random(seed, 'world')
    this.scheduler = new Scheduler(START_MS, new Random(seed, 'order'))
    this.rates = rates
  }

  get now_ms(): number {
    return this.scheduler.now_ms
  }

  note(...facts: Fact[]): void {
    this.history.push([this.scheduler.now_ms, ...facts])
  }

  /** The first violation counts; the simulation ends after the step that found it. */
  violate(check: string, text: string): void {
    if (this.violation !== null) return
    this.note('VIOLATION', check, text)
    this.violation = { check, text }
  }

  latency(): number {
    const { random, rates } = this
    if (random.chance(rates.slow)) return random.between(100, random.chance(0.2) ? 8_000 : 1_000)
    return random.between(1, rates === CALM ? 4 : 15)
  }

  /** The history as lines, from the entry `from` on. */
  lines(from = 0): string[] {
    return this.history
      .slice(from)
      .map(
        ([at_ms, ...facts]) =>
          `${((Number(at_ms) - START_MS) / 1_000).toFixed(3).padStart(9)} s  ${facts.join(' ')}`,
      )
  }

  /**
   * One request of a process to a part of the world. It may be refused, carried out without an answer, carried out after the
   * caller gave up, and it may be carried out although its sender is dead by then. The answer reaches only the living.
   */
  request<T>(host: Host, part: string, what: string, act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { random, rates } = this
      const fate = this.fateOf(rates)
      const outlives = random.chance(0.5)
      const answer = (delay_ms: number, settle: () => void) =>
        this.scheduler.after(delay_ms, () => host.awaits() && settle())
      const fail = (code: string) => () => reject(new Retryable(code, `${what} was ${code}`))
      const patience_ms = random.between(500, 3_000)
      if (fate === 'late') answer(patience_ms, fail('given-up'))
      const transit_ms = fate === 'late' ? patience_ms + random.between(0, 6_000) : this.latency()
      this.scheduler.after(transit_ms, () => {
        if (!host.alive && !outlives) return
        if (this.down.has(part) || fate === 'refused') {
          if (fate !== 'late') answer(this.latency(), fail('refused'))
          return
        }
        act().then(
          (value) => {
            this.note(host.name, what, fate === 'ok' ? '' : `(${fate})`)
            if (fate === 'answer-lost') answer(patience_ms, fail('answer-lost'))
            else if (fate === 'ok') answer(this.latency(), () => resolve(value))
          },
          (error: unknown) => {
            this.note(host.name, what, `failed: ${error instanceof Error ? error.name : String(error)}`)
            if (fate !== 'late')
              answer(this.latency(), () => reject(error instanceof Error ? error : new Error(String(error))))
          },
        )
      })
    })
  }

  private fateOf({ refused, answer_lost, late }: Rates): 'ok' | 'refused' | 'answer-lost' | 'late' {
    let draw = this.random.next()
    if ((draw -= refused) < 0) return 'refused'
    if ((draw -= answer_lost) < 0) return 'answer-lost'
    return draw - late < 0 ? 'late' : 'ok'
  }
}

/** One process of the program: it has a clock of its own, and when it dies nothing that it waits for ever comes. */
export class Host {
  readonly name: string
  readonly clock: Clock
  alive = true
  offset_ms: number
  /** It dies at this many more answers; null: it lives on. */
  answers_left: number | null = null
  private readonly world: World
  private readonly died: () => void

  constructor(world: World, name: string, offset_ms: number, died: () => void) {
    this.world = world
    this.name = name
    this.offset_ms = offset_ms
    this.died = died
    const tokens = world.random
    this.clock = {
      now: () => world.now_ms + this.offset_ms,
      token: () => tokens.token(),
      sleep: (ms, signal) => this.sleep(ms, signal),
    }
  }

  /** An answer comes in: does it find anybody? This is where a process may die, between any two awaits. */
  awaits(): boolean {
    if (this.alive && this.answers_left !== null && this.answers_left-- <= 0) this.die()
    return this.alive
  }

  die(): void {
    if (!this.alive) return
    this.alive = false
    this.world.note(this.name, 'dies')
    this.died()
  }

  private sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        pending.cancelled = true
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const pending = this.world.scheduler.after(ms, () => this.awaits() && done())
      signal?.addEventListener('abort', done)
    })
  }
}
