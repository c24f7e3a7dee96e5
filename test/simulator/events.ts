import { decodeRow } from '../../notify/rows.ts'
import type { Append } from '../../runtime/ports.ts'
import { Retryable } from '../../runtime/errors.ts'
import type { CommandBody } from '../../schemas/command.ts'
import { encodeRecord } from '../../schemas/codec.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { decodeAlerts } from '../../ingest/sources/alertmanager.ts'
import type { Batch } from '../../ingest/batch.ts'
import { RESOLVE_TIMEOUT_MS } from '../ingest/settings.ts'
import { clusterOf, type Fault, type Operation, statement } from './scenario.ts'
import type { Simulation } from './simulation.ts'
import { CLOCK_SKEW_MS } from './world.ts'

/** What operators and the world do to a simulation. */
export class Events {
  /** Alerts that were answered as taken. */
  readonly answered = new Set<string>()
  /** Requests that have no end yet. */
  open = 0
  private readonly simulation: Simulation
  private commands = 0
  private posts = 0

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  async strike(fault: Fault): Promise<void> {
    const { world, broker, source, running, tracker, hook, scenario } = this.simulation
    const { random } = world
    const place = random.between(0, scenario.hosts - 1)
    const host = running[place]?.host
    world.note('fault', fault)
    if (fault === 'crash' && host) host.answers_left = random.between(0, 40)
    else if (fault === 'stop') this.simulation.stop(place)
    else if (fault === 'rebalance') for (const group of broker.groups.values()) group.share()
    else if (fault === 'rebalance-source') source.group.share()
    else if (fault === 'failover') await this.failOver(0.2)
    else if (fault === 'claims-lost') this.loseClaims()
    else if (fault === 'history-halfway') this.stopHalfway()
    else if (fault === 'clock' && host) host.offset_ms = random.between(-CLOCK_SKEW_MS, CLOCK_SKEW_MS)
    else if (fault === 'log-clock') broker.offset_ms = random.between(-CLOCK_SKEW_MS, CLOCK_SKEW_MS)
    else if (fault === 'source-back') source.goBack()
    else if (fault === 'log-down' || fault === 'store-down' || fault === 'history-down') {
      const part = fault.slice(0, -'-down'.length)
      world.down.add(part)
      world.scheduler.after(random.between(500, 8_000), () => world.down.delete(part))
    } else if (fault === 'sink-down') {
      tracker.faults = hook.faults = 1
      world.scheduler.after(random.between(2_000, 12_000), () => {
        tracker.faults = hook.faults = this.simulation.storming ? scenario.sink_faults : 0
      })
    }
  }

  /** Owners follow each other while they load, and then the store forgets of the last ones. */
  private loseClaims(): void {
    const { world, broker } = this.simulation
    const share = () => broker.groups.forEach((group) => group.share())
    let delay_ms = 0
    const later = (from_ms: number, to_ms: number, act: () => void) => {
      delay_ms += world.random.between(from_ms, to_ms)
      world.scheduler.after(delay_ms, () => this.simulation.storming && act())
    }
    const { rates } = world
    world.rates = { ...rates, slow_page: 0.7 }
    share()
    later(20, 1_000, share)
    later(300, 3_000, () => {
      world.rates = rates
      void this.failOver(1)
    })
  }

  /** A batch of the history gets into one of its tables, and then its owner dies and the store forgets. */
  private stopHalfway(): void {
    const { world, history } = this.simulation
    history.refuses = (table, host) => {
      if (table !== 'alert_repeats') return false
      history.refuses = () => false
      host.die()
      world.scheduler.after(
        world.random.between(0, 3_000),
        () => this.simulation.storming && void this.failOver(0.2),
      )
      return true
    }
  }

  /** `claim_lost`: how likely it is that what is lost begins with a claim. */
  private async failOver(claim_lost: number): Promise<void> {
    const { store, tracker, hook } = this.simulation
    const kept = this.kept(claim_lost)
    for (const commit of await store.failOver(kept)) {
      for (const [key, value] of commit.put) {
        if (!key.startsWith('d/')) continue
        const row = decodeRow(value)
        const sink = row.sink === 'tracker' ? tracker : hook
        sink.rewound.add(row.incident_id)
      }
    }
  }

  /** How many operations of the store a copy has: nearly all, none, or those before one of the newest claims. */
  private kept(claim_lost: number): number {
    const { world, store } = this.simulation
    const { random } = world
    const before_claims = store.claimedAt().slice(-4)
    if (before_claims.length > 0 && random.chance(claim_lost)) return random.pick(before_claims)
    if (random.chance(0.05)) return 0
    return Math.max(0, store.operations - random.between(1, random.chance(0.15) ? store.operations : 12))
  }

  operate(operation: Operation): void {
    if (operation === 'post') return void this.post(`m${++this.posts}`)
    if (operation === 'topology') return void this.declare()
    const body = this.bodyOf(operation)
    if (body === null) return
    const { world, reference, scenario } = this.simulation
    // A command that is given twice has the same id twice.
    const id = `command-${world.random.chance(0.2) ? this.commands : ++this.commands}`
    const value = encodeRecord({ kind: 'command', command: { id, actor: 'ada', body } })
    const scope = 'incident_id' in body ? reference.newest.get(body.incident_id)?.incident.scope : undefined
    const all = Array.from({ length: scenario.partitions }, (_, partition) => partition)
    const partitions = scope === undefined ? all : [partitionOf(scope, scenario.partitions)]
    void this.append(partitions.map((partition) => ({ topic: 'alerts', partition, value })))
  }

  /** Who runs on whom, in one part or two, sometimes what was said before. */
  private async declare(): Promise<void> {
    const { world, scenario } = this.simulation
    const { random } = world
    const source = `mesh-${random.between(1, 2)}`
    const host = () => `h${random.between(1, 4)}`
    const edges = Array.from({ length: random.between(0, 4) }, () => ({
      from: host(),
      to: host(),
      kind: 'hosted_on',
    }))
    const cut = random.between(0, edges.length)
    const version = `v${random.between(1, 20)}`
    const scope = random.pick(['', 'a'])
    for (const [part, last] of [[edges.slice(0, cut), false] as const, [edges.slice(cut), true] as const]) {
      if (part.length === 0 && !last) continue
      const value = encodeRecord({
        kind: 'topology',
        topology: { source, version, scope, edges: part, last },
      })
      const entry = (_: unknown, partition: number): Append => ({ topic: 'alerts', partition, value })
      await this.append(Array.from({ length: scenario.partitions }, entry))
    }
  }

  private bodyOf(kind: Exclude<Operation, 'post' | 'topology'>): CommandBody | null {
    const { world, reference } = this.simulation
    const { random } = world
    const at_ms = world.now_ms
    if (kind === 'silence') {
      const id = `quiet-${random.between(1, 2)}`
      const starts_at_ms = at_ms + random.between(-1_000, 4_000)
      const matchers = [{ name: 'host', op: '=' as const, value: `h${random.between(1, 4)}` }]
      return {
        kind,
        silence: {
          id,
          matchers,
          starts_at_ms,
          ends_at_ms: starts_at_ms + random.between(1_000, 15_000),
          created_by: 'ada',
          comment: 'works',
          updated_at_ms: at_ms,
        },
      }
    }
    if (kind === 'expire-silence') return { kind, silence_id: `quiet-${random.between(1, 2)}` }
    const name = `work-${random.between(1, 2)}`
    if (kind === 'end-maintenance') return { kind, name }
    if (kind === 'maintenance') {
      const starts_at_ms = at_ms + random.between(-1_000, 4_000)
      const match = [{ name: 'host', op: '=' as const, value: `h${random.between(1, 4)}` }]
      const ends_at_ms = starts_at_ms + random.between(1_000, 15_000)
      return { kind, window: { kind: 'once', name, match, starts_at_ms, ends_at_ms, comment: '' } }
    }
    if (kind === 'change-event') {
      const scope = random.pick(['', 'a', 'b'])
      const change = {
        scope,
        entity: `h${random.between(1, 4)}`,
        at_ms: at_ms - random.between(0, 9_000),
        text: 'deployed',
      }
      return { kind, change }
    }
    const known = [...reference.newest.keys()]
    if (known.length === 0) return null
    const incident_id = random.pick(known)
    if (kind === 'merge') return { kind, incident_id, into: random.pick(known) }
    if (kind === 'shelve')
      return { kind, incident_id, until_ms: at_ms + random.between(1_000, 15_000), comment: 'known' }
    if (kind === 'comment') return { kind, incident_id, comment: 'seen' }
    return kind === 'assign' ? { kind, incident_id, assignee: 'bob' } : { kind, incident_id }
  }

  private async append(entries: readonly Append[]): Promise<void> {
    const { broker, outside } = this.simulation
    await this.insist(() => broker.client(outside).append(entries))
  }

  /** Alerts over HTTP: the sender asks any process until one says that it took them. */
  private async post(mark: string): Promise<void> {
    const { world, running } = this.simulation
    const alert = statement(world.random, clusterOf(world.random), world.now_ms, new Set(), mark)
    const body = Buffer.from(JSON.stringify([alert]))
    await this.insist(() => {
      const process = world.random.pick(running)
      if (!process) throw new Retryable('refused', 'nobody listens')
      const received_at_ms = process.host.clock.now()
      const decoded = decodeAlerts(body, received_at_ms, {
        resolve_timeout_ms: RESOLVE_TIMEOUT_MS,
        lone_alert: false,
      })
      const batch: Batch = {
        source: 'http',
        origin: null,
        received_at_ms,
        messages: [{ offset: null, decoded }],
        locate: (_offset, ordinal) => `http#${ordinal}`,
      }
      return Promise.race([process.intake.accept(batch), this.impatience()])
    })
    this.answered.add(mark)
    if (!this.simulation.audit.marks.has(mark))
      world.violate(
        '1: nothing is answered before it is durable',
        `${mark} was answered and is not in the log`,
      )
  }

  private async impatience(): Promise<never> {
    await this.simulation.outside.clock.sleep(5_000)
    throw new Retryable('no-answer', 'the sender gave up')
  }

  private async insist(act: () => Promise<unknown>): Promise<void> {
    this.open++
    for (;;) {
      try {
        await act()
        this.open--
        return
      } catch (error) {
        if (!(error instanceof Retryable)) throw error
        await this.simulation.outside.clock.sleep(500)
      }
    }
  }
}
