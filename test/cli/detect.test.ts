import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { uniform } from '../detect/readings.ts'
import { tocsin } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-detect-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

let files = 0
function file(text: string, ending = 'csv'): string {
  const path = join(folder, `${++files}.${ending}`)
  writeFileSync(path, text)
  return path
}

const MINUTES_5 = 300_000
const FROM = Date.UTC(2026, 2, 1)
/** Two weeks of a daily curve that jumps on the twelfth day. */
const VALUES = Array.from({ length: 14 * 288 }, (_, i) =>
  (20 + 5 * Math.sin((2 * Math.PI * i) / 288) + (i % 7) / 10 + (i === 12 * 288 ? 25 : 0)).toFixed(3),
)
const iso = (i: number): string => new Date(FROM + i * MINUTES_5).toISOString()
const rows = (stdout: string): string[][] =>
  stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
const alerts = (stdout: string): number[] =>
  rows(stdout).flatMap(([, , , alert], i) => (alert === '1' ? [i] : []))

async function detected(text: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await tocsin(['detect', '--csv', file(text), ...args])
  expect(`${status} ${stderr}`).toMatch(/^0 /)
  return stdout
}

describe('tocsin detect', () => {
  it('prints a line for each row, with the cells as they were, and warns of the jump', async () => {
    const text = `timestamp,value\n${VALUES.map((value, i) => `${iso(i)},${value}`).join('\n')}\n`
    const stdout = await detected(text)
    expect(stdout.split('\n', 1)).toEqual(['timestamp,value,score,alert'])
    expect(rows(stdout).map(([time, value]) => `${time},${value}`)).toEqual(
      text.trimEnd().split('\n').slice(1),
    )
    for (const [, , score] of rows(stdout)) expect(Number(score)).toBeGreaterThanOrEqual(0)
    expect(alerts(stdout).filter((i) => i > 5 * 288)).toEqual([12 * 288])
  })

  const TIMES: [name: string, (i: number) => string][] = [
    ['spaces', (i) => iso(i).replace('T', ' ').replace('.000Z', '')],
    ['a fraction', (i) => iso(i).replace('T', ' ').replace('Z', '')],
    ['slashes', (i) => iso(i).replace('T', ' ').replaceAll('-', '/').replace(':00.000Z', '')],
    ['digits alone', (i) => iso(i).replaceAll(/[-:T]|\.000Z/g, '')],
    ['an offset', (i) => `${new Date(FROM + i * MINUTES_5 + 5_400_000).toISOString().slice(0, 19)}+0130`],
    ['epoch seconds', (i) => String((FROM + i * MINUTES_5) / 1_000)],
    ['epoch milliseconds', (i) => String(FROM + i * MINUTES_5)],
    ['epoch nanoseconds', (i) => `${FROM + i * MINUTES_5}000000`],
  ]
  it('comes to the same in every form of time, delimiter and line end', async () => {
    const scores = new Set<string>()
    for (const [i, [, time]] of TIMES.entries()) {
      const [delimiter, end] = [[',', '\n'] as const, [';', '\r\n'] as const, ['\t', '\n'] as const][
        i % 3
      ] ?? [',', '\n']
      const body = VALUES.map((value, at) => `${time(at)}${delimiter}x${delimiter}"${value}"`).join(end)
      const stdout = await detected(
        `\uFEFFWhen${delimiter}Note${delimiter}Level${end}${body}`,
        '--time',
        'when',
        '--value',
        '3',
      )
      scores.add(
        rows(stdout)
          .map(([, , score, alert]) => `${score} ${alert}`)
          .join('\n'),
      )
    }
    expect(scores.size).toBe(1)
  })

  it('answers every row, whatever is in it', async () => {
    const text = VALUES.flatMap((value, i) => {
      const row = `${iso(i)},${value}`
      if (i % 50 === 10) return [row, `${iso(i)},${value}`, `${iso(i - 4)},999999`]
      if (i % 50 === 20) return [`${iso(i)},`, `${iso(i)},NaN`, `${iso(i)},bad`, `${iso(i)},1e999`]
      if (i % 50 === 30) return ['yesterday,999999', iso(i), `${iso(i)},###`, '']
      return [row]
    })
    const stdout = await detected(`time,value\n${text.join('\n')}`)
    expect(rows(stdout)).toHaveLength(text.filter((row) => row !== '').length)
    expect(alerts(stdout).filter((i) => i > 5 * 288 * 1.1)).toHaveLength(1)
    const { stderr } = await tocsin(['detect', '--csv', file(`time,value\n${text.join('\n')}`)])
    expect(stderr).toMatch(/column "time": \d+ cells could not be read.*yesterday/)
    expect(stderr).toMatch(/column "value": \d+ cells could not be read.*###/)
  })

  it('takes a column that numbers the rows for the time, not for a reading', async () => {
    const stdout = await detected(`sample,x\n${VALUES.map((value, i) => `${i + 1},${value}`).join('\n')}`)
    expect(rows(stdout)[7]?.slice(0, 2)).toEqual(['8', VALUES[7]])
  })

  it('reads a table without header and without times', async () => {
    const stdout = await detected(VALUES.join('\n'))
    expect(rows(stdout)).toHaveLength(VALUES.length)
    expect(rows(stdout)[0]?.[0]).toBe('1')
  })

  it('judges several columns as one group', async () => {
    const next = uniform(5)
    const noise = (): number => next() + next() + next() - 1.5
    let load = 0
    const text = Array.from({ length: 1_500 }, (_, i) => {
      load = 0.8 * load + noise()
      const flow = i % 40 === 3 ? '' : 100 + 10 * load + noise()
      const gap = 3 - load / 10 + noise() / 50 + (i >= 1_000 ? 0.05 : 0)
      return `${iso(i)},${flow},${gap},${5e6 * (load + 9) + 1e6 * noise()},text`
    })
    const stdout = await detected(
      `time,flow,gap,power,note\n${text.join('\n')}`,
      ...['--value', 'flow', 'gap', '--value', 'power', '--config', file('learn_rows: 300', 'yaml')],
    )
    const raised = alerts(stdout)
    expect(rows(stdout)).toHaveLength(text.length)
    expect(raised.filter((i) => i < 1_000)).toEqual([])
    expect(raised.find((i) => i >= 1_000)).toBeLessThan(1_020)
  })

  const HEAD = 'time,level,note\n2026-03-01T00:00:00Z,1,a\n'
  it.each([
    [
      'a column that is not there',
      HEAD,
      ['--value', 'pressure'],
      /--value pressure.*"time", "level", "note"/,
    ],
    ['a time that is not there', HEAD, ['--time', 'when'], /--time when.*"time", "level", "note"/],
    ['a column of text', HEAD, ['--value', 'note'], /column "note" holds no number \(row 1: "a"\).*--value/],
    ['a time of text', HEAD, ['--time', 'note', '--value', 'level'], /column "note" holds no time.*ISO 8601/],
    [
      'an unknown detector',
      HEAD,
      ['--value', 'level', '--detector', 'magic'],
      /magic is not known; known are novelty/,
    ],
    [
      'a detector for groups',
      HEAD,
      ['--value', 'level', '--detector', 'multivariate'],
      /several with --value/,
    ],
    ['a file that is empty', '', [], /is empty/],
    ['a quote left open', `time,value\n"${'x'.repeat(1_100_000)}`, [], /quote left open/],
  ])('refuses %s with the remedy', async (_, text, args, problem) => {
    const { status, stderr } = await tocsin(['detect', '--csv', file(text), ...args])
    expect(status).toBe(2)
    expect(stderr).toMatch(problem)
  })

  it('refuses a file that is not there, and options that the detector has not', async () => {
    const missing = await tocsin(['detect', '--csv', join(folder, 'none.csv')])
    expect(missing).toMatchObject({ status: 2, stderr: expect.stringMatching(/ENOENT/) })
    const config = file('sensitivity: 3\n', 'yaml')
    const wrong = await tocsin(['detect', '--csv', file(HEAD), '--value', 'level', '--config', config])
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringMatching(/sensitivity/) })
  })

  it('needs no more memory for a long table than for a short one', async () => {
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=32', main, 'detect', '--csv', '-', '--time', '1', '--value', '2'],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    let lines = 0
    child.stdout.setEncoding('latin1').on('data', (text: string) => (lines += text.split('\n').length - 1))
    const ended = new Promise((resolve) => child.on('close', resolve))
    const piece = Array.from({ length: 10_000 }, (_, i) => `row,${i % 97}.${'1'.repeat(12)}`)
    for (let part = 0; part < 50; part++) {
      const text = piece.map((row, i) => row.replace('row', String(1.7e9 + part * 10_000 + i))).join('\n')
      if (!child.stdin.write(`${text}\n`)) await new Promise((resolve) => child.stdin.once('drain', resolve))
    }
    child.stdin.end()
    expect(await ended).toBe(0)
    expect(lines).toBe(500_001)
  })
})
