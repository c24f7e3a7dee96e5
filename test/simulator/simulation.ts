import { RECORDED_TOPICS, type RecordedTopic, RecordFold } from '../../analytics/writer.ts'
import { Consumer } from '../../ingest/consumer.ts'
import { Intake } from '../../ingest/intake.ts'
import { DeliverFold } from '../../notify/deliver_fold.ts'
import { Correlator } from '../../runtime/correlator.ts'
import type { PartitionFold } from '../../runtime/fold.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import type { Topic } from '../../runtime/ports.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { Worker, type WorkerObserver } from '../../runtime/worker.ts'
import { DEFAULTS, RESOLVE_TIMEOUT_MS } from '../ingest/settings.ts'
import { LogAudit } from './audit.ts'
import { Broker } from './broker.ts'
import type { Defect } from './defects.ts'
import { HistoryServer } from './history.ts'
import { Reference } from './reference.ts'
import { rulesOf, type Scenario } from './scenario.ts'
import { Hook, Tracker } from './sinks.ts'
import { SourceServer } from './source.ts'
import { StoreServer } from './store_server.ts'
import { CLOCK_SKEW_MS, Host, type World } from './world.ts'

/** An owner learns within 8 s that it was replaced, and its requests end 9 s after that. */
const HISTORY_SETTLE_MS = 20_000

/** What runs in one process. */
interface Running {
  readonly host: Host
  readonly intake: Intake
  stop(): Promise<void>
}

/** Everything of one simulated installation: shared parts, and processes that come and go. */
export class Simulation {
  readonly world: World
  readonly scenario: Scenario
  readonly reference: Reference
  readonly audit: LogAudit
  readonly broker: Broker
  readonly store: StoreServer
  readonly source: SourceServer
  readonly tracker: Tracker
  readonly hook: Hook
  readonly history: HistoryServer
  /** Never dies: who sends commands and alerts over HTTP. */
  readonly outside: Host
  /** One place for each process; null while it is down. */
  readonly running: (Running | null)[]
  /** Restarts wait for the calm when they are not due before. */
  storming = true
  private starts = 0
  private readonly defect: Defect

  constructor(world: World, scenario: Scenario, defect: Defect) {
    this.world = world
    this.scenario = scenario
    this.defect = defect
    this.reference = new Reference(world, scenario.partitions)
    this.audit = new LogAudit(world, this.reference)
    this.broker = new Broker(
      world,
      scenario.partitions,
      (topic, partition, entry) => this.audit.entry(topic, partition, entry),
      defect.log ?? MemoryLog,
    )
    this.store = new StoreServer(world, () => new (defect.store ?? MemoryStore)())
    this.store.ends_claims = !(defect.claims_outlive_failover ?? false)
    this.source = new SourceServer(world, 'plant', scenario.messages)
    this.tracker = new Tracker(world)
    this.tracker.finds = defect.tracker_finds ?? true
    this.hook = new Hook(world)
    this.history = new HistoryServer(world)
    this.history.forgets_tokens = defect.history_forgets_tokens ?? false
    this.history.forgets_beginnings = defect.history_forgets_beginnings ?? false
    this.tracker.faults = this.hook.faults = scenario.sink_faults
    this.outside = new Host(world, 'outside', 0, () => {})
    this.running = Array.from({ length: scenario.hosts }, () => null)
  }

  open(): void {
    this.broker.open()
    for (const [partition, expected] of this.scenario.expected.entries())
      this.reference.expect(partition, expected)
    for (let place = 0; place < this.scenario.hosts; place++)
      this.world.scheduler.after(this.world.latency(), () => this.start(place))
  }

  /** A new process with nothing but its configuration. */
  start(place: number): void {
    const { world } = this
    if (this.running[place] !== null) return
    const skew_ms = world.random.between(-CLOCK_SKEW_MS, CLOCK_SKEW_MS)
    const host = new Host(world, `p${place}.${++this.starts}`, skew_ms, () => this.ended(place, host))
    const log = this.defect.log_client?.(this.broker.client(host)) ?? this.broker.client(host)
    const observer = { accepted() {}, rejected() {} }
    const intake = new Intake({ log, config: DEFAULTS, observer, tracing: noTraces })
    this.defect.intake?.(intake)
    const consumer = new Consumer({
      name: 'plant',
      topics: [this.source.topic],
      source: this.source.client(host, this.defect.acknowledges_first ?? false),
      intake,
      clock: host.clock,
      observer: { halted() {}, retrying() {} },
      resolve_timeout_ms: RESOLVE_TIMEOUT_MS,
    })
    const store = this.defect.client?.(this, host, this.store.client(host)) ?? this.store.client(host)
    const common = { log, store, clock: host.clock, observer: this.observer(host), tracing: noTraces }
    const version = this.starts > this.scenario.hosts && world.random.chance(0.2) ? 'second' : 'first'
    const workers = [
      new Worker({
        ...common,
        name: 'correlate',
        topic: 'alerts',
        make: (partition) => this.wrapped('alerts', host, this.correlator(partition, version)),
      }),
      new Worker({
        ...common,
        name: 'deliver',
        topic: 'incidents',
        make: (partition) => this.wrapped('incidents', host, this.deliverer(partition, host)),
      }),
    ]
    if (this.scenario.with_history) {
      for (const topic of RECORDED_TOPICS)
        workers.push(
          new Worker({
            ...common,
            name: 'record',
            topic,
            make: (partition) => this.recorder(topic, partition, host),
          }),
        )
    }
    world.note(host.name, 'starts', version)
    const stop = async () =>
      void (await Promise.all([...workers.map((worker) => worker.stop()), consumer.close()]))
    this.running[place] = { host, intake, stop }
    for (const worker of workers) void worker.start()
    void consumer.start()
  }

  /** Ends in good order, if it does not die before. */
  stop(place: number): void {
    const running = this.running[place]
    if (!running) return
    this.world.note(running.host.name, 'is stopped')
    void running.stop().then(() => running.host.die())
  }

  private ended(place: number, host: Host): void {
    const { random, scheduler } = this.world
    this.running[place] = null
    scheduler.after(random.between(100, 6_000), () => {
      for (const group of [...this.broker.groups.values(), this.source.group]) group.miss(host)
    })
    scheduler.after(random.between(50, 8_000), () => this.start(place))
  }

  private correlator(partition: number, version: string): PartitionFold {
    const incidents_partitions = this.scenario.partitions
    return new Correlator({
      partition,
      rules: rulesOf(version),
      topologies: [],
      incidents_partitions,
      deadletters_partitions: incidents_partitions,
      told() {},
      sized() {},
    })
  }

  private deliverer(partition: number, host: Host): PartitionFold {
    const sinks = this.scenario.with_hook ? [this.tracker, this.hook] : [this.tracker]
    return new DeliverFold({
      partition,
      sinks: sinks.map((sink) => sink.client(host)),
      clock: host.clock,
      attempts_max: 2,
      alerts_partitions: this.scenario.partitions,
      deadletters_partitions: this.scenario.partitions,
      attempted() {},
      counted() {},
    })
  }

  private recorder(topic: RecordedTopic, partition: number, host: Host): PartitionFold {
    const { world } = this
    const fold = new RecordFold({
      topic,
      partition,
      client: Promise.resolve(this.history.client(host)),
      clock: host.clock,
      observer: {
        inserted() {},
        retrying: (shard, error) => world.note(host.name, shard, 'inserts again after', error.code),
        undecodable: (shard, _position, error) => world.violate('a bug', `${shard}: ${error.message}`),
      },
      flush_interval_ms: 1_000,
      flush_rows: 6,
      settle_ms: HISTORY_SETTLE_MS,
    })
    return this.defect.recorder?.(fold) ?? fold
  }

  private wrapped(topic: Topic, host: Host, fold: PartitionFold): PartitionFold {
    return this.defect.fold?.(this, host, topic, fold) ?? fold
  }

  private observer(host: Host): WorkerObserver {
    const { world } = this
    return {
      owned() {},
      committed() {},
      batch() {},
      retrying: (shard, error) => world.note(host.name, shard, 'tries again after', error.code),
      fenced: (shard) => world.note(host.name, shard, 'is fenced'),
      fatal: (shard, error) =>
        world.violate(
          'a bug',
          `${shard}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        ),
    }
  }
}
