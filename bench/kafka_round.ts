import { setTimeout as pause } from 'node:timers/promises'
import { Lag } from './lag.ts'
import type { Mix } from './load/bodies.ts'
import { makeTopic, prepare, produce } from './load/kafka.ts'
import { makeMessages } from './load/messages.ts'
import { shapeOf } from './load_order.ts'
import { cpuSeconds, rssMegabytes, type Started } from './processes.ts'
import { type Figure, rounded } from './report.ts'
import { type Services, SOURCE, startServices } from './services.ts'
import { alertsTaken, assertTaken } from './tocsin_metrics.ts'

export const ALERTS_PER_MESSAGE = 100
const LOOK_EVERY_MS = 100

export interface KafkaRound {
  readonly mix: Mix
  readonly distinct: number
  readonly batch: number
  readonly alerts: number
  readonly round: number
  readonly workers: number
  /** Added to the configuration of each worker. */
  readonly yaml: string
  /** What has to be at its end before it is done: after the source, in this order. */
  readonly folds: readonly { readonly fold: string; readonly topic: string }[]
}

/**
 * From messages that lie in a topic to alerts that are taken, folded, told and recorded, on services and workers of their own.
 * Everything is produced before any worker sees it; each different alert was seen before, but for the new ones.
 */
export async function measureKafka(order: KafkaRound): Promise<Record<string, Figure>> {
  const services = await startServices()
  const lag = await Lag.open(services.brokers, services.redis_url)
  try {
    await makeTopic(services.brokers, SOURCE.topic, SOURCE.partitions)
    const workers = await Promise.all(
      Array.from({ length: order.workers }, () => services.startWorker(order.yaml)),
    )
    const { distinct, round, mix, batch, alerts } = order
    const load = { shape: shapeOf(distinct, round), mix, batch, fresh_max: alerts }
    const messages = makeMessages(load, SOURCE.partitions)
    const warm = await produce(services.brokers, SOURCE.topic, messages.warm)
    await done(lag, order, workers, warm, 0)
    const release = await prepare(services.brokers, SOURCE.topic, messages.take(alerts))
    const figures = await timed(services, lag, workers, order, release, warm + alerts)
    await assertTaken(urlsOf(workers), warm + alerts)
    await Promise.all(workers.map((worker) => worker.stop()))
    return figures
  } finally {
    await lag.close()
    await services.stop()
  }
}

/** From the moment when the messages are there until the last of the folds is done. */
async function timed(
  services: Services,
  lag: Lag,
  workers: readonly Started[],
  order: KafkaRound,
  release: () => Promise<void>,
  expected: number,
): Promise<Record<string, Figure>> {
  const pids = [
    ...services.pids,
    ...workers.map(({ child }, i) => [`tocsin_${i + 1}`, child.pid as number] as const),
  ]
  const before = new Map(pids.map(([name, pid]) => [name, cpuSeconds(pid).own]))
  const began = performance.now()
  await release()
  const times = await done(lag, order, workers, expected, SOURCE.partitions)
  const figures: Record<string, Figure> = {}
  const rate = (at: number) => Math.round(order.alerts / ((at - began) / 1_000))
  figures['alerts_per_s'] = rate([...times.values()].at(-1) ?? Number.NaN)
  for (const [name, at] of times) figures[`until_${name}_done_alerts_per_s`] = rate(at)
  for (const [name, pid] of pids) {
    const cpu_us = (cpuSeconds(pid).own - (before.get(name) ?? 0)) * 1e6
    figures[`${name}_cpu_us_per_alert`] = rounded(cpu_us / order.alerts)
    figures[`${name}_rss_mb`] = rssMegabytes(pid)
  }
  return figures
}

const urlsOf = (workers: readonly Started[]) => workers.map(({ url }) => url)

/**
 * When each was done: the source once the workers took all that is expected, by the offsets of their group and then by
 * their own count. The `marks` of a transaction in the source topic are no messages.
 */
async function done(
  lag: Lag,
  { folds }: KafkaRound,
  workers: readonly Started[],
  expected: number,
  marks: number,
): Promise<Map<string, number>> {
  const times = new Map<string, number>()
  const until = async (name: string, isDone: () => Promise<boolean>) => {
    while (!(await isDone())) await pause(LOOK_EVERY_MS)
    times.set(name, performance.now())
  }
  await until(
    'ingest',
    async () =>
      (await lag.ofGroup(SOURCE.topic, SOURCE.group)).lag === marks &&
      (await alertsTaken(urlsOf(workers))) >= expected,
  )
  for (const { fold, topic } of folds)
    await until(`${fold}_${topic}`, async () => (await lag.ofFold(fold, topic)) === 0)
  return times
}
