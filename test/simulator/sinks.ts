import type { Action, Result, SinkPolicy } from '../../notify/delivery.ts'
import type { Sink, Telling } from '../../notify/sinks/sink.ts'
import { CLOCK_SKEW_MS, type Host, type World } from './world.ts'

/** How long after it was given up a request may still be carried out. */
const LATE_MAX_MS = 3_000
const ATTEMPT_MS = 4_000

/** A ticket as its system keeps it. */
export interface SimulatedTicket {
  readonly id: string
  revision: number
  closed: boolean
  /** Raised by every change: a change that was prepared from an older one is refused, as with If-Match. */
  etag: number
}

type Fate = 'ok' | 'unreached' | 'busy' | 'lost' | 'answer-lost' | 'error-after' | 'late'
const FAULTS: readonly Fate[] = ['unreached', 'busy', 'lost', 'answer-lost', 'error-after', 'late']

/** The settling time covers what may come late and the difference of two clocks, one of which may jump meanwhile. */
function trackerPolicy(): SinkPolicy {
  return {
    sink: 'tracker',
    min_severity: 'info',
    update_interval_ms: 2_000,
    create_timeout_ms: ATTEMPT_MS,
    attempt_timeout_ms: ATTEMPT_MS,
    settle_ms: 2 * LATE_MAX_MS + 4 * CLOCK_SKEW_MS,
    idempotent: false,
    silent: ['command-refused', 'ticket-linked'],
  }
}

export const HOOK_POLICY: SinkPolicy = { ...trackerPolicy(), sink: 'hook', idempotent: true, silent: [] }

/** A receiver on the other side of an unreliable network. `act` is what a request does there, at once. */
abstract class Receiver {
  /** Share of the requests that end badly. */
  faults = 0
  /** Incidents of which the store lost something that it had acknowledged about what was told here. */
  readonly rewound = new Set<string>()
  protected readonly world: World
  readonly policy: SinkPolicy

  constructor(world: World, policy: SinkPolicy) {
    this.world = world
    this.policy = policy
  }

  client(host: Host): Sink {
    return {
      policy: this.policy,
      close() {},
      deliver: (action, telling, signal) => this.deliver(host, action, telling, signal),
    }
  }

  /** Begins a request: what it read is what the returned function relies on when it acts. */
  protected abstract begin(action: Action, telling: Telling): () => Result

  private deliver(host: Host, action: Action, telling: Telling, signal: AbortSignal): Promise<Result> {
    const { world } = this
    const { random } = world
    const fate = random.chance(this.faults) ? random.pick(FAULTS) : 'ok'
    const what = `${this.policy.sink} ${action} ${telling.summary.change_id}`
    return new Promise((resolve) => {
      let acted = false
      const act = this.begin(action, telling)
      const carryOut = (): Result => {
        acted = true
        const result = act()
        world.note(host.name, what, `acts (${fate}):`, result.kind)
        return result
      }
      const answer = (result: Result) =>
        world.scheduler.after(world.latency() % ATTEMPT_MS, () => host.awaits() && resolve(result))
      const abort = () => {
        resolve({ kind: 'retry', code: 'timeout', status: null, retry_after_ms: null, not_done: false })
        if (fate === 'late' && !acted) world.scheduler.after(random.between(0, LATE_MAX_MS), carryOut)
      }
      signal.addEventListener('abort', abort)
      world.leftovers.push(() => signal.removeEventListener('abort', abort))
      world.scheduler.after(random.between(1, random.chance(world.rates.slow) ? LATE_MAX_MS : 50), () => {
        if (signal.aborted && random.chance(0.5)) return
        if (fate === 'unreached')
          answer({ kind: 'retry', code: 'connect', status: null, retry_after_ms: null, not_done: true })
        else if (fate === 'busy')
          answer({
            kind: 'retry',
            code: 'http-429',
            status: 429,
            retry_after_ms: random.between(100, 5_000),
            not_done: true,
          })
        else if (fate === 'ok') answer(carryOut())
        else if (fate === 'answer-lost') carryOut()
        else if (fate === 'error-after') {
          carryOut()
          answer({ kind: 'retry', code: 'http-500', status: 500, retry_after_ms: null, not_done: false })
        }
      })
    })
  }
}

const DONE = (external_id: string | null): Result => ({ kind: 'ok', external_id, url: null })

/** A ticket system: it does not notice that it is told the same twice, and it finds a ticket by its incident. */
export class Tracker extends Receiver {
  readonly tickets = new Map<string, readonly SimulatedTicket[]>()
  /** Off: a look-up never finds anything. A deliberate defect. */
  finds = true
  private created = 0

  constructor(world: World) {
    super(world, trackerPolicy())
  }

  protected begin(action: Action, { summary, external_id }: Telling): () => Result {
    const { incident_id } = summary
    const revision = Number(summary.change_id.split('.')[1])
    if (action === 'create') return () => this.create(incident_id, revision)
    if (action === 'look-up') {
      return () => {
        const found = this.finds ? this.tickets.get(incident_id)?.[0] : undefined
        return found === undefined ? { kind: 'absent' } : DONE(found.id)
      }
    }
    const ticket = this.tickets.get(incident_id)?.find(({ id }) => id === external_id)
    const etag = ticket?.etag
    return () => {
      if (ticket === undefined) return { kind: 'gone', code: 'http-404', status: 404 }
      if (ticket.etag !== etag)
        return { kind: 'retry', code: 'http-412', status: 412, retry_after_ms: null, not_done: true }
      if (revision < ticket.revision && !this.rewound.has(incident_id))
        this.world.violate(
          '10: a ticket never goes back',
          `${ticket.id} goes from revision ${ticket.revision} to ${revision} of ${incident_id}`,
        )
      ticket.revision = revision
      ticket.closed = ['resolved', 'reviewed', 'merged'].includes(summary.state)
      ticket.etag++
      return DONE(ticket.id)
    }
  }

  private create(incident_id: string, revision: number): Result {
    const earlier = this.tickets.get(incident_id) ?? []
    const id = `T${++this.created}`
    if (earlier[0] !== undefined)
      this.world.violate('10: one ticket per incident', `${incident_id} has ${earlier[0].id} and now ${id}`)
    this.tickets.set(incident_id, [...earlier, { id, revision, closed: false, etag: 0 }])
    return DONE(id)
  }
}

/** A webhook's receiver: it drops what it has had by its id. */
export class Hook extends Receiver {
  readonly received = new Set<string>()
  /** Incident → the id under which it was told that it began. */
  private readonly beginnings = new Map<string, string>()

  constructor(world: World) {
    super(world, HOOK_POLICY)
  }

  protected begin(action: Action, { summary: { incident_id, change_id } }: Telling): () => Result {
    return () => {
      if (action === 'create') this.beginsWith(incident_id, change_id)
      this.received.add(change_id)
      return DONE(null)
    }
  }

  private beginsWith(incident_id: string, change_id: string): void {
    const before = this.beginnings.get(incident_id)
    if (before !== undefined && before !== change_id && !this.rewound.has(incident_id))
      this.world.violate(
        '10: that an incident began is told under one id',
        `${incident_id} began with ${before} and with ${change_id}`,
      )
    this.beginnings.set(incident_id, change_id)
  }
}
