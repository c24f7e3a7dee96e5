import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { alarmsPage } from '../../analytics/report/alarms.ts'
import { dispatchPage } from '../../analytics/report/dispatch.ts'
import { monthly } from '../../analytics/report/monthly.ts'
import { monthlyCsv } from '../../analytics/report/monthly_csv.ts'
import { monthlyPage } from '../../analytics/report/monthly_page.ts'
import { monthPeriods, ReportSource } from '../../analytics/report/source.ts'
import { TruthWriter } from '../../bench/analytics/rows_of_truth.ts'
import { trueIncidents } from '../../bench/analytics/truth.ts'
import { openHistory } from '../analytics/place.ts'
import { clickhouse, describeWith } from '../services/index.ts'

const TO_MS = Date.UTC(2026, 10, 1)
const SHAPE = {
  incidents: 400,
  from_ms: TO_MS - 62 * 86_400_000,
  to_ms: TO_MS,
  seed: 5,
  change: { service: 'service-0', at_ms: TO_MS, factor: 1 },
}
const PLAIN = { business_hours: null, target_ms: null, filters: {} } as const
const STYLED = ['prefers-color-scheme: dark', '@media print', 'break-inside: avoid']
const missing = (page: string, wanted: readonly string[]) => wanted.filter((text) => !page.includes(text))
const MARKUP = '<img src=x onerror=alert(1)>"'

await describeWith(clickhouse, 'tocsin report', (address) => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-report-'))
  let history: History
  const truth = [...trueIncidents(SHAPE)].map((one) => ({
    ...one,
    team: MARKUP,
    service: one.service === 'service-0' ? `${MARKUP}&` : one.service,
  }))
  beforeAll(async () => {
    const opened = await openHistory(address)
    history = opened.history
    const writer = new TruthWriter(opened.client)
    for (const one of truth) await writer.add(one)
    await writer.close()
    const { url, username, password } = address
    // A running tocsin leaves this file for readers on its machine.
    writeFileSync(
      join(folder, 'history.json'),
      JSON.stringify({ url, username, password, database: opened.database }),
    )
  })
  afterAll(async () => {
    await history.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function tocsin(...args: string[]) {
    const main = join(import.meta.dirname, '../../cli/main.ts')
    const env = { PATH: '/usr/bin:/bin', TOCSIN_DATA_DIR: folder }
    return spawnSync(process.execPath, [main, 'report', ...args], { encoding: 'utf8', env })
  }

  function written(...args: string[]): string {
    const out = join(folder, 'out')
    expect(tocsin(...args, '--out', out)).toMatchObject({ status: 0, stderr: '' })
    return readFileSync(out, 'utf8')
  }

  const from_ms = Date.UTC(2026, 8, 30, 16)
  const cohort = truth.filter(
    ({ opened_ms, merged_into }) =>
      opened_ms >= from_ms && opened_ms < Date.UTC(2026, 9, 31, 16) && merged_into === null,
  )

  function source() {
    const scope = {
      ...monthPeriods('2026-10', 'Asia/Shanghai'),
      as_of_ms: TO_MS,
      tz: 'Asia/Shanghai',
      ...PLAIN,
    }
    return [new ReportSource(history.reader(), scope), scope] as const
  }

  it('writes the month as one page that needs nothing else', () => {
    const page = written('monthly', '--month', '2026-10', '--tz', 'Asia/Shanghai')
    expect(
      missing(page, [
        '<html lang="en">',
        'Service report 2026-10',
        `${cohort.length} incidents were opened`,
        'Asia/Shanghai',
        ...STYLED,
      ]),
    ).toEqual([])
    expect(page.match(/<svg /g)).toHaveLength(4)
    expect(/<script|<link|<img|https?:\/\/|url\(|@import/.exec(page)).toBeNull()
    expect(page.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&amp;')).toBe(true)
  })

  it('writes the same in Chinese, and as CSV', async () => {
    const report = await monthly(source()[0], '2026-10', source()[1])
    const page = monthlyPage(report, 'zh')
    expect(
      missing(page, [
        '<html lang="zh-CN">',
        '服务月报 2026-10',
        `本月新建事件 ${cohort.length} 个`,
        '无变化证据',
      ]),
    ).toEqual([])
    const rows = monthlyCsv(report)
      .trim()
      .split('\r\n')
      .map((line) => line.split(','))
    const per_day = rows.find(([metric]) => metric === 'incidents_per_day')
    expect(per_day?.[rows[0]?.indexOf('n') ?? -1]).toBe(String(cohort.length))
  })

  it('writes a document to review an incident with', () => {
    const one = cohort.find(({ acknowledged_ms, pauses }) => acknowledged_ms !== null && pauses.length > 0)
    const page = written('incident', one?.id ?? '', '--tz', 'UTC')
    for (const wanted of [
      one?.id,
      'acknowledged',
      'alice',
      'waiting for the user',
      'The first alert of its group.',
    ])
      expect(page).toContain(wanted)
  })

  it('writes about the alarm system and about dispatch', async () => {
    expect(
      missing(await alarmsPage(...source(), 'en'), ['Alarm system report', 'Alarm rate', 'Most frequent']),
    ).toEqual([])
    expect(missing(await dispatchPage(...source(), 'zh'), ['派单报告', '派单准确率', 'line-1-0'])).toEqual([])
  })

  it.each([
    [['monthly', '--month', '2026-13'], '--month'],
    [['incident', 'inc_none'], 'inc_none'],
  ])('says in one line what is wrong with %j', (args, named) => {
    const { status, stderr } = tocsin(...args)
    expect([status, stderr.trim().split('\n')]).toEqual([2, [expect.stringContaining(named)]])
  })
})
