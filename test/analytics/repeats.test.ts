import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import type { LogEntry } from '../../runtime/ports.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { type Crash, Crashed, Owner, type Run, Shard } from './driver.ts'
import { alertOf, alertsEntry, NOON_MS, repeatsEntry } from './fixtures.ts'
import { openHistory, rowsOf } from './place.ts'

await describeWith(clickhouse, 'repeats in the history', (address) => {
  let history: History
  let client: ClickHouseClient
  let partition = 0
  beforeAll(async () => ({ history, client } = await openHistory(address)))
  afterAll(() => history.close())

  const fresh = () => ({
    shard: new Shard(),
    run: { topic: 'alerts' as const, client, partition: ++partition },
  })
  /** Alert → statements about it, of both tables. */
  const statements = async () => {
    const query = `
      SELECT fingerprint, sum(repeats) AS sum FROM
        (SELECT fingerprint, repeats FROM alerts WHERE log_partition = ${partition}
         UNION ALL SELECT fingerprint, repeats FROM alert_repeats WHERE log_partition = ${partition})
      GROUP BY fingerprint ORDER BY fingerprint`
    return (await rowsOf<{ sum: number }>(client, query)).map(({ sum }) => sum)
  }

  it('are one row an alert, with what they were counted from', async () => {
    const { shard, run } = fresh()
    const origin = { source: `plant/${'é'.repeat(100)}`, partition: 4_000_000_000 }
    await (await new Owner(shard, run).claim()).read([
      alertsEntry(0, [alertOf(1), alertOf(2)]),
      repeatsEntry(1, [1, 2, 1], { time_ms: NOON_MS + 5 }),
      repeatsEntry(9_000_000_000, [1], { time_ms: NOON_MS + 9 }),
      repeatsEntry(9_000_000_001, [2], { time_ms: NOON_MS + 9, origin, places: [[8_000_000_000, 7]] }),
    ])
    const query = `
      SELECT toUnixTimestamp64Milli(first_at) AS first, toUnixTimestamp64Milli(at) AS last, log_position AS position, fingerprint, repeats,
             origin_source AS source, origin_partition AS part, origin_offset AS offset, origin_ordinal AS ordinal
      FROM alert_repeats WHERE log_partition = ${partition} ORDER BY position, fingerprint`
    const nowhere = { source: '', part: 0, offset: 0, ordinal: 0 }
    const [one, two] = [alertOf(1).fingerprint, alertOf(2).fingerprint]
    const [early, late] = [NOON_MS + 5, NOON_MS + 9]
    expect(await rowsOf(client, query)).toEqual([
      { first: early, last: early, position: 1, fingerprint: two, repeats: 1, ...nowhere },
      { first: early, last: late, position: 9_000_000_000, fingerprint: one, repeats: 3, ...nowhere },
      {
        ...{ first: late, last: late, position: 9_000_000_001, fingerprint: two, repeats: 1 },
        ...{ source: origin.source, part: origin.partition, offset: 8_000_000_000, ordinal: 7 },
      },
    ])
  })

  it('of more alerts than a table begins with are all there', async () => {
    const { shard, run } = fresh()
    const all = Array.from({ length: 5_000 }, (_, n) => n)
    await (await new Owner(shard, run).claim()).read([
      repeatsEntry(0, all),
      repeatsEntry(1, all.slice(2_500)),
    ])
    const counted = await statements()
    expect([counted.length, counted.filter((sum) => sum === 2).length]).toEqual([5_000, 2_500])
  })

  it.each<Crash>(['before-commit', 'after-commit', 'after-insert'])(
    'are counted once when an owner stops %s and another goes on',
    async (crash) => {
      const { shard, run } = fresh()
      const log = [alertsEntry(0, [alertOf(1), alertOf(2)]), repeatsEntry(1, [1, 1, 2]), repeatsEntry(2, [2])]
      const first = await new Owner(shard, run).claim()
      await expect(first.read(log, crash)).rejects.toThrow(Crashed)
      await (await new Owner(shard, run).claim()).read(log)
      expect(await statements()).toEqual([3, 3])
    },
  )

  it('that a source says again are skipped, in whatever form they came before', async () => {
    const { shard, run } = fresh()
    const origin = { source: 'plant/alerts', partition: 0 }
    const at = (offset: number): [number, number] => [offset, 0]
    await (await new Owner(shard, run).claim()).read([
      alertsEntry(0, [alertOf(1), alertOf(2)], { origin, places: [at(1), at(2)] }),
      repeatsEntry(1, [1, 2], { origin, places: [at(2), at(3)] }),
      alertsEntry(2, [alertOf(2), alertOf(1)], { origin, places: [at(3), at(4)] }),
    ])
    expect(await statements()).toEqual([2, 2])
  })

  it('are not counted again when the stored state was lost', async () => {
    const { shard, run } = fresh()
    const log = [alertsEntry(0, [alertOf(1)]), repeatsEntry(1, [1, 1])]
    await (await new Owner(shard, run).claim()).read(log)
    shard.lose()
    log.push(repeatsEntry(2, [1]))
    await (await new Owner(shard, run).claim()).read(log)
    expect(await statements()).toEqual([4])
  })

  describe('of which the alerts were inserted and the repeats not, when the stored state was lost,', () => {
    /** Its owner stops when it inserts repeats. */
    const stoppedHalfway = async (shard: Shard, run: Run, log: readonly LogEntry[]) => {
      const stopping = new AbortController()
      const half = new Proxy(client, {
        get(target, name, receiver) {
          if (name !== 'exec') return Reflect.get(target, name, receiver) as unknown
          return async (...given: Parameters<ClickHouseClient['exec']>) => {
            if (!given[0].query.includes('INTO alert_repeats')) return target.exec(...given)
            stopping.abort()
            throw new Error('socket hang up')
          }
        },
      })
      await (await new Owner(shard, { ...run, client: half, signal: stopping.signal }).claim()).read(log)
      expect(stopping.signal.aborted).toBe(true)
      shard.lose()
    }
    const origin = { source: 'plant/alerts', partition: 0 }
    const placed = (...offsets: number[]) => ({
      origin,
      places: offsets.map((offset): [number, number] => [offset, 0]),
    })

    it('are counted all the same, and no alert twice', async () => {
      const { shard, run } = fresh()
      const log = [
        alertsEntry(0, [alertOf(1), alertOf(2)], placed(1, 2)),
        repeatsEntry(1, [1, 1, 2], placed(3, 4, 5)),
        alertsEntry(2, [alertOf(2), alertOf(3)], placed(5, 6)),
        repeatsEntry(3, [2], placed(7)),
      ]
      await stoppedHalfway(shard, run, log)
      log.push(repeatsEntry(4, [1, 3], placed(7, 8)), alertsEntry(5, [alertOf(3)], placed(9)))
      await (await new Owner(shard, run).claim()).read(log)
      expect(await statements()).toEqual([3, 3, 3])
    })

    it.each<Crash>(['before-commit', 'after-commit', 'after-insert'])(
      'are counted once when the next owner stops %s on its way',
      async (crash) => {
        const { shard, run } = fresh()
        const log = [
          alertsEntry(0, [alertOf(1), alertOf(2)]),
          repeatsEntry(1, [1, 1]),
          alertsEntry(2, [alertOf(3)]),
          repeatsEntry(3, [2]),
          alertsEntry(4, [alertOf(4)]),
        ]
        await stoppedHalfway(shard, run, log)
        // Each entry with rows is a batch, so that the stop comes before the last one whose alerts are there.
        const slow = { ...run, flush_rows: 0.01, entries_max: 1 }
        await expect((await new Owner(shard, slow).claim()).read(log, crash)).rejects.toThrow(Crashed)
        log.push(alertsEntry(5, [alertOf(4)]), repeatsEntry(6, [3]))
        await (await new Owner(shard, slow).claim()).read(log)
        expect(await statements()).toEqual([3, 2, 2, 2])
      },
    )
  })
})
