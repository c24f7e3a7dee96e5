import { setTimeout as pause } from 'node:timers/promises'
import { Lag } from './lag.ts'
import { alertOf } from './load/alerts.ts'
import { type AlertMessage, makeTopic, prepare, produce } from './load/kafka.ts'
import { seeded } from './load/random.ts'
import type { BenchOptions } from './options.ts'
import { cpuSeconds, rssMegabytes, type Started } from './processes.ts'
import { type Figure, type Report, rounded } from './report.ts'
import { type Services, SOURCE, startServices } from './services.ts'

const SHAPE = { seed: 1, distinct: 20_000, per_group: 100 }
const ALERTS_PER_MESSAGE = 100
/** What is produced for each second that the benchmark is to take; it takes as long as it takes. */
const ALERTS_PER_SECOND = 40_000
const MIXES = ['repeats', 'mixed', 'new'] as const
const WORKERS = [1, 2]
const LOOK_EVERY_MS = 100

type Mix = (typeof MIXES)[number]

/**
 * From messages that lie in a topic to alerts that are folded, told and recorded. Everything is produced before any worker
 * sees it; each different alert was seen before, but for the new ones.
 */
export async function run({ seconds }: BenchOptions): Promise<Report> {
  const total = seconds * ALERTS_PER_SECOND
  const figures: Record<string, Figure> = {}
  for (const mix of MIXES) {
    for (const workers of WORKERS) {
      const found = await measure(mix, workers, total)
      for (const [name, figure] of Object.entries(found)) figures[`${mix}_${workers}w_${name}`] = figure
    }
    figures[`${mix}_2w_to_1w`] = rounded(
      Number(figures[`${mix}_2w_alerts_per_s`]) / Number(figures[`${mix}_1w_alerts_per_s`]),
    )
  }
  return {
    name: 'distributed',
    parameters: {
      ...SHAPE,
      alerts: total,
      alerts_per_message: ALERTS_PER_MESSAGE,
      partitions: SOURCE.partitions,
    },
    figures,
  }
}

async function measure(mix: Mix, count: number, total: number): Promise<Record<string, Figure>> {
  const services = await startServices()
  const lag = await Lag.open(services.brokers, services.redis_url)
  const started_at_ms = Date.now()
  try {
    await makeTopic(services.brokers, SOURCE.topic, SOURCE.partitions)
    const workers = await Promise.all(Array.from({ length: count }, () => services.startWorker()))
    await produce(
      services.brokers,
      SOURCE.topic,
      messagesOf(Array.from({ length: SHAPE.distinct }, (_, i) => i).values(), started_at_ms),
    )
    await drained(lag, 0)
    const release = await prepare(
      services.brokers,
      SOURCE.topic,
      messagesOf(indices(mix, total), started_at_ms),
    )
    const figures = await timed(services, lag, workers, total, release)
    await Promise.all(workers.map((worker) => worker.stop()))
    return figures
  } finally {
    await lag.close()
    await services.stop()
  }
}

/** From the moment when the messages are there to the last row that is recorded. */
async function timed(
  services: Services,
  lag: Lag,
  workers: readonly Started[],
  total: number,
  release: () => Promise<void>,
): Promise<Record<string, Figure>> {
  const pids = [
    ...services.pids,
    ...workers.map(({ child }, i) => [`tocsin_${i + 1}`, child.pid as number] as const),
  ]
  const before = new Map(pids.map(([name, pid]) => [name, cpuSeconds(pid).own]))
  const began = performance.now()
  await release()
  const folded_s = ((await folded(lag, SOURCE.partitions)) - began) / 1_000
  const drained_s = ((await drained(lag, SOURCE.partitions)) - began) / 1_000
  const figures: Record<string, Figure> = {
    alerts_per_s: Math.round(total / drained_s),
    folded_alerts_per_s: Math.round(total / folded_s),
  }
  for (const [name, pid] of pids) {
    figures[`${name}_cpu_us_per_alert`] = rounded(
      ((cpuSeconds(pid).own - (before.get(name) ?? 0)) * 1e6) / total,
    )
    figures[`${name}_rss_mb`] = rssMegabytes(pid)
  }
  return figures
}

/** Resolves with the time when every message was taken and folded; `marks` of the source topic are no messages. */
async function folded(lag: Lag, marks: number): Promise<number> {
  for (;;) {
    const left = (await lag.ofGroup(SOURCE.topic, SOURCE.group)).lag - marks
    if (left === 0 && (await lag.ofFold('correlate', 'alerts')) === 0) return performance.now()
    await pause(LOOK_EVERY_MS)
  }
}

async function drained(lag: Lag, marks: number): Promise<number> {
  await folded(lag, marks)
  for (;;) {
    const left = await Promise.all([
      lag.ofFold('record', 'alerts'),
      lag.ofFold('deliver', 'incidents'),
      lag.ofFold('record', 'incidents'),
    ])
    if (left.every((entries) => entries === 0)) return performance.now()
    await pause(LOOK_EVERY_MS)
  }
}

function* indices(mix: Mix, total: number): Generator<number> {
  const random = seeded(SHAPE.seed + 1)
  let fresh: number = SHAPE.distinct
  for (let n = 0; n < total; n++) {
    const is_new = mix === 'new' || (mix === 'mixed' && Math.floor(n / ALERTS_PER_MESSAGE) % 10 === 0)
    yield is_new ? fresh++ : Math.floor(random() * SHAPE.distinct)
  }
}

/** Arrays of alerts, over the partitions in turn. */
function* messagesOf(order: Iterable<number>, started_at_ms: number): Generator<AlertMessage> {
  const texts = new Map<number, string>()
  const textOf = (i: number) => {
    const known = texts.get(i)
    if (known !== undefined) return known
    const text = JSON.stringify(alertOf({ ...SHAPE, started_at_ms }, i))
    if (i < SHAPE.distinct) texts.set(i, text)
    return text
  }
  let parts: string[] = []
  let n = 0
  for (const i of order) {
    parts.push(textOf(i))
    if (parts.length < ALERTS_PER_MESSAGE) continue
    yield { partition: n++ % SOURCE.partitions, value: `[${parts.join(',')}]`, alerts: parts.length }
    parts = []
  }
  if (parts.length > 0)
    yield { partition: n % SOURCE.partitions, value: `[${parts.join(',')}]`, alerts: parts.length }
}
