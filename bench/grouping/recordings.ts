import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { readTopologyFile } from '../../runtime/topology_files.ts'
import type { TopologyPart } from '../../schemas/topology.ts'

/** The label of an alert that belongs to no incident. */
export const NOISE = '-'

/** One line of a labelled recording. */
export interface Line {
  /** A plain object as `tocsin replay` reads it; its `incident` is the answer and no label. */
  readonly value: Readonly<Record<string, unknown>>
  readonly ts_s: number
  /** The true incident, or NOISE. */
  readonly incident: string
}

/** What was injected to bring about an incident. */
export interface Fault {
  readonly start_s: number
  readonly entity: string
  readonly type: string
}

export interface Recording {
  readonly name: string
  readonly lines: readonly Line[]
  readonly topology: readonly TopologyPart[]
  /** By the true incident. */
  readonly faults: ReadonlyMap<string, Fault>
}

/** Reads each `NAME.jsonl` or `NAME.jsonl.gz` of a folder, with `NAME.topology.json` and `NAME.faults.json` where they are. */
export function readRecordings(dir: string): readonly Recording[] {
  const names = readdirSync(dir)
    .map((file) => /^(.+)\.jsonl(?:\.gz)?$/.exec(file)?.[1])
    .filter((name) => name !== undefined)
  if (names.length === 0) throw new Error(`${dir} has no recording NAME.jsonl or NAME.jsonl.gz`)
  return [...new Set(names)].sort().map((name) => readRecording(dir, name))
}

function readRecording(dir: string, name: string): Recording {
  const plain = join(dir, `${name}.jsonl`)
  const text = existsSync(plain)
    ? readFileSync(plain, 'utf8')
    : gunzipSync(readFileSync(`${plain}.gz`)).toString()
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => readLabelled(line, `${name}, line ${i + 1}`))
  const topology = join(dir, `${name}.topology.json`)
  const faults = join(dir, `${name}.faults.json`)
  return {
    name,
    lines,
    topology: existsSync(topology) ? readTopologyFile(name, topology, '').parts : [],
    faults: existsSync(faults) ? faultsOf(lines, JSON.parse(readFileSync(faults, 'utf8'))) : new Map(),
  }
}

function readLabelled(text: string, place: string): Line {
  const value = JSON.parse(text) as Readonly<Record<string, unknown>>
  const { ts, incident } = value
  if (typeof ts !== 'number' || typeof incident !== 'string')
    throw new Error(`${place}: a labelled alert has \`ts\`, a number, and \`incident\`, a text`)
  return { value, ts_s: ts, incident }
}

const faultsFile = z.record(
  z.string(),
  z.object({ start: z.number(), entity: z.string(), type: z.string().default('') }),
)

/** Faults are named by what follows the last slash of the incident. */
function faultsOf(lines: readonly Line[], file: unknown): Map<string, Fault> {
  const told = faultsFile.parse(file)
  const found = new Map<string, Fault>()
  for (const { incident } of lines) {
    const fault = told[incident.split('/').at(-1) ?? '']
    if (fault !== undefined && incident !== NOISE)
      found.set(incident, { start_s: fault.start, entity: fault.entity, type: fault.type })
  }
  return found
}
