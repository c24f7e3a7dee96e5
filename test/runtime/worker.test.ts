import { describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Correlator } from '../../runtime/correlator.ts'
import { Fenced, Retryable } from '../../runtime/errors.ts'
import { EMPTY_STEP, type PartitionFold, type Step } from '../../runtime/fold.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import type { Append, Commit, Log, LogEntry, Position, Store } from '../../runtime/ports.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { Worker, type WorkerObserver } from '../../runtime/worker.ts'
import type { Change } from '../../schemas/change.ts'
import { decodeChange, encodeRecord } from '../../schemas/codec.ts'
import { DEFAULT_RULES } from '../../schemas/rules.ts'
import { topologyParts } from '../../ingest/topology/read.ts'
import type { Topology } from '../../runtime/topology_files.ts'
import { anAlert } from '../correlate/timeline.ts'
import { eventually } from '../contracts/wait.ts'

const silent: WorkerObserver = {
  owned() {},
  committed() {},
  batch() {},
  retrying() {},
  fenced() {},
  fatal: (_shard, error) => {
    throw error
  },
}

/** A port whose named calls go through `around` first. */
function intercepted<T extends object>(port: T, calls: Partial<{ [K in keyof T]: T[K] }>): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(calls, key) ?? Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function correlating(
  log: Log,
  store: Store,
  observer: Partial<WorkerObserver> = {},
  topologies: readonly Topology[] = [],
): Worker {
  return new Worker({
    log,
    store,
    clock: systemClock,
    observer: { ...silent, ...observer },
    tracing: noTraces,
    topic: 'alerts',
    name: 'correlate',
    make: (partition) =>
      new Correlator({
        partition,
        rules: { ...DEFAULT_RULES, version: 'test', growth_interval_ms: 0 },
        topologies,
        incidents_partitions: 1,
        deadletters_partitions: 1,
        told() {},
        sized() {},
      }),
  })
}

function alertsOf(...hosts: string[]): Append {
  const alerts = hosts.map((host) => anAlert({ host, alertname: `Down-${host}` }))
  return {
    topic: 'alerts',
    partition: 0,
    value: encodeRecord({ kind: 'alerts', received_at_ms: 0, origin: null, places: [], alerts }),
  }
}

async function changesIn(log: Log): Promise<Change[]> {
  const found: Change[] = []
  const tail = await log.tail(
    'incidents',
    [0],
    (_partition, entries) => void found.push(...entries.map(({ value }) => decodeChange(value))),
  )
  const [bounds] = await log.bounds('incidents')
  await eventually('the loop gets there', () => found.length === (bounds?.next ?? 0))
  await tail.close()
  return found
}

async function folded(log: Log, store: Store): Promise<void> {
  await eventually(
    'the loop gets there',
    async () => (await store.position('correlate/alerts/0')) === (await log.bounds('alerts'))[0]?.next,
  )
}

describe('the worker loop', () => {
  it('publishes changes before it commits the state that follows from them', async () => {
    const order: string[] = []
    const memory = new MemoryLog(systemClock, 1)
    const log = intercepted<Log>(memory, {
      append: async (entries) => {
        const positions = await memory.append(entries)
        if (entries.some(({ topic }) => topic === 'incidents')) order.push('published')
        return positions
      },
    })
    const kept = new MemoryStore()
    const store = intercepted<Store>(kept, {
      commit: async (shard, commit) => {
        if ([...commit.put.keys()].some((key) => key.startsWith('i/'))) order.push('committed')
        return kept.commit(shard, commit)
      },
    })
    const worker = correlating(log, store)
    await worker.start()
    await memory.append([alertsOf('a')])
    await folded(log, store)
    await worker.stop()
    expect(order).toEqual(['published', 'committed'])
  })

  it('logs the topologies of the configuration, and takes back what is no longer configured', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    const parts = topologyParts('file:shop', '', [{ from: 'shop', to: 'db', kind: 'calls' }])
    const topology = { source: 'file:shop', version: parts[0]?.version ?? '', parts }
    const related = async () => (await store.read('correlate/alerts/0', 'g/')).length
    for (const [topologies, rows] of [
      [[topology], 2],
      [[topology], 2],
      [[], 0],
    ] as const) {
      const worker = correlating(log, store, {}, topologies)
      await worker.start()
      await eventually('the topology is folded', async () => (await related()) === rows)
      await worker.stop()
    }
    // The rules, the file once, and its end.
    expect((await log.bounds('alerts'))[0]?.next).toBe(3)
  })

  it('tells the same change again, not another, when the commit was lost', async () => {
    const log = new MemoryLog(systemClock, 1)
    const kept = new MemoryStore()
    let failures = 0
    const store = intercepted<Store>(kept, {
      commit: async (shard: string, commit: Commit) => {
        if (failures < 1 && [...commit.put.keys()].some((key) => key.startsWith('i/'))) {
          failures++
          // The answer is lost: the store did commit, and the repetition is fenced by its version.
          await kept.commit(shard, commit)
          throw new Retryable('lost', 'the answer was lost')
        }
        return kept.commit(shard, commit)
      },
    })
    const fences: string[] = []
    const worker = correlating(log, store, { fenced: (shard) => fences.push(shard) })
    await worker.start()
    await log.append([alertsOf('a', 'b')])
    await log.append([alertsOf('a', 'c')])
    await folded(log, store)
    await worker.stop()
    expect(fences).toEqual(['correlate/alerts/0'])
    const contents = new Map<string, string>()
    for (const change of await changesIn(log)) {
      expect(contents.get(change.id) ?? JSON.stringify(change)).toBe(JSON.stringify(change))
      contents.set(change.id, JSON.stringify(change))
    }
    expect(contents.size).toBe(3)
  })

  it('publishes again under the same ids when it died between publishing and committing', async () => {
    const log = new MemoryLog(systemClock, 1)
    const kept = new MemoryStore()
    const stuck = intercepted<Store>(kept, {
      commit: async (shard: string, commit: Commit) => {
        if ([...commit.put.keys()].some((key) => key.startsWith('i/')))
          throw new Retryable('down', 'the store is down')
        return kept.commit(shard, commit)
      },
    })
    const first = correlating(log, stuck)
    await first.start()
    await log.append([alertsOf('a')])
    await eventually('the loop gets there', async () => ((await log.bounds('incidents'))[0]?.next ?? 0) > 0)
    await first.stop()
    const second = correlating(log, kept)
    await second.start()
    await folded(log, kept)
    await second.stop()
    const changes = await changesIn(log)
    expect(changes).toHaveLength(2)
    expect(changes[0]).toEqual(changes[1])
  })

  it('goes on from the stored position and does nothing twice after a stop', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    for (const host of ['a', 'b', 'c']) {
      const worker = correlating(log, store)
      await worker.start()
      await log.append([alertsOf(host)])
      await folded(log, store)
      await worker.stop()
    }
    const changes = await changesIn(log)
    expect(changes.map(({ kind, incident }) => [kind, incident.title])).toEqual([
      ['opened', 'Down-a on a'],
      ['opened', 'Down-b on b'],
      ['opened', 'Down-c on c'],
    ])
  })

  it('appends the rules of the configuration before it folds anything by others', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    const worker = correlating(log, store)
    await worker.start()
    await eventually(
      'the loop gets there',
      async () => (await store.read('correlate/alerts/0', 'r/')).length > 0,
    )
    await worker.stop()
    const [[, rules] = []] = await store.read('correlate/alerts/0', 'r/')
    expect(JSON.parse(rules?.toString() ?? '{}')).toMatchObject({ version: 'test' })
  })

  it('ends the process for a fault of the program and commits nothing of it', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    const faults: unknown[] = []
    const broken: PartitionFold = {
      restore() {},
      restored: async () => 0,
      fold: () => {
        throw new TypeError('a bug')
      },
      dueAt: () => null,
      onDue: () => null,
      close: async () => {},
    }
    const worker = new Worker({
      log,
      store,
      clock: systemClock,
      observer: { ...silent, fatal: (_shard, error) => faults.push(error) },
      tracing: noTraces,
      topic: 'alerts',
      name: 'broken',
      make: () => broken,
    })
    await worker.start()
    await log.append([alertsOf('a')])
    await eventually('the loop gets there', () => faults.length > 0)
    await worker.stop()
    expect(faults).toEqual([new TypeError('a bug')])
    expect(await store.position('broken/alerts/0')).toBeNull()
  })

  it('neither seeks nor commits when its partition was lost while it loaded', async () => {
    const memory = new MemoryLog(systemClock, 1)
    const kept = new MemoryStore()
    const done: string[] = []
    const loading = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const store = intercepted<Store>(kept, {
      async *rows(shard: string) {
        loading.resolve()
        await released.promise
        yield* kept.rows(shard)
      },
      commit: (shard: string, commit: Commit) => {
        done.push('commit')
        return kept.commit(shard, commit)
      },
    })
    const log = intercepted<Log>(memory, {
      subscribe: (topic, group, ownership) =>
        memory.subscribe(topic, group, {
          gained: (reader) =>
            ownership.gained(
              intercepted(reader, {
                seek: (position: Position) => {
                  done.push('seek')
                  return reader.seek(position)
                },
              }),
            ),
          lost: (partition) => ownership.lost(partition),
        }),
    })
    const worker = correlating(log, store)
    await worker.start()
    await loading.promise
    const stopped = worker.stop()
    released.resolve()
    await stopped
    expect(done).toEqual([])
  })

  it('takes no partition any more once it stops', async () => {
    const kept = new MemoryStore()
    const claimed: string[] = []
    const store = intercepted<Store>(kept, {
      claim: async (shard: string, token: string) => {
        claimed.push(shard)
        if (shard.endsWith('/1')) throw new Fenced(shard)
        return kept.claim(shard, token)
      },
    })
    const memory = new MemoryLog(systemClock, 2)
    const stopping = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const log = intercepted<Log>(memory, {
      // The group shares out the second partition while the worker leaves.
      subscribe: (topic, group, ownership) =>
        memory.subscribe(topic, group, {
          gained: (reader) => {
            if (reader.partition === 0) ownership.gained(reader)
            else void stopping.promise.then(() => ownership.gained(reader)).then(ended.resolve)
          },
          lost: (partition) => ownership.lost(partition),
        }),
    })
    const worker = correlating(log, store)
    await worker.start()
    await eventually('the first partition is claimed', () => claimed.length > 0)
    const stopped = worker.stop()
    stopping.resolve()
    await ended.promise
    await stopped
    expect(claimed).toEqual(['correlate/alerts/0'])
  })

  it('does outside work only after the commit, and reads on only when it is done', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    const order: string[] = []
    const fold: PartitionFold = {
      restore() {},
      restored: async (position: Position | null) => position ?? 0,
      fold(entries: readonly LogEntry[]): Step {
        order.push(`fold ${entries[0]?.position}`)
        const after = async () => {
          order.push(`after ${entries[0]?.position}, stored ${await store.position('effects/alerts/0')}`)
        }
        return { ...EMPTY_STEP, put: new Map([['x', Buffer.from('1')]]), after }
      },
      dueAt: () => null,
      onDue: () => null,
      close: async () => {},
    }
    const worker = new Worker({
      log,
      store,
      clock: systemClock,
      observer: silent,
      tracing: noTraces,
      topic: 'alerts',
      name: 'effects',
      make: () => fold,
    })
    await worker.start()
    await log.append([alertsOf('a')])
    await eventually('the loop gets there', () => order.length === 2)
    await log.append([alertsOf('b')])
    await eventually('the loop gets there', () => order.length === 4)
    await worker.stop()
    expect(order).toEqual(['fold 0', 'after 0, stored 1', 'fold 1', 'after 1, stored 2'])
  })
})
