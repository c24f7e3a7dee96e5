import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { difference } from '../../cli/replay/difference.ts'
import { tocsin } from './run.ts'

/** One letter for the incident of each line; `-` for none. */
const run = (letters: string) => [...letters].map((letter) => (letter === '-' ? null : letter))

describe('the difference between two runs', () => {
  it.each([
    ['nothing, whatever the ids', 'aabb', 'xxyy', { same: 2 }],
    ['a split', 'aaabb', 'xxyzz', { split: 1, same: 1 }],
    ['a merge', 'aab', 'xxx', { merged: 1 }],
    ['what appears and vanishes', 'aa--', '--xx', { appeared: 1, vanished: 1 }],
    ['an incident that lost alerts to none', 'aaa', 'xx-', { changed: 1 }],
    ['an incident that gained alerts from none', 'aa-', 'xxx', { changed: 1 }],
    ['alerts that move between two incidents', 'aab', 'xyy', { split: 1, merged: 1 }],
  ])('tells %s', (_what, before, after, counts) => {
    const none = { same: 0, split: 0, merged: 0, appeared: 0, vanished: 0, changed: 0 }
    expect(difference(run(before), run(after)).counts).toEqual({ ...none, ...counts })
  })

  it('names parts with their sizes and first lines', () => {
    expect(difference(run('aaaaab'), run('xxxxyz')).split).toEqual([
      {
        incident: 'a',
        alerts: 5,
        first: [0, 1, 2],
        parts: [
          { incident: 'x', alerts: 4, first: [0, 1, 2] },
          { incident: 'y', alerts: 1, first: [4] },
        ],
      },
    ])
  })
})

describe('tocsin replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-replay-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const alerts = file(
    'alerts.jsonl',
    [
      { ts: 100, alertname: 'Down', host: 'a', rack: 'r1' },
      { ts: 110, alertname: 'Down', host: 'b', rack: 'r1' },
      { ts: 115, alertname: 'Down', host: 'c', rack: 'r2' },
      { ts: 120, alertname: 'Down', host: 'd', rack: 'r1' },
    ]
      .map((alert) => `${JSON.stringify(alert)}\n`)
      .join(''),
  )
  const replay = (out: string, rules: string, ...more: string[]) =>
    tocsin([
      'replay',
      ...['--alerts', alerts, '--out', join(folder, out)],
      ...['--config', file(`${out}.yaml`, rules), ...more],
    ])
  const assignments = (out: string) =>
    readFileSync(join(folder, out, 'assignments.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; incident: string | null; reason: string })

  it('assigns what waited for others to the incident that they opened, in the order of the lines', async () => {
    const { status } = await replay(
      'waiting',
      'rules: {grouping: [{name: rack, group_by: [rack], open_after: {alerts: 3, within_ms: 60000}}]}',
    )
    expect(status).toBe(0)
    const [first, second, third, fourth] = assignments('waiting')
    expect(first).toMatchObject({ line: 0, reason: expect.stringContaining('3 alerts came within 60 s') })
    expect([second?.incident, fourth?.incident]).toEqual([first?.incident, first?.incident])
    expect(third).toMatchObject({ line: 2, incident: null, reason: 'waiting-for-more' })
  })

  it('tells how it differs from an earlier run', async () => {
    await replay('all', 'rules: {grouping: [{name: all, group_by: []}]}')
    const against = ['--against', join(folder, 'all')]
    const { status, stdout } = await replay(
      'racks',
      'rules: {grouping: [{name: rack, group_by: [rack]}]}',
      ...against,
    )
    expect(status).toBe(0)
    expect(stdout).toContain('1 incidents before, 2 now: 0 same, 1 split, 0 merged')
    expect(stdout).toMatch(/^ {2}inc_\w+ \(4 alerts\): Down on a; Down on b; Down on c; …$/m)
    expect(stdout).toMatch(/^ {4}- inc_\w+ \(1 alert\): Down on c$/m)
    const written = JSON.parse(readFileSync(join(folder, 'racks', 'difference.json'), 'utf8'))
    expect(written).toMatchObject({
      counts: { split: 1 },
      split: [{ alerts: 4, parts: [{ alerts: 3 }, { alerts: 1, first: [{ line: 2, alert: 'Down on c' }] }] }],
    })
  })

  it('refuses to compare with what is no run of the same recording', async () => {
    const missing = await replay('x', '{}', '--against', join(folder, 'nowhere'))
    expect([missing.status, missing.stderr]).toEqual([
      2,
      expect.stringContaining('expected the folder of an earlier replay'),
    ])
    mkdirSync(join(folder, 'x'))
    writeFileSync(join(folder, 'x', 'assignments.jsonl'), '')
    const other = await replay('y', '{}', '--against', join(folder, 'x'))
    expect([other.status, other.stderr]).toEqual([
      2,
      expect.stringContaining('is over 0 lines, this one over 4'),
    ])
  })
})
