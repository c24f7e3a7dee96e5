import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { writeImported } from '../../analytics/imports.ts'
import { importIncidents, type ImportOptions } from '../../cli/import.ts'
import { Misconfigured } from '../../runtime/errors.ts'
import { openHistory, rowsOf } from '../analytics/place.ts'
import { startWorld, type World } from '../api/world.ts'
import { clickhouse, describeWith } from '../services/index.ts'

const PAGERDUTY = {
  incidents: [
    {
      id: 'PD1',
      title: 'Checkout is down',
      status: 'resolved',
      urgency: 'high',
      priority: { summary: 'P1' },
      service: { summary: 'checkout' },
      teams: [{ summary: 'payments' }],
      assignments: [{ assignee: { summary: 'alice' } }],
      acknowledgements: [
        { at: '2026-10-01T10:00:30Z', acknowledger: { type: 'service_reference' } },
        { at: '2026-10-01T10:05:00Z', acknowledger: { type: 'user_reference' } },
      ],
      created_at: '2026-10-01T10:00:00Z',
      resolved_at: '2026-10-01T11:00:00Z',
      html_url: 'https://pagerduty.example.org/PD1',
    },
    {
      id: 'PD2',
      title: 'Slow',
      status: 'triggered',
      urgency: 'low',
      created_at: '2026-10-02T10:00:00Z',
      service: { summary: 'shop' },
    },
    { id: 'PD3', title: 'No time', status: 'resolved' },
  ],
}
const OPSGENIE = {
  data: [
    {
      id: 'og1',
      message: 'Disk full',
      priority: 'P2',
      status: 'closed',
      owner: 'bob@example.org',
      alias: 'disk-db-1',
      createdAt: '2026-10-01T10:00:00.5Z',
      updatedAt: '2026-10-01T12:00:00Z',
      report: { ackTime: 60_000, closeTime: 3_600_000 },
    },
  ],
}
const JIRA = {
  issues: [
    {
      key: 'OPS-7',
      fields: {
        summary: '数据库变慢',
        created: '2026-10-01T10:00:00.000+0800',
        resolutiondate: '2026-10-01T15:00:00.000+0800',
        priority: { name: 'Highest' },
        status: { name: 'Done' },
        components: [{ name: 'orders' }],
        assignee: { displayName: '王芳' },
      },
      changelog: {
        histories: [
          {
            created: '2026-10-01T12:00:00.000+0800',
            items: [{ field: 'status', fromString: 'In Progress', toString: 'Waiting for customer' }],
          },
          {
            created: '2026-10-01T10:10:00.000+0800',
            items: [{ field: 'status', fromString: 'Open', toString: 'In Progress' }],
          },
          {
            created: '2026-10-01T14:00:00.000+0800',
            items: [{ field: 'status', fromString: 'Waiting for customer', toString: 'In Progress' }],
          },
        ],
      },
    },
  ],
}
const SERVICENOW = {
  result: [
    {
      number: 'INC001',
      short_description: { display_value: 'Printer', value: 'x' },
      priority: '4 - Low',
      business_service: 'print',
      assignment_group: 'desk',
      opened_at: '2026-10-01 10:00:00',
      work_start: '',
      resolved_at: '2026-10-01 18:30:00',
      reopen_count: '2',
    },
  ],
}
const CSV = `编号,标题,级别,系统,开始,恢复,评分,产线
A-1,"焊机停机, 急停",特急,MES,2026-10-01 08:00,2026/10/1 09:30,5,L1
A-2,温度高,奇怪,MES,2026-10-01 08:00,,,L1
A-3,温度高,三级,MES,昨天,,,L1
A-4,温度高,三级,MES,2026-10-03 08:00,2026-10-02 08:00,,L1
A-5,压力低,三级,MES,2026-10-04 08:00,,,L2
`
const MAPPING = `columns: { external_id: 编号, title: 标题, severity: 级别, service: 系统, opened: 开始, resolved: 恢复, satisfaction: 评分, line: 产线 }
labels: { 来源系统: 系统 }
`

await describeWith(clickhouse, 'tocsin import', (address) => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-import-'))
  let history: History
  let client: ClickHouseClient
  let world: World
  const told: string[] = []
  beforeAll(async () => {
    ;({ history, client } = await openHistory(address))
    world = await startWorld({ parts: { importIncidents: (incidents) => writeImported(client, incidents) } })
    const say = (...texts: unknown[]) => void told.push(texts.join(' '))
    vi.spyOn(console, 'log').mockImplementation(say)
    vi.spyOn(console, 'error').mockImplementation(say)
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    await world.close()
    await history.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function run(name: string, content: unknown, more: Partial<ImportOptions> = {}): Promise<string[]> {
    told.length = 0
    const file = join(folder, name)
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    await importIncidents({
      format: name.split('.')[0] ?? '',
      file,
      scope: 'default',
      tz: 'UTC',
      url: world.url,
      ...more,
    })
    return told
  }

  const stored = (source: string) =>
    rowsOf(
      client,
      `SELECT title, severity, state, service, team, line, assignee, toUnixTimestamp(opened_at) AS opened, toUnixTimestamp(acknowledged_at) - opened AS acknowledged,
              toUnixTimestamp(resolved_at) - opened AS resolved, satisfaction FROM incident_facts WHERE imported_from = '${source}' ORDER BY opened_at, id`,
    )
  const TEN = Date.UTC(2026, 9, 1, 10) / 1_000

  it('reads PagerDuty, and the same again changes nothing', async () => {
    const lines = await run('pagerduty.json', PAGERDUTY)
    expect(lines.join('\n')).toContain('entry 3: opened is missing')
    const rows = await stored('pagerduty')
    const none = { line: '', satisfaction: null }
    expect(rows).toEqual([
      {
        title: 'Checkout is down',
        severity: 'critical',
        state: 'resolved',
        service: 'checkout',
        team: 'payments',
        assignee: 'alice',
        opened: TEN,
        acknowledged: 300,
        resolved: 3_600,
        ...none,
      },
      {
        title: 'Slow',
        severity: 'low',
        state: 'open',
        service: 'shop',
        team: '',
        assignee: '',
        opened: TEN + 86_400,
        acknowledged: null,
        resolved: null,
        ...none,
      },
    ])
    await run('pagerduty.json', PAGERDUTY)
    expect(await stored('pagerduty')).toEqual(rows)
  })

  it('lets a newer export of an incident hold', async () => {
    const [, open] = PAGERDUTY.incidents
    await run('pagerduty.json', {
      incidents: [{ ...open, status: 'resolved', resolved_at: '2026-10-02T12:00:00Z' }],
    })
    await run('pagerduty.json', { incidents: [open] })
    expect((await stored('pagerduty'))[1]).toMatchObject({ state: 'resolved', resolved: 7_200 })
  })

  it('reads Opsgenie, Jira with its pauses, and ServiceNow in its time zone', async () => {
    await run('opsgenie.json', OPSGENIE)
    expect(await stored('opsgenie')).toMatchObject([
      { severity: 'high', assignee: 'bob@example.org', acknowledged: 60, resolved: 3_600 },
    ])
    await run('jira.json', JIRA)
    expect(await stored('jira')).toMatchObject([
      {
        title: '数据库变慢',
        severity: 'critical',
        service: 'orders',
        assignee: '王芳',
        acknowledged: 600,
        resolved: 18_000,
      },
    ])
    const pauses = await rowsOf(
      client,
      `SELECT toUnixTimestamp(ended_at) - toUnixTimestamp(began_at) AS seconds, reason FROM clocks`,
    )
    expect(pauses).toEqual([{ seconds: 7_200, reason: 'Waiting for customer' }])
    await run('servicenow.json', SERVICENOW, { tz: 'America/New_York' })
    expect(await stored('servicenow')).toMatchObject([
      {
        title: 'Printer',
        severity: 'low',
        opened: TEN + 4 * 3_600,
        acknowledged: null,
        resolved: 8.5 * 3_600,
      },
    ])
  })

  it('reads CSV by a mapping of columns, and says what it leaves out', async () => {
    const mapping = join(folder, 'mapping.yaml')
    writeFileSync(mapping, MAPPING)
    const dry = await run('csv.csv', CSV, { mapping, tz: 'Asia/Shanghai', source: 'plant', dryRun: true })
    expect(dry.join('\n')).toContain(
      '2 incidents can be imported, opened from 2026-10-01 to 2026-10-04, 1 of them open; 3 are left out.',
    )
    for (const reason of [
      'entry 3: severity is 奇怪',
      'entry 4: opened is 昨天',
      'entry 5: resolved is before opened',
    ])
      expect(dry.join('\n')).toContain(reason)
    expect(await stored('plant')).toEqual([])
    await run('csv.csv', CSV, { mapping, tz: 'Asia/Shanghai', source: 'plant' })
    expect(await stored('plant')).toMatchObject([
      {
        title: '焊机停机, 急停',
        severity: 'critical',
        service: 'MES',
        line: 'L1',
        opened: TEN - 10 * 3_600,
        resolved: 5_400,
        satisfaction: 5,
      },
      { title: '压力低', line: 'L2', state: 'open' },
    ])
  })

  it('reads CSV exports by the names that their columns usually have', async () => {
    await run(
      'csv.csv',
      'Issue key;Summary;Priority;Created;Acknowledged_at\nX-1;Slow;Medium;2026-10-01T10:00:00Z;\n',
      { source: 'usual' },
    )
    expect(await stored('usual')).toMatchObject([
      { title: 'Slow', severity: 'medium', opened: TEN, state: 'open' },
    ])
  })

  it.each([
    [{ format: 'excel' }, '--format'],
    [{ tz: 'Mars' }, '--tz'],
    [{ file: '/nowhere.csv' }, '--file'],
    [{ mapping: '/nowhere.yaml' }, '--mapping'],
    [{ url: 'ftp://x' }, '--url'],
  ] as const)('says what is wrong with %j', async (more, named) => {
    const failed = run('csv.csv', CSV.replace('编号', 'id').replace('开始', 'opened'), { ...more })
    await expect(failed).rejects.toThrow(Misconfigured)
    await expect(failed).rejects.toThrow(named)
  })

  it('is a command', () => {
    const main = join(import.meta.dirname, '../../cli/main.ts')
    const file = join(folder, 'jira.json')
    writeFileSync(file, JSON.stringify(JIRA))
    const { status, stdout } = spawnSync(
      process.execPath,
      [main, 'import', '--format', 'jira', '--file', file, '--dry-run'],
      { encoding: 'utf8' },
    )
    expect([status, stdout.split('\n')[0]]).toEqual([
      0,
      '1 incidents can be imported, opened from 2026-10-01 to 2026-10-01, 0 of them open; 0 are left out.',
    ])
  })
})
