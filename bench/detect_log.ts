import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome } from '../ingest/detect/fold/fold.ts'
import { systemClock } from '../runtime/clock.ts'
import { detectRulesOf } from '../runtime/config_detect.ts'
import { DetectFold } from '../runtime/detect_fold.ts'
import { SqliteLog } from '../runtime/log/sqlite.ts'
import { SqliteEngine } from '../runtime/sqlite.ts'
import { SqliteStore } from '../runtime/store/sqlite.ts'
import { noTraces } from '../runtime/tracing.ts'
import { Worker, type WorkerObserver } from '../runtime/worker.ts'
import { config } from '../schemas/config.ts'
import { partitionOf } from '../schemas/ids.ts'

const PARTITIONS = 4
const LOOK_EVERY_MS = 20

export interface LogRound {
  readonly samples: number
  /** From the start of the workers until everything is folded. */
  readonly seconds: number
  readonly cpu_seconds: number
  /** Until everything is stored as well. */
  readonly stored_seconds: number
}

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

/** The way from the samples log of the embedded mode to the state store, snapshots included: entries are there before, workers begin. */
export async function throughLog(
  entries: Iterable<{ key: string; value: Buffer; samples: number }>,
): Promise<LogRound> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-detect-'))
  const engine = new SqliteEngine({ data_dir: folder })
  const log = await SqliteLog.open(engine, { clock: systemClock, partitions: PARTITIONS })
  const store = await SqliteStore.open(engine)
  let samples = 0
  for (const { key, value, samples: count } of entries) {
    samples += count
    await log.append([{ topic: 'samples', partition: partitionOf(key, PARTITIONS), value }])
  }
  let folded = 0
  const worker = new Worker({
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
        rules: detectRulesOf(config.parse({})),
        alerts_partitions: PARTITIONS,
        deadletters_partitions: PARTITIONS,
        now: Date.now,
        begin: async () => 0,
        detected: ({ counts }: Outcome) => (folded += counts.readings),
        watching() {},
      }),
  })
  const began = performance.now()
  const cpu = process.cpuUsage()
  await worker.start()
  while (folded < samples) await pause(LOOK_EVERY_MS)
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  const isStored = async (): Promise<boolean> => {
    const ends = await log.bounds('samples')
    const at = await Promise.all(ends.map((_, partition) => store.position(`detect/samples/${partition}`)))
    return ends.every(({ next }, partition) => (at[partition] ?? 0) >= next)
  }
  while (!(await isStored())) await pause(LOOK_EVERY_MS)
  const stored_seconds = (performance.now() - began) / 1_000
  await worker.stop()
  await log.close()
  await store.close()
  await engine.close()
  await rm(folder, { recursive: true, force: true })
  return { samples, seconds, cpu_seconds: (user + system) / 1e6, stored_seconds }
}
