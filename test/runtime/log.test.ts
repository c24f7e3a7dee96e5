import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../runtime/clock.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import { SqliteLog } from '../../runtime/log/sqlite.ts'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { logContract } from '../contracts/log.ts'

const PARTITIONS = 8

logContract('memory', async () => {
  const log = new MemoryLog(systemClock, PARTITIONS)
  return {
    log,
    trim: (topic, partition, before) => log.trim(topic, partition, before),
    cleanup: () => log.close(),
  }
}, ['reopen'])

// With little in memory, readers also go to the file.
for (const recent_max_bytes of [2 * 1024 * 1024, 64]) {
  logContract(`sqlite, ${recent_max_bytes} bytes in memory`, async () => {
    const data_dir = await mkdtemp(join(tmpdir(), 'tocsin-log-'))
    const open = async () => {
      const engine = new SqliteEngine({ data_dir })
      return {
        engine,
        log: await SqliteLog.open(engine, { clock: systemClock, partitions: PARTITIONS, recent_max_bytes }),
      }
    }
    let opened = await open()
    const close = async () => {
      await opened.log.close()
      await opened.engine.close()
    }
    return {
      log: opened.log,
      trim: (topic, partition, before) => opened.log.trim(topic, partition, before),
      async reopen() {
        await close()
        opened = await open()
        return opened.log
      },
      async cleanup() {
        await close()
        await rm(data_dir, { recursive: true })
      },
    }
  })
}
