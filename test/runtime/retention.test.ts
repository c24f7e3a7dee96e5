import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { SqliteLog } from '../../runtime/log/sqlite.ts'
import { Retention } from '../../runtime/retention.ts'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { SqliteStore } from '../../runtime/store/sqlite.ts'

const HOUR_MS = 3_600_000

describe('the retention of the embedded log', () => {
  it('forgets what is old and read by every fold, and nothing else', async () => {
    let now_ms = Date.UTC(2026, 0, 1)
    const clock = { ...systemClock, now: () => now_ms }
    const engine = new SqliteEngine({ data_dir: mkdtempSync(join(tmpdir(), 'tocsin-retention-')) })
    const log = await SqliteLog.open(engine, { clock, partitions: 1 })
    const store = await SqliteStore.open(engine)
    for (let hour = 0; hour < 5; hour++) {
      await log.append([{ topic: 'alerts', partition: 0, value: Buffer.from(`hour ${hour}`) }])
      now_ms += HOUR_MS
    }
    const at = async (fold: string, position: number, version: number, token: string) => {
      const shard = `${fold}/alerts/0`
      if (version === 0) await store.claim(shard, token)
      await store.commit(shard, { token, version, position, put: new Map(), delete: new Set() })
    }
    const retention = new Retention({
      log,
      store,
      clock,
      logger: pino({ level: 'silent' }),
      folds: { alerts: ['correlate', 'record'] },
    })
    const first = async () => (await log.bounds('alerts'))[0]?.first

    await at('correlate', 5, 0, 'a')
    await retention.trimAll()
    expect(await first()).toBe(0)

    await at('record', 2, 0, 'b')
    await retention.trimAll()
    expect(await first()).toBe(2)

    await at('record', 5, 1, 'b')
    await retention.trimAll()
    // The newest entry is one hour old, which is not yet old enough.
    expect(await first()).toBe(4)
    expect(await log.append([{ topic: 'alerts', partition: 0, value: Buffer.from('next') }])).toEqual([5])
    await retention.stop()
    await log.close()
    await engine.close()
  })
})
