import { describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { detectRulesOf } from '../../runtime/config_detect.ts'
import { DetectFold } from '../../runtime/detect_fold.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import type { Log, Store } from '../../runtime/ports.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { Worker, type WorkerObserver } from '../../runtime/worker.ts'
import { decodeRecord } from '../../schemas/codec.ts'
import { config } from '../../schemas/config.ts'
import type { AlertsRecord } from '../../schemas/record.ts'
import { encodeSamples } from '../../schemas/samples_codec.ts'
import { eventually } from '../contracts/wait.ts'
import { samplesOf, type Told } from '../detect/fold_world.ts'

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

const RULES = detectRulesOf(
  config.parse({
    detectors: [
      { name: 'hot', match: ['metric="hot"'], detector: 'limits', options: { high: 80, on_delay_ms: 700 } },
    ],
  }),
)

function detecting(log: Log, store: Store, rules = RULES): Worker {
  return new Worker({
    log,
    store,
    clock: systemClock,
    observer: silent,
    tracing: noTraces,
    name: 'detect',
    topic: 'samples',
    make: (partition) =>
      new DetectFold({
        partition,
        rules,
        alerts_partitions: log.partitions('alerts'),
        deadletters_partitions: 1,
        now: Date.now,
        begin: async () => 0,
        detected() {},
        watching() {},
      }),
  })
}

/** Readings that came before the rules would be judged by the default detector. */
const rulesAreLaid = (log: Log) =>
  eventually('the rules are in the log', async () => ((await log.bounds('samples'))[0]?.next ?? 0) > 0)

const send = (log: Log, ...readings: Told[]) =>
  log.append([{ topic: 'samples', partition: 0, value: encodeSamples(samplesOf(readings)) }])

/** What the alerts log holds. */
async function alertsIn(log: Log): Promise<AlertsRecord[]> {
  const found: AlertsRecord[] = []
  const tail = await log.tail('alerts', [0], (_partition, entries) => {
    for (const { value } of entries) found.push(decodeRecord(value) as AlertsRecord)
  })
  const [bounds] = await log.bounds('alerts')
  await eventually('all is read', () => Promise.resolve(found.length === (bounds?.next ?? 0)))
  await tail.close()
  return found
}

describe('the detect fold in its worker', () => {
  it('ticks when a delay runs out and nothing is read', async () => {
    const log = new MemoryLog(systemClock, 1)
    const worker = detecting(log, new MemoryStore())
    await worker.start()
    await rulesAreLaid(log)
    await send(log, { metric: 'hot', value: 90, at_ms: Date.now() })
    await eventually('the alert is told', async () => (await alertsIn(log)).length > 0)
    await worker.stop()
    const [record] = await alertsIn(log)
    expect(record?.origin).toEqual({ source: 'detect', partition: 0 })
    expect(record?.alerts[0]?.labels['condition']).toBe('high')
  })

  it('goes on where it was after an orderly stop, and appends its rules once', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    for (let start = 0; start < 3; start++) {
      const worker = detecting(log, store)
      await worker.start()
      await send(log, { metric: 'cold', value: start, at_ms: Date.now() })
      await eventually('everything is stored', async () => {
        const [bounds] = await log.bounds('samples')
        return ((await store.position('detect/samples/0')) ?? 0) >= (bounds?.next ?? 0)
      })
      await worker.stop()
    }
    const [bounds] = await log.bounds('samples')
    expect(bounds?.next).toBe(4)
  })

  it('gives what it cannot read to the dead letters, and goes on', async () => {
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    const worker = detecting(log, store)
    await worker.start()
    await rulesAreLaid(log)
    for (const text of ['nonsense', '{"kind":"unknown"}'])
      await log.append([{ topic: 'samples', partition: 0, value: Buffer.from(text) }])
    await send(
      log,
      { metric: 'hot', value: 90, at_ms: Date.now() },
      { metric: 'hot', value: 90, at_ms: Date.now() + 800 },
    )
    await eventually('the alert is told', async () => (await alertsIn(log)).length > 0)
    const [letters] = await log.bounds('deadletters')
    expect(letters?.next).toBe(2)
    await worker.stop()
  })
})
