import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { learnedFile, type LearnedFile } from '../../schemas/learned.ts'
import { tocsin } from './run.ts'

interface Line {
  readonly ts: number
  readonly alertname: string
  readonly host: string
  readonly disk?: string
}

const NOON_S = Date.UTC(2026, 0, 1, 12) / 1_000
const HOUR_S = 3_600
const EDGES = { edges: [{ from: 'shop', to: 'db', kind: 'calls' }] }

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'tocsin-learn-'))
}

function recordingOf(lines: readonly Line[], at = folder()): string {
  const file = join(at, 'alerts.jsonl.gz')
  const sorted = [...lines].sort((a, b) => a.ts - b.ts)
  writeFileSync(file, gzipSync(sorted.map((line) => `${JSON.stringify(line)}\n`).join('')))
  return file
}

async function learned(lines: readonly Line[]): Promise<{ file: LearnedFile; text: string; out: string }> {
  const at = folder()
  const out = join(at, 'rules-learned.yaml')
  const topology = join(at, 'topology.json')
  writeFileSync(topology, JSON.stringify(EDGES))
  const run = await tocsin([
    'learn',
    '--alerts',
    recordingOf(lines, at),
    '--topology',
    topology,
    '--out',
    out,
  ])
  expect(run.stderr).toBe('')
  const text = readFileSync(out, 'utf8')
  return { file: learnedFile.parse(parse(text)), text, out }
}

/** In each of 40 hours at a minute of its own: the database is down and, in all but three, the shop is slow 10 to 19 s later. */
function outages(): Line[] {
  return Array.from({ length: 40 }, (_, i) => {
    const ts = NOON_S + i * HOUR_S + ((i * 37) % 50) * 60
    const down = { ts, alertname: 'Down', host: 'db' }
    return i % 13 === 5 ? [down] : [down, { ts: ts + 10 + (i % 10), alertname: 'Slow', host: 'shop' }]
  }).flat()
}

describe('tocsin learn', () => {
  it('finds which alert follows which, with figures to judge it by, and accepts nothing', async () => {
    const { file } = await learned([...outages(), { ts: NOON_S + 30, alertname: 'Slow', host: 'far' }])
    expect(file.pairs).toEqual([
      {
        accept: false,
        first: 'Down',
        second: 'Slow',
        where: 'related',
        followed: 37,
        of: 40,
        // Wilson's interval for 37 of 40 is 0.801 to 0.974.
        confidence: 0.801,
        lift: expect.any(Number),
        gap_median_ms: expect.any(Number),
        gap_p90_ms: expect.any(Number),
        examples: ['db → shop'],
      },
    ])
    const [pair] = file.pairs
    // 37 of them in 39 hours: within two minutes by chance in one of 32 cases.
    expect(pair?.lift).toBeGreaterThan(28)
    expect(pair?.lift).toBeLessThan(32)
    for (const gap_ms of [pair?.gap_median_ms, pair?.gap_p90_ms]) {
      expect(gap_ms).toBeGreaterThan(9_000)
      expect(gap_ms).toBeLessThan(20_000)
    }
  })

  it('holds nothing against a pair when its second alert was there before', async () => {
    const turned = Array.from({ length: 40 }, (_, i) => {
      const ts = NOON_S + i * HOUR_S + ((i * 37) % 50) * 60
      const [first_s, second_s] = i % 2 === 0 ? [0, 10] : [10, 0]
      return [
        { ts: ts + first_s, alertname: 'Down', host: 'db' },
        { ts: ts + second_s, alertname: 'Slow', host: 'shop' },
      ]
    }).flat()
    expect((await learned(turned)).file.pairs).toMatchObject([
      { first: 'Down', second: 'Slow', followed: 20, of: 20 },
      { first: 'Slow', second: 'Down', followed: 20, of: 20 },
    ])
  })

  it('learns nothing from what comes together by chance, too seldom, or of entities that are not related', async () => {
    const chance = Array.from({ length: 600 }, (_, i) => ({
      ts: NOON_S + i * 400,
      alertname: 'Slow',
      host: 'shop',
    }))
    const often = outages().filter(({ alertname }) => alertname === 'Down')
    expect((await learned([...often, ...chance])).file.pairs).toEqual([])
    expect((await learned(outages().slice(0, 8))).file.pairs).toEqual([])
    const apart = outages().map((line) => (line.host === 'shop' ? { ...line, host: 'far' } : line))
    expect((await learned(apart)).file.pairs).toEqual([])
  })

  it('counts a storm of one kind as one time, and repeats not at all', async () => {
    const storm = outages().flatMap((line) =>
      ['a', 'b', 'c', 'd'].map((disk, i) => ({ ...line, ts: line.ts + i / 10, disk })),
    )
    expect((await learned(storm)).file.pairs).toMatchObject([{ followed: 37, of: 40, confidence: 0.801 }])
    const repeated = outages().flatMap((line) =>
      [0, 60, 120].map((after) => ({ ...line, ts: line.ts + after })),
    )
    const once = await learned(outages())
    expect((await learned(repeated)).file.pairs).toEqual(once.file.pairs)
  })

  it('lists what fires always, and what comes in regular intervals on its own', async () => {
    const always = Array.from({ length: 40 * 15 }, (_, i) => ({
      ts: NOON_S + i * 240,
      alertname: 'Cert',
      host: 'web',
    }))
    const nightly = Array.from({ length: 13 }, (_, i) => ({
      ts: NOON_S + i * 3 * HOUR_S + (i % 3) * 60,
      alertname: 'Backup',
      host: 'nas',
    }))
    const { file } = await learned([...outages(), ...always, ...nightly])
    expect(file.chronic).toMatchObject([
      { accept: false, alertname: 'Backup', entity: 'nas', why: 'periodic', occurrences: 13 },
      { accept: false, alertname: 'Cert', entity: 'web', why: 'always', occurrences: 1, hours_share: 1 },
    ])
    expect(file.chronic[0]?.variation).toBeLessThan(0.02)
    // In company, regular intervals say nothing: whatever sets them off may be worth knowing.
    const company = nightly.map((line) => ({ ...line, ts: line.ts + 5, alertname: 'Slow' }))
    const together = await learned([...outages(), ...nightly, ...company])
    expect(together.file.chronic).toEqual([])
  })

  it('names no entity when most of them are chronic', async () => {
    const lines = ['a', 'b', 'c'].flatMap((host) =>
      Array.from({ length: 30 * 12 }, (_, i) => ({ ts: NOON_S + i * 290, alertname: 'Cert', host })),
    )
    expect((await learned(lines)).file.chronic).toEqual([
      expect.objectContaining({ alertname: 'Cert', examples: ['a', 'b', 'c'] }),
    ])
    expect((await learned(lines)).file.chronic[0]).not.toHaveProperty('entity')
  })

  it('writes the same bytes for the same recording', async () => {
    expect((await learned(outages())).text).toBe((await learned(outages())).text)
  })

  it('says how much did not fit into its bounds', async () => {
    const storm = Array.from({ length: 1_000 }, (_, i) => ({ ts: NOON_S, alertname: 'Down', host: `h${i}` }))
    const { file } = await learned(storm)
    expect(file.recording).toMatchObject({ occurrences: 1_000, left_out: { recent: 488 } })
  })

  it('takes effect only when accepted and named in the configuration, and under another version of the rules', async () => {
    const { out, text } = await learned(outages())
    const at = folder()
    const config = join(at, 'tocsin.yaml')
    writeFileSync(config, `rules:\n  learned: ${out}\n`)
    const check = async () => /rules version (\w+)/.exec((await tocsin(['check', '-c', config])).stderr)?.[1]
    const none = /rules version (\w+)/.exec((await tocsin(['check'])).stderr)?.[1]
    expect(await check()).toBe(none)
    writeFileSync(out, text.replace('accept: false', 'accept: true'))
    expect(await check()).not.toBe(none)
    const alerts = recordingOf(outages().slice(0, 2), at)
    const topology = join(at, 'topology.json')
    writeFileSync(topology, JSON.stringify(EDGES))
    await tocsin(['replay', '--alerts', alerts, '--topology', topology, '-c', config, '--out', at])
    expect(readFileSync(join(at, 'assignments.jsonl'), 'utf8')).toContain(
      'Slow followed Down 37 of 40 times within',
    )
  })

  it('refuses a learned file that is not one, with the place', async () => {
    const at = folder()
    const config = join(at, 'tocsin.yaml')
    const file = join(at, 'rules-learned.yaml')
    writeFileSync(config, `rules:\n  learned: ${file}\n`)
    expect((await tocsin(['check', '-c', config])).stderr).toContain(`${file} cannot be read (ENOENT)`)
    writeFileSync(file, 'pairs: [{accept: maybe}]\n')
    const { status, stderr } = await tocsin(['check', '-c', config])
    expect(status).toBe(2)
    expect(stderr).toMatch(/^tocsin: the learned rules \S+ are wrong at recording: /)
  })
})
