import { createWriteStream, mkdirSync, rmSync, type WriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { makeNormaliser } from '../ingest/normalise.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { readTopologyFile } from '../runtime/topology_files.ts'
import type { Incident } from '../schemas/incident.ts'
import { readRun, tellDifference } from './replay/against.ts'
import { AssignmentsFile } from './replay/assignments.ts'
import { BadLine, type Normaliser } from './replay/lines.ts'
import {
  isRepeat,
  type Line,
  linesOf,
  readRecorded,
  recordingOf,
  type Recording,
} from './replay/recording.ts'
import { type Assignment, Replay } from './replay/run.ts'

export interface ReplayOptions extends Recording {
  readonly out: string
  readonly topology?: string
  readonly config?: string
  readonly against?: string
}

const PROGRESS_LINES = 100_000
const BAD_LINES_SHOWN = 5

/**
 * Runs the real fold over recorded alerts, of a file or of the history, and writes `assignments.jsonl`, one line for each line of the recording, `incidents.jsonl`
 * and `summary.json`. A line that cannot be read is told and assigned to no incident. With `against`, the folder of an earlier run, it
 * tells how the runs differ, and writes `difference.json`.
 */
export async function replay(options: ReplayOptions): Promise<void> {
  const loaded = loadConfig(options.config, environment())
  const { config, rules } = loaded
  const topology =
    options.topology === undefined ? [] : readTopologyFile('replay', options.topology, '').parts
  const before = options.against === undefined ? null : await readRun(options.against)
  const normalise = makeNormaliser(config)
  const recording = recordingOf(options, loaded)
  const recorded = recording()
  mkdirSync(options.out, { recursive: true })
  const run = new Replay(rules, topology)
  const first = join(options.out, 'assignments.tmp')
  const assignments = new AssignmentsFile(first)
  const counts = { lines: 0, bad: 0, began_ms: performance.now() }
  for await (const line of recorded) {
    // The history says nothing of a clock that stood still, so somebody kept it; of a file nobody knows.
    if (typeof line !== 'string') run.passUntil(line.at_ms)
    if (isRepeat(line)) {
      run.repeat(line)
      continue
    }
    let assigned: Assignment | null = null
    try {
      assigned = run.take(readRecorded(line, normalise))
    } catch (error) {
      if (!(error instanceof BadLine)) throw error
      if (++counts.bad <= BAD_LINES_SHOWN) console.error(`line ${counts.lines + 1}: ${error.message}`)
    }
    await assignments.add(counts.lines++, assigned)
    if (counts.lines % PROGRESS_LINES === 0) console.error(`${counts.lines} alerts …`)
  }
  const elapsed_ms = performance.now() - counts.began_ms
  const incidents = run.finish()
  await assignments.close()
  await followMerges(first, join(options.out, 'assignments.jsonl'), incidents)
  writeFileSync(
    join(options.out, 'incidents.jsonl'),
    incidents.map((incident) => `${JSON.stringify(incident)}\n`).join(''),
  )
  const summary = summarise(incidents, run, { ...counts, elapsed_ms })
  writeFileSync(join(options.out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
  if (before === null) return console.log(JSON.stringify(summary, null, 2))
  const named = (lines: ReadonlySet<number>) => alertTexts(recording(), lines, normalise)
  console.log(await tellDifference(before, options.out, named))
}

/** How people call the alerts of some lines. */
async function alertTexts(
  recorded: AsyncIterable<Line>,
  wanted: ReadonlySet<number>,
  normalise: Normaliser,
): Promise<ReadonlyMap<number, string>> {
  const texts = new Map<number, string>()
  let number = 0
  for await (const line of recorded) {
    if (isRepeat(line)) continue
    if (wanted.has(number)) {
      const { alert } = readRecorded(line, normalise)
      texts.set(number, `${alert.labels['alertname'] ?? 'Alert'} on ${alert.entity || alert.scope}`)
    }
    number++
  }
  return texts
}

/** An alert of an incident that was merged later is in the one that it was merged into. */
async function followMerges(from: string, to: string, incidents: readonly Incident[]): Promise<void> {
  const parents = new Map(incidents.map(({ id, merged_into }) => [id, merged_into]))
  const written = createWriteStream(to)
  for await (const text of linesOf(from)) {
    const line = JSON.parse(text) as { incident: string | null }
    for (let parent = line.incident; parent; parent = parents.get(parent) ?? null) line.incident = parent
    await writeLine(written, line)
  }
  written.end()
  await once(written, 'finish')
  rmSync(from)
}

async function writeLine(stream: WriteStream, value: unknown): Promise<void> {
  if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, 'drain')
}

function summarise(
  incidents: readonly Incident[],
  run: Replay,
  counts: { readonly lines: number; readonly bad: number; readonly elapsed_ms: number },
) {
  const sizes = incidents.map(({ members_total }) => members_total).sort((a, b) => b - a)
  return {
    alerts: counts.lines,
    unreadable: counts.bad,
    incidents: incidents.length,
    compression: counts.lines === 0 ? 0 : Number((1 - incidents.length / counts.lines).toFixed(4)),
    incidents_by_alerts: {
      '1': sizes.filter((size) => size === 1).length,
      '2-10': sizes.filter((size) => size > 1 && size <= 10).length,
      '11-100': sizes.filter((size) => size > 10 && size <= 100).length,
      '101-': sizes.filter((size) => size > 100).length,
    },
    suppressed: incidents.filter(({ suppressed }) => suppressed).length,
    moved: run.moved,
    changes: run.changes,
    alerts_per_s: Math.round((counts.lines * 1_000) / counts.elapsed_ms),
  }
}
