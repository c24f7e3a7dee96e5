import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { tocsin } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-replay-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const CONFIG = file(
  'tocsin.yaml',
  `
detectors:
  - {name: hot, match: ['metric="temperature"'], detector: limits, options: {high: 80, on_delay_ms: 120000}}
  - {name: silence, match: ['metric="temperature"'], detector: stale}
stops:
  - {name: night, match: ['equipment="acme/b"'], weekly: {weekdays: [mon], at: '00:00', time_zone: UTC, duration_ms: 86400000}}
`,
)
const FROM = Date.UTC(2026, 0, 5)
const at = (minute: number): string => new Date(FROM + minute * 60_000).toISOString()

async function replayed(recording: string): Promise<{ lines: string[]; summary: string }> {
  const { status, stdout, stderr } = await tocsin(['detect', '--replay', recording, '--config', CONFIG])
  expect(`${status} ${stderr}`).toMatch(/^0 /)
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as { at: string; alert: string; entity: string; labels: Record<string, string> },
    )
    .map(
      (told) =>
        `${(Date.parse(told.at) - FROM) / 60_000} ${told.labels['condition']} of ${told.entity} ${told.alert}`,
    )
  return { lines, summary: stderr }
}

/** Two machines that are too hot from minute 10 to 19; after minute 30 one of them says nothing until minute 60. */
const ROWS = Array.from({ length: 70 }, (_, minute) =>
  ['a', 'b'].flatMap((machine) =>
    machine === 'a' && minute > 30 && minute < 60
      ? []
      : [{ machine, time: at(minute), value: minute >= 10 && minute < 20 ? 85 : 60 + (minute % 3) }],
  ),
).flat()
const EXPECTED = [
  '12 high of acme/a begins',
  '20 high of acme/a ends',
  '35 device-silent of acme/a begins',
  '60 device-silent of acme/a ends',
]

describe('tocsin detect --replay', () => {
  it('tells which alerts a recording would have raised, and which were suppressed by design', async () => {
    const csv = ROWS.map(
      ({ machine, time, value }) => `"temperature{equipment=""acme/${machine}""}",${time},${value}`,
    )
    const { lines, summary } = await replayed(
      file('a.csv', `series,timestamp,value\n${csv.join('\n')}\nnonsense\n`),
    )
    expect(lines.map((line) => line.replace(/\.\d+/, ''))).toEqual(EXPECTED)
    expect(summary).toMatch(
      /111 readings of 2 series: 2 alerts begin, 2 end; .* 1 unreadable lines, 1 alerts suppressed/,
    )
  })

  it('reads JSON lines as well', async () => {
    const jsonl = ROWS.map(({ machine, time, value }) =>
      JSON.stringify({
        labels: { metric: 'temperature', equipment: `acme/${machine}` },
        timestamp: time,
        value,
      }),
    )
    const { lines } = await replayed(file('a.jsonl', jsonl.join('\n')))
    expect(lines.map((line) => line.replace(/\.\d+/, ''))).toEqual(EXPECTED)
  })

  it('says which option is missing', async () => {
    const { status, stderr } = await tocsin(['detect'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/--csv.*--replay/)
  })
})
