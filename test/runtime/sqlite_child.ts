/**
 * Appends and commits without end and says on stdout what was acknowledged, a line of JSON each; for tests that kill it.
 * Arguments: data_dir, name of the run.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../runtime/clock.ts'
import { SqliteLog } from '../../runtime/log/sqlite.ts'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { SqliteStore } from '../../runtime/store/sqlite.ts'

export interface Acknowledged {
  readonly partition: number
  readonly position: number
  readonly text: string
}

const [data_dir = '', run = ''] = process.argv.slice(2)
const engine = new SqliteEngine({ data_dir })
const log = await SqliteLog.open(engine, { clock: systemClock, partitions: 4 })
const store = await SqliteStore.open(engine)

async function work(partition: number, worker: number): Promise<void> {
  const shard = `work/${partition}/${worker}`
  let { version } = await store.claim(shard, run)
  for (let n = 0; ; n += 1) {
    const text = `${run} ${worker} ${n}`
    const value = Buffer.from(text.padEnd(2_000))
    const [position = -1] = await log.append([{ topic: 'alerts', partition, value }])
    const put = new Map([['last', Buffer.from(String(position))]])
    version = await store.commit(shard, {
      token: run,
      version,
      position: position + 1,
      put,
      delete: new Set(),
    })
    writeSync(1, `${JSON.stringify({ partition, position, text } satisfies Acknowledged)}\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, (_, worker) => work(worker % 4, worker)))
