import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { alertmanagerIngest } from '../../ingest/http/alertmanager.ts'
import { Intake } from '../../ingest/intake.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { systemClock } from '../../runtime/clock.ts'
import { SqliteLog } from '../../runtime/log/sqlite.ts'
import type { LogEntry } from '../../runtime/ports.ts'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { decodeRecord } from '../../schemas/codec.ts'
import { DEFAULTS, RESOLVE_TIMEOUT_MS } from './settings.ts'

const ALERTS = 3_000
const SENDERS = 6

let data_dir: string
beforeEach(() => {
  data_dir = mkdtempSync(join(tmpdir(), 'tocsin-intake-'))
})
afterEach(() => rmSync(data_dir, { recursive: true, force: true }))

async function openLog() {
  const engine = new SqliteEngine({ data_dir })
  const log = await SqliteLog.open(engine, { clock: systemClock, partitions: 4 })
  return { log, close: () => log.close().then(() => engine.close()) }
}

/** Names of the alerts in the log, by the entries that the log has at this time. */
async function storedNames(): Promise<readonly string[]> {
  const { log, close } = await openLog()
  const bounds = await log.bounds('alerts')
  const names: string[] = []
  const note = (entries: readonly LogEntry[]) => {
    for (const record of entries.map(({ value }) => decodeRecord(value)))
      if (record.kind === 'alerts') names.push(...record.alerts.map(({ labels }) => labels['n'] ?? ''))
  }
  const wanted = bounds.map(({ next }) => next)
  await new Promise<void>((resolve, reject) => {
    const left = new Set(wanted.flatMap((next, partition) => (next > 0 ? [partition] : [])))
    const onEntries = (partition: number, entries: readonly LogEntry[]) => {
      note(entries)
      if ((entries.at(-1)?.position ?? 0) + 1 >= (wanted[partition] ?? 0)) left.delete(partition)
      if (left.size === 0) resolve()
    }
    log
      .tail(
        'alerts',
        wanted.map(() => 0),
        onEntries,
      )
      .catch(reject)
  })
  await close()
  return names
}

describe('over the log of the embedded mode', () => {
  it('every alert that was answered 200 is in the file once, whoever sent it at the same time', async () => {
    const { log, close } = await openLog()
    const intake = new Intake({
      log,
      config: DEFAULTS,
      observer: { accepted: () => {}, rejected: () => {} },
      tracing: noTraces,
    })
    const app = Fastify()
    await app.register(
      alertmanagerIngest({ intake, clock: systemClock, resolve_timeout_ms: RESOLVE_TIMEOUT_MS }),
    )
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const all = Array.from({ length: ALERTS }, (_, n) => ({
      labels: { n: String(n), site: `site-${n % 7}` },
    }))
    const post = (sender: number) => {
      const body = JSON.stringify(all.filter((_alert, n) => n % SENDERS === sender))
      return fetch(`http://127.0.0.1:${port}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    }
    const answers = await Promise.all(Array.from({ length: SENDERS }, (_, sender) => post(sender)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    await app.close()
    await close()
    const names = await storedNames()
    expect(names.toSorted()).toEqual(all.map(({ labels }) => labels.n).toSorted())
  })
})
