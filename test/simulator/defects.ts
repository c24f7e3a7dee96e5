import type { Recorder } from '../../analytics/recorders.ts'
import { restoreRow } from '../../correlate/apply.ts'
import type { State } from '../../correlate/state.ts'
import { Timers } from '../../correlate/timers.ts'
import type { Intake } from '../../ingest/intake.ts'
import { decodeRow, encodeRow } from '../../notify/rows.ts'
import type { PartitionFold, Step } from '../../runtime/fold.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import type { Append, Log, LogEntry, Ownership, Store, Topic } from '../../runtime/ports.ts'
import type { MemoryStore } from '../../runtime/store/memory.ts'
import { Repeats } from '../../schemas/repeats.ts'
import { decodeChange, decodeRecord, encodeChange, encodeRecord } from '../../schemas/codec.ts'
import type { Fault } from './scenario.ts'
import type { Simulation } from './simulation.ts'
import { TokenOnlyStore, UnfencedStore } from './store_server.ts'
import type { Host } from './world.ts'

/** A mistake put into the simulated world on purpose, to see that the checks find it. The product is not touched. */
export interface Defect {
  /** The storm is made of these alone, for a mistake that needs several at the same time. */
  readonly faults?: readonly Fault[]
  readonly store?: typeof MemoryStore
  readonly log?: typeof MemoryLog
  readonly tracker_finds?: boolean
  readonly claims_outlive_failover?: boolean
  readonly acknowledges_first?: boolean
  readonly intake?: (intake: Intake) => void
  /** To be sought in the history, which most runs are without. */
  readonly of_history?: true
  readonly recorder?: (fold: PartitionFold) => PartitionFold
  readonly history_forgets_tokens?: true
  readonly history_forgets_beginnings?: true
  readonly log_client?: (log: Log) => Log
  readonly client?: (simulation: Simulation, host: Host, store: Store) => Store
  readonly fold?: (simulation: Simulation, host: Host, topic: Topic, fold: PartitionFold) => PartitionFold
}

export const NO_DEFECT: Defect = {}

/** One that does as another one, but for what `over` says. */
function altered<T extends object>(like: T, over: Partial<T>): T {
  return new Proxy(like, {
    get(target, key) {
      const value: unknown = Reflect.get(over, key) ?? Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Every step of the fold goes through `change`. */
function stepping(fold: PartitionFold, change: (step: Step) => Step): PartitionFold {
  const changed = (step: Step | null) => (step === null ? null : change(step))
  return altered(fold, {
    fold: (entries) => changed(fold.fold(entries)),
    onDue: (now_ms, idle) => changed(fold.onDue(now_ms, idle)),
  })
}

/** Every entry comes to the fold as `change` makes it. */
function reading(fold: PartitionFold, change: (entry: LogEntry) => LogEntry): PartitionFold {
  return altered(fold, { fold: (given) => fold.fold(given.map(change)) })
}

const of = (
  topic: Topic,
  change: (simulation: Simulation, host: Host, fold: PartitionFold) => PartitionFold,
): NonNullable<Defect['fold']> => {
  return (simulation, host, found, fold) => (found === topic ? change(simulation, host, fold) : fold)
}

/** Time as the machine says, where a log must never let it go back. */
class BackwardLog extends MemoryLog {
  override async subscribe(...given: Parameters<MemoryLog['subscribe']>): ReturnType<MemoryLog['subscribe']> {
    const [topic, group, ownership] = given
    const back = (entry: LogEntry): LogEntry => ({
      ...entry,
      time_ms: entry.time_ms - (entry.position % 7 === 6 ? 5_000 : 0),
    })
    return super.subscribe(topic, group, {
      gained: (reader) => {
        const poll = reader.poll.bind(reader)
        reader.poll = async (entries_max, wait_ms) => (await poll(entries_max, wait_ms)).map(back)
        ownership.gained(reader)
      },
      lost: (partition) => ownership.lost(partition),
    })
  }
}

/** Ids of incidents as if they came from randomness: another one for each fold that opens the incident. */
function randomIds(simulation: Simulation, fold: PartitionFold): PartitionFold {
  const renamed = new Map<string, string>()
  const rename = (text: string) =>
    text.replaceAll(/inc_[0-9a-f]{20}/g, (id) => {
      const other = renamed.get(id) ?? `inc_${simulation.world.random.token().slice(0, 20)}`
      renamed.set(id, other)
      return other
    })
  return stepping(fold, (step) => ({
    ...step,
    publish: step.publish.map((append) => ({
      ...append,
      value: append.topic === 'incidents' ? Buffer.from(rename(append.value.toString())) : append.value,
    })),
  }))
}

function withoutPlaces(entry: LogEntry): LogEntry {
  const record = decodeRecord(entry.value)
  if (record.kind !== 'alerts') return entry
  const { repeats } = record
  const without = { ...record, origin: null, places: [] }
  const bare = repeats && { repeats: new Repeats(repeats.bytes, []) }
  return { ...entry, value: encodeRecord({ ...without, ...bare }) }
}

/** What a webhook may have been told as the beginning is not stored. */
function withoutCreations(step: Step): Step {
  const put = [...step.put].map(([key, value]) => {
    if (!key.startsWith('d/')) return [key, value] as const
    return [key, encodeRow({ ...decodeRow(value), creation: null })] as const
  })
  return { ...step, put: new Map(put) }
}

/** What is told again looks like news. */
function repeatsAsNews(fold: PartitionFold): PartitionFold {
  const seen = new Map<string, number>()
  return reading(fold, (entry) => {
    const change = decodeChange(entry.value)
    const before = seen.get(change.incident_id) ?? 0
    const revision = Math.max(change.revision, before + 1)
    seen.set(change.incident_id, revision)
    return {
      ...entry,
      value: encodeChange({ ...change, revision, incident: { ...change.incident, revision } }),
    }
  })
}

/** Says that an incident is over when one of its members ends. */
function closedEarly(append: Append): Append {
  if (append.topic !== 'incidents') return append
  const change = decodeChange(append.value)
  if (change.memberships.ended.length === 0) return append
  return {
    ...append,
    value: encodeChange({ ...change, incident: { ...change.incident, state: 'resolved' } }),
  }
}

/** Restores the rows, but nothing falls due because of them. */
function withoutTimers(fold: PartitionFold): PartitionFold {
  const { state } = fold as unknown as { readonly state: State }
  return altered(fold, {
    restore: (key, value) => restoreRow(state, key, value.toString()),
    restored: async (position, copy) => {
      const from = await fold.restored(position, copy)
      Object.assign(state.derived, { timers: new Timers() })
      return from
    },
  })
}

/** The history goes on behind the one of its two tables that reaches further. */
function behindTheFurther(fold: PartitionFold): PartitionFold {
  const { recorder } = fold as unknown as { readonly recorder: Recorder & { readonly told_to?: number } }
  const rebuild = recorder.rebuild.bind(recorder)
  recorder.rebuild = async (inquiry, remembered) => {
    const to = await rebuild(inquiry, remembered)
    return rebuild({ ...inquiry, from: Math.max(to, recorder.told_to ?? 0) }, remembered)
  }
  return fold
}

/** What was told is recognised again although the log may not have taken it. */
function learnsTooEarly(intake: Intake): void {
  const prepare = intake.prepare.bind(intake)
  intake.prepare = (batch) => {
    const prepared = prepare(batch)
    intake.recogniser.learn(prepared.learnt)
    return prepared
  }
}

/** By name: what is wrong. */
export const DEFECTS: Readonly<Record<string, Defect>> = {
  'recognised-before-durable': { intake: learnsTooEarly },
  'commit-without-fence': { store: UnfencedStore },
  'version-not-checked': { store: TokenOnlyStore },
  'ids-from-randomness': { fold: of('alerts', (simulation, _host, fold) => randomIds(simulation, fold)) },
  'wall-clock-in-decisions': {
    fold: of('alerts', (_simulation, host, fold) =>
      reading(fold, (entry) => ({ ...entry, time_ms: host.clock.now() })),
    ),
  },
  'publish-after-commit': {
    fold: of('alerts', (simulation, host, fold) => {
      const log = simulation.broker.client(host)
      return stepping(fold, (step) =>
        step.put.size === 0
          ? step
          : { ...step, publish: [], after: async () => void (await log.append(step.publish)) },
      )
    }),
  },
  'resume-from-the-brokers-offset': {
    client: ({ broker }, _host, store) =>
      altered(store, {
        claim: async (shard, token) => {
          const claim = await store.claim(shard, token)
          const [name, topic, partition] = shard.split('/')
          return {
            ...claim,
            position: broker.progress.get(`tocsin-${name}-${topic}/${partition}`) ?? claim.position,
          }
        },
      }),
  },
  'places-ignored': { fold: of('alerts', (_simulation, _host, fold) => reading(fold, withoutPlaces)) },
  'sink-without-look-up': { tracker_finds: false },
  'intent-not-stored-first': {
    fold: of('incidents', (_simulation, _host, fold) =>
      stepping(fold, (step) => {
        void step.after?.(new AbortController().signal)
        return { publish: step.publish, put: step.put, delete: step.delete }
      }),
    ),
  },
  'tick-while-lagging': {
    fold: of('alerts', (_simulation, _host, fold) =>
      altered(fold, { onDue: (now_ms) => fold.onDue(now_ms, true) }),
    ),
  },
  'beginning-not-stored': {
    fold: of('incidents', (_simulation, _host, fold) => stepping(fold, withoutCreations)),
  },
  'seen-revisions-not-ignored': { fold: of('incidents', (_simulation, _host, fold) => repeatsAsNews(fold)) },
  'timers-not-restored': { fold: of('alerts', (_simulation, _host, fold) => withoutTimers(fold)) },
  'answered-before-durable': { acknowledges_first: true },
  'log-time-goes-back': { log: BackwardLog },
  'closed-while-a-member-fires': {
    fold: of('alerts', (_simulation, _host, fold) =>
      stepping(fold, (step) => ({ ...step, publish: step.publish.map(closedEarly) })),
    ),
  },
  'insert-without-token': { of_history: true, history_forgets_tokens: true, faults: ['rebalance'] },
  'history-beginning-not-told': { of_history: true, history_forgets_beginnings: true },
  'history-ignores-a-failover': {
    of_history: true,
    recorder: (fold) => altered(fold, { restored: (position) => fold.restored(position, null) }),
  },
  'history-goes-on-behind-the-further-table': {
    of_history: true,
    recorder: behindTheFurther,
    faults: ['history-halfway'],
  },
  'idle-owners-ask-nothing': {
    client: (_simulation, _host, store) => neverIdle(store),
    faults: ['failover'],
  },
  'seek-after-the-partition-was-lost': { log_client: seekingLate },
  'claims-outlive-a-failover': { claims_outlive_failover: true, faults: ['claims-lost'] },
  'failover-not-noticed': {
    fold: of('incidents', (_simulation, _host, fold) =>
      altered(fold, { restored: (position) => fold.restored(position, null) }),
    ),
  },
  'claim-not-confirmed-after-loading': { client: (_simulation, _host, store) => unconfirmed(store) },
}

/** The first commit after each claim, which confirms it, is not sent. */
function unconfirmed(store: Store): Store {
  const claimed = new Set<string>()
  return altered(store, {
    claim: async (shard, token) => {
      claimed.add(token)
      return store.claim(shard, token)
    },
    commit: async (shard, commit) =>
      claimed.delete(commit.token) ? commit.version : store.commit(shard, commit),
  })
}

/** Commits without rows that do not move the position are not sent, but for the first of each claim. */
function neverIdle(store: Store): Store {
  const positions = new Map<string, number | null>()
  return altered(store, {
    commit: async (shard, commit) => {
      const idle = commit.put.size === 0 && positions.get(commit.token) === commit.position
      positions.set(commit.token, commit.position)
      return idle ? commit.version : store.commit(shard, commit)
    },
  })
}

/** A session that was still loading when its partition was lost seeks all the same. */
function seekingLate(log: Log): Log {
  const ownershipLike = (ownership: Ownership): Ownership => {
    const loading = new Map<number, () => Promise<void>>()
    return {
      gained: (reader) => {
        loading.set(reader.partition, () => reader.seek(0))
        const seek = async (position: number) => {
          loading.delete(reader.partition)
          await reader.seek(position)
        }
        ownership.gained(altered(reader, { seek }))
      },
      lost: async (partition) => {
        await ownership.lost(partition)
        await loading.get(partition)?.()
      },
    }
  }
  return altered(log, {
    subscribe: (topic, group, ownership) => log.subscribe(topic, group, ownershipLike(ownership)),
  })
}
