import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import type { Alert } from '../../schemas/alert.ts'
import { alertOf, NOON_MS } from '../analytics/fixtures.ts'
import { openHistory } from '../analytics/place.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { tocsin } from './run.ts'

const MINUTE_MS = 60_000
const RESOLVE_TIMEOUT_MS = 5 * MINUTE_MS

await describeWith(clickhouse, 'tocsin replay --from', (server) => {
  let history: History
  let folder: string
  let config: string

  beforeAll(async () => {
    const opened = await openHistory(server)
    history = opened.history
    folder = mkdtempSync(join(tmpdir(), 'tocsin-replay-'))
    config = join(folder, 'tocsin.yaml')
    const { url, username } = server
    writeFileSync(
      config,
      JSON.stringify({
        mode: 'distributed',
        kafka: { brokers: ['127.0.0.1:1'] },
        redis: { url: 'redis://127.0.0.1:1' },
        clickhouse: { url, username, password: { env: 'CLICKHOUSE_PASSWORD' }, database: opened.database },
      }),
    )
    const row = (position: number, at_ms: number, alert: Alert) => {
      const { starts_at_ms, ends_at_ms, ...same } = alert
      return {
        ...same,
        at: text(at_ms),
        log_position: position,
        starts_at: text(starts_at_ms),
        ends_at: ends_at_ms === null ? null : text(ends_at_ms),
      }
    }
    const values = [
      row(0, NOON_MS - 1, alertOf(9)),
      row(1, NOON_MS, alertOf(1)),
      row(2, NOON_MS, alertOf(2)),
      row(5, NOON_MS + 3 * RESOLVE_TIMEOUT_MS, alertOf(3)),
    ]
    await opened.client.insert({ table: 'alerts', format: 'JSONEachRow', values })
    const repeats = [1, 2, 3].flatMap((n) => [
      {
        at: text(NOON_MS + n * 4 * MINUTE_MS),
        log_position: 2 + n,
        fingerprint_bytes: bytesOf(1),
        repeats: 3,
      },
      { at: text(NOON_MS + n), log_position: 2 + n, fingerprint_bytes: bytesOf(9), repeats: 1 },
    ])
    await opened.client.insert({ table: 'alert_repeats', format: 'JSONEachRow', values: repeats })
  })
  afterAll(async () => {
    await history?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const replay = (from_ms: number, to_ms: number) =>
    tocsin(
      ['replay', '--config', config, '--out', folder, '--from', instant(from_ms), '--to', instant(to_ms)],
      { CLICKHOUSE_PASSWORD: server.password },
    )
  const members = () =>
    readFileSync(join(folder, 'incidents.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => (JSON.parse(line) as { members: { entity: string; firing: boolean }[] }).members)
      .map(({ entity, firing }) => `${entity} ${firing ? 'fires' : 'ended'}`)

  it('folds a period of the history, in which repeats keep alerts firing', async () => {
    const { status, stderr } = await replay(NOON_MS, NOON_MS + 60 * MINUTE_MS)
    expect([status, stderr]).toEqual([0, ''])
    expect(members().sort()).toEqual(['host-1 fires', 'host-2 ended', 'host-3 fires'])
    const lines = readFileSync(join(folder, 'assignments.jsonl'), 'utf8').trim().split('\n')
    expect(lines).toHaveLength(3)
  })

  it('says what is wrong with the period, and when the history cannot be read', async () => {
    const wrong = await tocsin(['replay', '--out', folder, '--from', 'yesterday'])
    expect(wrong.stderr).toContain('--from "yesterday"')
    expect(wrong.status).not.toBe(0)
    const both = await tocsin(['replay', '--out', folder, '--from', '2026-01-01', '--alerts', 'x'])
    expect(both.stderr).toContain('expected either --alerts FILE')
    const refused = await tocsin(['replay', '--config', config, '--out', folder, '--from', '2026-01-01'], {
      CLICKHOUSE_PASSWORD: 'wrong',
    })
    expect(refused.stderr).toContain('the history cannot be read')
  })
})

const bytesOf = (n: number): string => Buffer.from(n.toString(16).padStart(32, '0'), 'hex').toString('latin1')
const instant = (ms: number): string => new Date(ms).toISOString()
const text = (ms: number): string => instant(ms).replace('T', ' ').replace('Z', '')
