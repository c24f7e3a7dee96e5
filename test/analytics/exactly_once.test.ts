import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { Fenced } from '../../runtime/errors.ts'
import type { Step } from '../../runtime/fold.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Clock, LogEntry } from '../../runtime/ports.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { type Crash, Crashed, Owner, type Run, Shard } from './driver.ts'
import {
  alertOf,
  alertsEntries,
  alertsEntry,
  changeEntry,
  changeOf,
  incidentOf,
  memberOf,
  NOON_MS,
} from './fixtures.ts'
import { openHistory, rowsOf } from './place.ts'

await describeWith(clickhouse, 'the record fold', (address) => {
  let history: History
  let client: ClickHouseClient
  let partition = 0
  beforeAll(async () => ({ history, client } = await openHistory(address)))
  afterAll(() => history.close())

  /** A shard that no other test writes. */
  const fresh = (more: Partial<Run> = {}): { shard: Shard; run: Run } => {
    partition++
    return { shard: new Shard(), run: { topic: 'alerts', partition, client, ...more } }
  }
  const recorded = (table = 'alerts') =>
    rowsOf<{ position: number; ordinal: number }>(
      client,
      `SELECT log_position AS position, ${table === 'alerts' ? 'ordinal' : '0 AS ordinal'} FROM ${table} WHERE log_partition = ${partition} ORDER BY position, ordinal`,
    )
  const expected = (log: readonly LogEntry[], each: number) =>
    log.flatMap(({ position }) => Array.from({ length: each }, (_, ordinal) => ({ position, ordinal })))

  const CRASHES: readonly Crash[] = ['before-commit', 'after-commit', 'after-insert']
  describe.each(CRASHES)('stopped %s', (crash) => {
    it.each([1, 2])('at flush %i, writes every row once', async (nth) => {
      const { shard, run } = fresh()
      const log = alertsEntries(20, 3)
      await expect((await new Owner(shard, run).claim()).read(log, crash, nth)).rejects.toBeInstanceOf(
        Crashed,
      )
      await (await new Owner(shard, run).claim()).read(log)
      expect(await recorded()).toEqual(expected(log, 3))
      expect(shard.position).toBe(20)
    })

    it('and started with other batch sizes and more in the log, writes every row once', async () => {
      const { shard, run } = fresh()
      await expect(
        (await new Owner(shard, run).claim()).read(alertsEntries(9, 3), crash, 2),
      ).rejects.toBeInstanceOf(Crashed)
      const log = alertsEntries(40, 3)
      const other = await new Owner(shard, { ...run, flush_rows: 33, entries_max: 7 }).claim()
      await other.read(log)
      expect(await recorded()).toEqual(expected(log, 3))
    })
  })

  it('writes a batch once when the answer to its insert is lost', async () => {
    let lost = 0
    const deaf = new Proxy(client, {
      get(target, name, receiver) {
        if (name !== 'exec') return Reflect.get(target, name, receiver) as unknown
        return async (...given: Parameters<ClickHouseClient['exec']>) => {
          const answer = await target.exec(...given)
          for await (const _ of answer.stream) continue
          if (lost++ === 0) throw new Error('socket hang up')
          return target.exec({ query: 'SELECT 1 FORMAT Null' })
        }
      },
    })
    const alarms: string[] = []
    const { shard, run } = fresh({
      client: deaf,
      observer: { retrying: (_, error) => alarms.push(error.code) },
    })
    const log = alertsEntries(5, 3)
    await (await new Owner(shard, run).claim()).read(log)
    expect(alarms).toEqual(['history-unavailable'])
    expect(await recorded()).toEqual(expected(log, 3))
  })

  it('writes once what two owners insert, and refuses the commit of the old one', async () => {
    const { shard, run } = fresh()
    const log = alertsEntries(12, 3)
    const old = await new Owner(shard, run).claim()
    const step = old.fold.fold(log.slice(0, 4)) as Step
    await expect(old.carryOut(step, 'after-commit')).rejects.toBeInstanceOf(Crashed)
    const heir = await new Owner(shard, run).claim()
    await Promise.all([heir.read(log), step.after?.(new AbortController().signal)])
    await expect(old.read(log)).rejects.toBeInstanceOf(Fenced)
    expect(await recorded()).toEqual(expected(log, 3))
  })

  it('keeps an insert within one month, and is exact across its end', async () => {
    const { shard, run } = fresh({ flush_rows: 1_000 })
    const log = alertsEntries(10, 2, 0, Date.UTC(2026, 1, 1) - 5)
    await expect((await new Owner(shard, run).claim()).read(log, 'after-insert')).rejects.toBeInstanceOf(
      Crashed,
    )
    await (await new Owner(shard, run).claim()).read(log)
    expect(await recorded()).toEqual(expected(log, 2))
    const months = `SELECT toYYYYMM(at) AS month, count() AS rows FROM alerts WHERE log_partition = ${partition} GROUP BY month ORDER BY month`
    expect(await rowsOf(client, months)).toEqual([
      { month: 202601, rows: 10 },
      { month: 202602, rows: 10 },
    ])
  })

  it('never splits an insert, however big a batch gets', async () => {
    const own = await openHistory(address)
    const owner = await new Owner(new Shard(), {
      topic: 'alerts',
      client: own.client,
      flush_rows: 20_000,
      entries_max: 32,
    }).claim()
    await owner.read(alertsEntries(32, 1_000))
    const parts = `SELECT sum(rows) AS rows, uniqExact(min_block_number, max_block_number) + max(max_block_number - min_block_number) AS blocks FROM system.parts WHERE database = '${own.database}' AND table = 'alerts' AND active`
    expect(await rowsOf(client, parts)).toEqual([{ rows: 32_000, blocks: 1 }])
    await own.history.close()
  })

  it('goes on after the last row when its state was lost, and still knows the places it has had', async () => {
    const origin = { source: 'plant/alerts', partition: 3 }
    const batch = (position: number, offsets: number[]) =>
      alertsEntry(
        position,
        offsets.map((n) => alertOf(n)),
        { origin, places: offsets.map((n) => [n, 0]) },
      )
    const { shard, run } = fresh()
    const log = [batch(0, [1, 2, 3]), batch(1, [4, 5])]
    await (await new Owner(shard, run).claim()).read(log)
    shard.lose()
    log.push(batch(2, [4, 5, 6]), batch(3, [7]))
    await (await new Owner(shard, run).claim()).read(log.slice(0, 3))
    await (await new Owner(shard, run).claim()).read(log)
    const offsets = await rowsOf(
      client,
      `SELECT origin_offset AS n FROM alerts WHERE log_partition = ${partition} ORDER BY log_position, ordinal`,
    )
    expect(offsets).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => ({ n })))
  })

  it('writes every row once when the store lost plans whose rows are there', async () => {
    const log = alertsEntries(9, 5)
    const copyOf = (incarnation: string, end: number) => ({ incarnation, logEnd: async () => end })
    const { shard, run } = fresh({ copy: copyOf('one', 0) })
    const first = await new Owner(shard, run).claim()
    await first.read(log.slice(0, 2))
    const lagging = shard.copy()
    await first.read(log.slice(0, 5))
    // The next plan begins where the copy stands, and would be cut in another way.
    const second = { ...run, copy: copyOf('two', 5) }
    await (await new Owner(lagging, second).claim()).read(log.slice(0, 7))
    await (await new Owner(lagging, second).claim()).read(log)
    expect(await recorded()).toEqual(expected(log, 5))
  })

  const HOUR_MS = 3_600_000

  it('waits for nothing where nothing was ever recorded, though the log is not new', async () => {
    const log = alertsEntries(9, 3)
    const { shard, run } = fresh({
      copy: { incarnation: 'one', logEnd: async () => 9 },
      settle_ms: HOUR_MS,
    })
    await (await new Owner(shard, run).claim()).read(log)
    expect(await recorded()).toEqual(expected(log, 3))
  })

  it('writes every row once when the store lost its very first plan, whose insert comes late', async () => {
    const log = alertsEntries(9, 3)
    const { shard, run } = fresh({ copy: { incarnation: 'one', logEnd: async () => 0 } })
    const first = await new Owner(shard, run).claim()
    await first.carryOut(first.fold.fold(log.slice(0, 1)) as Step)
    const plan = first.fold.fold(log.slice(1, 5)) as Step
    await expect(first.carryOut(plan, 'after-commit')).rejects.toBeInstanceOf(Crashed)
    shard.lose()
    // What the first owner had sent arrives while the heir waits; if it does not wait, when it is done.
    let arrived = false
    const arrives = async () => {
      if (!arrived) await plan.after?.(new AbortController().signal)
      arrived = true
    }
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) => (ms > HOUR_MS / 2 ? arrives() : systemClock.sleep(ms, signal)),
    }
    const copy = { incarnation: 'two', logEnd: async () => 9 }
    await (await new Owner(shard, { ...run, copy, clock, settle_ms: HOUR_MS }).claim()).read(log)
    await arrives()
    expect(await recorded()).toEqual(expected(log, 3))
  })

  it('does not wait from the beginning again when the shard changes hands meanwhile', async () => {
    const log = alertsEntries(9, 3)
    const { shard, run } = fresh({ copy: { incarnation: 'one', logEnd: async () => 0 } })
    await (await new Owner(shard, run).claim()).read(log.slice(0, 5))
    const copy = { incarnation: 'two', logEnd: async () => 9 }
    const patient = { ...run, copy, settle_ms: HOUR_MS }
    const left = new AbortController()
    const waiting = (await new Owner(shard, { ...patient, signal: left.signal }).claim()).read(log)
    left.abort()
    await waiting
    const clock: Clock = { ...systemClock, now: () => Date.now() + HOUR_MS }
    await (await new Owner(shard, { ...patient, clock }).claim()).read(log)
    expect(await recorded()).toEqual(expected(log, 3))
  })

  it('knows all places it has had when the store lost plans, those of long ago too', async () => {
    const origin = { source: 'plant/alerts', partition: 1 }
    const batch = (position: number, offsets: number[], time_ms = NOON_MS) =>
      alertsEntry(
        position,
        offsets.map((n) => alertOf(n)),
        { time_ms, origin, places: offsets.map((n) => [n, 0]) },
      )
    const log = [batch(0, [1, 2, 3], NOON_MS - 86_400_000), batch(1, [4, 5])]
    const copyOf = (incarnation: string, end: number) => ({ incarnation, logEnd: async () => end })
    const { shard, run } = fresh({ copy: copyOf('one', 0) })
    const first = await new Owner(shard, run).claim()
    await first.read(log.slice(0, 1))
    const lagging = shard.copy()
    await first.read(log)
    log.push(batch(2, [3, 5, 6]))
    await (await new Owner(lagging, { ...run, copy: copyOf('two', 2) }).claim()).read(log)
    const offsets = await rowsOf(
      client,
      `SELECT origin_offset AS n FROM alerts WHERE log_partition = ${partition} ORDER BY log_position, ordinal`,
    )
    expect(offsets).toEqual([1, 2, 3, 4, 5, 6].map((n) => ({ n })))
  })

  it('writes a batch of a source once when it was appended twice, cut in another way', async () => {
    const origin = { source: 'plant/alerts', partition: 0 }
    const batch = (position: number, places: [number, number][]) =>
      alertsEntry(
        position,
        places.map(([n, m]) => alertOf(n * 10 + m)),
        { origin, places },
      )
    const { shard, run } = fresh({ flush_rows: 2 })
    const log = [
      batch(0, [
        [7, 0],
        [7, 1],
      ]),
      batch(1, [
        [7, 1],
        [7, 2],
        [8, 0],
      ]),
      batch(2, [
        [7, 0],
        [8, 0],
      ]),
    ]
    await (await new Owner(shard, run).claim()).read(log.slice(0, 2), undefined)
    await (await new Owner(shard, run).claim()).read(log)
    const places = await rowsOf(
      client,
      `SELECT origin_offset AS n, origin_ordinal AS m FROM alerts WHERE log_partition = ${partition} ORDER BY n, m`,
    )
    expect(places).toEqual([
      { n: 7, m: 0 },
      { n: 7, m: 1 },
      { n: 7, m: 2 },
      { n: 8, m: 0 },
    ])
  })

  it('commits nothing after an insert that was given up', async () => {
    const abort = new AbortController()
    const down = new Promise<ClickHouseClient>(() => {})
    const { shard, run } = fresh({ client: down, signal: abort.signal })
    shard.position = 0
    const log = alertsEntries(20, 3)
    const reading = (await new Owner(shard, run).claim()).read(log)
    setImmediate(() => abort.abort())
    await reading
    expect(shard.position).toBe(0)
    await (await new Owner(shard, { topic: 'alerts', partition, client }).claim()).read(log)
    expect(await recorded()).toEqual(expected(log, 3))
  })

  it('tells of entries that are none and goes on', async () => {
    const told: number[] = []
    const { shard, run } = fresh({ observer: { undecodable: (_, position) => told.push(position) } })
    const broken = { position: 1, time_ms: NOON_MS, value: Buffer.from('{"kind":'), headers: {} }
    await (await new Owner(shard, run).claim()).read([
      ...alertsEntries(1, 1),
      broken,
      ...alertsEntries(1, 1, 2),
    ])
    expect(told).toEqual([1])
    expect(await recorded()).toEqual([
      { position: 0, ordinal: 0 },
      { position: 2, ordinal: 0 },
    ])
  })

  describe('of incidents', () => {
    const ended = memberOf(1, { firing: false, ended_at_ms: NOON_MS + 5_000 })
    const lifecycle = (id: string) => [
      changeOf(incidentOf(id), { memberships: { joined: [memberOf(1), memberOf(2)], ended: [] } }),
      changeOf(
        incidentOf(id, {
          revision: 2,
          updated_at_ms: NOON_MS + 1_000,
          state: 'acknowledged',
          acknowledged_at_ms: NOON_MS + 1_000,
        }),
        { kind: 'acknowledged', actor: 'ann' },
      ),
      changeOf(
        incidentOf(id, {
          revision: 3,
          updated_at_ms: NOON_MS + 5_000,
          state: 'resolved',
          acknowledged_at_ms: NOON_MS + 1_000,
          resolved_at_ms: NOON_MS + 5_000,
        }),
        { kind: 'resolved', memberships: { joined: [], ended: [ended] } },
      ),
    ]

    it.each(CRASHES)('writes each change once when stopped %s and published again', async (crash) => {
      const { shard, run } = fresh({ topic: 'incidents', flush_rows: 4 })
      const id = `inc_${partition}`
      const published = [...lifecycle(id), ...lifecycle(id)]
      const log = published.map((change, position) => changeEntry(position, change))
      await expect((await new Owner(shard, run).claim()).read(log, crash)).rejects.toBeInstanceOf(Crashed)
      await (await new Owner(shard, run).claim()).read(log)
      const changes = `SELECT revision, kind, actor, JSONExtractString(change, 'incident', 'state') AS state FROM incident_changes WHERE incident_id = '${id}' ORDER BY revision`
      expect(await rowsOf(client, changes)).toEqual([
        { revision: 1, kind: 'opened', actor: 'system', state: 'open' },
        { revision: 2, kind: 'acknowledged', actor: 'ann', state: 'acknowledged' },
        { revision: 3, kind: 'resolved', actor: 'system', state: 'resolved' },
      ])
      const current = `SELECT revision, state, toUnixTimestamp64Milli(acknowledged_at) AS acknowledged_ms, mitigated_at FROM incidents FINAL WHERE id = '${id}'`
      expect(await rowsOf(client, current)).toEqual([
        { revision: 3, state: 'resolved', acknowledged_ms: NOON_MS + 1_000, mitigated_at: null },
      ])
      const members = `SELECT right(fingerprint, 1) AS n, toUnixTimestamp64Milli(ended_at) AS ended_ms, reason_rule FROM memberships FINAL WHERE incident_id = '${id}' ORDER BY n`
      expect(await rowsOf(client, members)).toEqual([
        { n: '1', ended_ms: NOON_MS + 5_000, reason_rule: 'by-alertname' },
        { n: '2', ended_ms: null, reason_rule: 'by-alertname' },
      ])
    })

    it('knows the revisions it has had after its state was lost', async () => {
      const { shard, run } = fresh({ topic: 'incidents' })
      const id = `inc_${partition}`
      const log = lifecycle(id)
        .slice(0, 2)
        .map((change, position) => changeEntry(position, change))
      await (await new Owner(shard, run).claim()).read(log)
      shard.lose()
      log.push(...lifecycle(id).map((change, i) => changeEntry(2 + i, change)))
      await (await new Owner(shard, run).claim()).read(log)
      expect(await recorded('incident_changes')).toEqual(
        [0, 1, 4].map((position) => ({ position, ordinal: 0 })),
      )
    })
  })

  it('writes dead letters once', async () => {
    const { shard, run } = fresh({ topic: 'deadletters' })
    const letter = {
      id: 'd1',
      at_ms: NOON_MS,
      source: 'kafka',
      origin: 'kafka:plant/3@7#1',
      code: 'json-syntax',
      reason: 'no',
      payload: '{"\u0000',
      truncated: false,
    }
    const log = [{ position: 0, time_ms: NOON_MS, value: Buffer.from(JSON.stringify(letter)), headers: {} }]
    await expect((await new Owner(shard, run).claim()).read(log, 'after-insert')).rejects.toBeInstanceOf(
      Crashed,
    )
    await (await new Owner(shard, run).claim()).read(log)
    expect(
      await rowsOf(
        client,
        `SELECT id, code, payload, truncated FROM dead_letters WHERE log_partition = ${partition}`,
      ),
    ).toEqual([{ id: 'd1', code: 'json-syntax', payload: '{"\u0000', truncated: false }])
  })
})
