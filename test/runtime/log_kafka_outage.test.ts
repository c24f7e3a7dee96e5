import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Retryable } from '../../runtime/errors.ts'
import { openKafkaLog } from '../../runtime/log/kafka.ts'
import type { Log, LogEntry } from '../../runtime/ports.ts'
import { Owner, readFrom, subscribe, subscribeAlone, texts } from '../contracts/owner.ts'
import { eventually, LONG_WAIT_MS, PATIENCE_MS } from '../contracts/wait.ts'
import { type Controls, describeWith, type KafkaAddress, startKafka, uniqueName } from '../services/index.ts'
import { settings, SILENT } from './log_kafka_settings.ts'

const PATIENT = { timeout: 3 * PATIENCE_MS }

/** Appends until it is taken, as the worker does. */
async function appendPatiently(log: Log, partition: number, value: string): Promise<void> {
  for (;;) {
    try {
      await log.append([{ topic: 'alerts', partition, value: Buffer.from(value) }])
      return
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
    }
  }
}

await describeWith(startKafka, 'a broker of its own', (server: KafkaAddress & Controls) => {
  let log: Log
  beforeAll(async () => {
    log = await openKafkaLog(settings(server.brokers))
  })
  afterAll(async () => {
    await log.close()
    await server.stop()
  })

  it(
    'may be killed and started again while entries come and go: none lost, order kept',
    PATIENT,
    async () => {
      const { owner, subscription } = await subscribeAlone(log, 'alerts', uniqueName('restart'))
      const entries: LogEntry[] = []
      let is_reading = true
      const reading = (async () => {
        let position = 0
        while (is_reading) {
          const reader = owner.readers.get(0)
          await reader?.seek(position)
          while (reader !== undefined && reader === owner.readers.get(0) && is_reading) {
            const page = await reader.poll(100, 200).catch((error: unknown) => {
              if (!(error instanceof Retryable)) throw error
              return []
            })
            entries.push(...page)
            position = (page.at(-1)?.position ?? position - 1) + 1
          }
          await systemClock.sleep(20)
        }
      })()
      const appending = (async () => {
        for (let i = 0; i < 400; i += 1) {
          await appendPatiently(log, 0, String(i))
          await systemClock.sleep(10)
        }
      })()
      await eventually('entries come', () => entries.length > 50)
      await server.restart()
      await appending
      await eventually('the last entry', () => entries.some(({ value }) => value.toString() === '399'))
      is_reading = false
      await reading
      const numbers = texts(entries).map(Number)
      expect([...new Set(numbers)]).toEqual(Array.from({ length: 400 }, (_, i) => i))
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      await subscription.close()
    },
  )

  it('that stays away takes the partitions along, and gives them back', PATIENT, async () => {
    const { owner, subscription } = await subscribeAlone(log, 'incidents', uniqueName('crash'))
    const waiting = owner.reader(4).poll(10, LONG_WAIT_MS)
    await server.kill9()
    await eventually('everything is lost', () => owner.readers.size === 0)
    expect(await waiting).toEqual([])
    await expect(log.ping()).rejects.toBeInstanceOf(Retryable)
    await expect(log.bounds('alerts')).rejects.toBeInstanceOf(Retryable)
    await server.restart()
    await eventually('everything is there again', () => owner.readers.size === 8)
    await eventually('it answers', () =>
      log.ping().then(
        () => true,
        () => false,
      ),
    )
    const [position = -1] = await log.append([
      { topic: 'incidents', partition: 4, value: Buffer.from('back') },
    ])
    expect(texts(await readFrom(owner.reader(4), position, 1))).toEqual(['back'])
    await subscription.close()
  })

  it('that freezes fails an append for now, and takes the next one', PATIENT, async () => {
    await server.pause()
    const refused: unknown = await log
      .append([{ topic: 'alerts', partition: 1, value: Buffer.from('frozen') }])
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Retryable)
    await server.resume()
    await appendPatiently(log, 1, 'thawed')
  })

  it('does not keep a log from closing while it is away, nor one from being opened', PATIENT, async () => {
    const own = settings(server.brokers)
    const closing = await openKafkaLog(own)
    const owner = new Owner()
    await closing.subscribe('alerts', uniqueName('closing'), owner)
    await eventually('it owns all', () => owner.readers.size === 8)
    const lines: object[] = []
    await server.kill9()
    const lost = closing
      .append([{ topic: 'alerts', partition: 0, value: Buffer.from('x') }])
      .catch((error: unknown) => error)
    await closing.close()
    expect(owner.readers.size).toBe(0)
    expect(await lost).toBeInstanceOf(Retryable)
    const logger = { ...SILENT, warn: (details: object) => void lines.push(details) }
    const opening = openKafkaLog({ ...own, logger })
    await eventually('a line about it', () => lines.length > 0)
    expect(lines[0]).toMatchObject({ code: 'kafka-unavailable' })
    await server.restart()
    const reopened = await opening
    await reopened.ping()
    await reopened.close()
  })

  it('lets a second subscriber in while the first one reads', PATIENT, async () => {
    const group = uniqueName('rebalance')
    const first = await subscribeAlone(log, 'alerts', group)
    const readers = new Map(first.owner.readers)
    const second = await subscribe(log, 'alerts', group)
    await eventually('they share', () => first.owner.readers.size === 4 && second.owner.readers.size === 4)
    const kept = first.owner.owned()
    expect(
      kept.every((partition) => first.owner.reader(partition) === readers.get(partition)),
      'what stays is not handed over',
    ).toBe(true)
    expect([...kept, ...first.owner.losses].sort((x, y) => x - y)).toEqual(
      [...readers.keys()].sort((x, y) => x - y),
    )
    await first.subscription.close()
    await eventually('the second has all', () => second.owner.readers.size === 8)
    await second.subscription.close()
  })
})
