import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ClickHouseAddress, type Controls, describeWith, startClickHouse } from '../services/index.ts'
import { Crashed, Owner, Shard } from './driver.ts'
import { alertsEntries } from './fixtures.ts'
import { openHistory, rowsOf } from './place.ts'

/** Rows that differ only in nothing: doubled; and how many there are. */
const COUNTS =
  'SELECT count() AS rows, uniqExact(log_position, ordinal) AS different FROM alerts WHERE log_partition = 0'

await describeWith(
  startClickHouse,
  'the record fold, while ClickHouse goes down',
  (service: ClickHouseAddress & Controls) => {
    let opened: Awaited<ReturnType<typeof openHistory>>
    beforeAll(async () => {
      opened = await openHistory(service)
    })
    afterAll(async () => {
      await opened.history.close()
      await service.stop()
    })

    it('waits with its position, raises an alarm, and writes every row once', async () => {
      const { client } = opened
      const log = alertsEntries(400, 50)
      const shard = new Shard()
      const { promise: alarmed, resolve: alarm } = Promise.withResolvers<void>()
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
      const observer = { retrying: () => alarm(), inserted: () => begin() }
      const reading = (
        await new Owner(shard, { topic: 'alerts', client, flush_rows: 400, observer }).claim()
      ).read(log)
      await begun
      await service.kill9()
      await alarmed
      const [before, after] = [
        shard.position,
        await new Promise<number | null>((done) => setTimeout(() => done(shard.position), 500)),
      ]
      expect(after).toBe(before)
      expect(after).toBeLessThan(400)
      await service.restart()
      await reading
      expect(await rowsOf(client, COUNTS)).toEqual([{ rows: 20_000, different: 20_000 }])
      expect(shard.position).toBe(400)
    })

    it('does not double a batch that an heir finds after a restart of ClickHouse and many other inserts', async () => {
      const { client } = opened
      const log = alertsEntries(5, 2, 1_000)
      const shard = new Shard()
      shard.position = 1_000
      await expect(
        (await new Owner(shard, { topic: 'alerts', client }).claim()).read(log, 'after-insert'),
      ).rejects.toBeInstanceOf(Crashed)
      // As if thousands of other inserts had pushed its token out of the window.
      await client.command({
        query: 'ALTER TABLE alerts MODIFY SETTING non_replicated_deduplication_window = 0',
      })
      await service.kill9()
      await service.restart()
      await (await new Owner(shard, { topic: 'alerts', client }).claim()).read(log)
      expect(await rowsOf(client, `${COUNTS} AND log_position >= 1000`)).toEqual([
        { rows: 10, different: 10 },
      ])
    })
  },
)
