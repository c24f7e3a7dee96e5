import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ClickHouseClient, createClient } from '@clickhouse/client'

const TABLES = ['alerts', 'alert_repeats', 'incident_changes', 'incidents', 'memberships', 'dead_letters']
const STATEMENTS = 'SELECT sum(statements) AS number FROM alert_statements'
const LOOK_EVERY_MS = 100
const STUCK_AFTER_MS = 600_000

/** What an embedded tocsin has written to its history, asked as a user who only reads. */
export class History {
  private readonly client: ClickHouseClient

  private constructor(client: ClickHouseClient) {
    this.client = client
  }

  /** Throws ENOENT when ClickHouse was never up. */
  static of(data_dir: string): History {
    const access = JSON.parse(readFileSync(join(data_dir, 'history.json'), 'utf8')) as {
      readonly url: string
      readonly database: string
      readonly username: string
      readonly password: string
    }
    return new History(createClient(access))
  }

  /** Resolves when the rows stand for so many statements of alerts. */
  async recorded(alerts: number): Promise<void> {
    const deadline = performance.now() + STUCK_AFTER_MS
    for (;;) {
      const found = await this.number(STATEMENTS)
      if (found >= alerts) return
      if (performance.now() > deadline) throw new Error(`the history has ${found} of ${alerts} alerts`)
      await pause(LOOK_EVERY_MS)
    }
  }

  /** Of all tables. */
  rows(): Promise<number> {
    const counts = TABLES.map((table) => `(SELECT count() FROM ${table})`)
    return this.number(`SELECT ${counts.join(' + ')} AS number`)
  }

  close(): Promise<void> {
    return this.client.close()
  }

  private async number(query: string): Promise<number> {
    const answer = await this.client.query({ query, format: 'JSONEachRow' })
    const [row] = await answer.json<{ readonly number: string }>()
    return Number(row?.number)
  }
}
