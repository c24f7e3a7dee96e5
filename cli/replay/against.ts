import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { Misconfigured } from '../../runtime/errors.ts'
import { type Difference, difference, type Run } from './difference.ts'

const assignment = z.object({ incident: z.string().nullable() })

/** Compares an earlier run with the one in `out`: writes `difference.json` into `out` and gives it as text. Throws Misconfigured. */
export async function tellDifference(
  before: Run,
  out: string,
  alertText: (lines: ReadonlySet<number>) => Promise<ReadonlyMap<number, string>>,
): Promise<string> {
  const after = await readRun(out)
  if (before.length !== after.length)
    throw new Misconfigured(
      'against-other-recording',
      `the earlier run is over ${before.length} lines, this one over ${after.length}: only runs over the same recording can be compared`,
    )
  const found = difference(before, after)
  const texts = await alertText(linesIn(found))
  const named = JSON.stringify(
    found,
    (key, value: unknown) =>
      key === 'first' ? (value as number[]).map((line) => ({ line, alert: texts.get(line) ?? '' })) : value,
    2,
  )
  writeFileSync(join(out, 'difference.json'), `${named}\n`)
  return textOf(found, texts)
}

/** Reads the run whose files are in a folder. Throws Misconfigured. */
export async function readRun(folder: string): Promise<Run> {
  const path = join(folder, 'assignments.jsonl')
  if (!existsSync(path))
    throw new Misconfigured(
      'against-missing',
      `there is no file ${path}: expected the folder of an earlier replay`,
    )
  const run: (string | null)[] = []
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const parsed = assignment.safeParse(jsonOf(text))
    if (!parsed.success)
      throw new Misconfigured('against-unreadable', `line ${run.length + 1} of ${path} is no assignment`)
    run.push(parsed.data.incident)
  }
  return run
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Part = Difference['appeared'][number]

function everyPart(found: Difference): Part[] {
  const moved = [...found.split, ...found.merged, ...found.changed]
  return [...moved, ...moved.flatMap(({ parts }) => parts), ...found.appeared, ...found.vanished]
}

function linesIn(found: Difference): Set<number> {
  return new Set(everyPart(found).flatMap(({ first }) => first))
}

const SHOWN_OF_EACH = 20

function textOf(found: Difference, texts: ReadonlyMap<number, string>): string {
  const { before, after } = found.incidents
  const counts = Object.entries(found.counts).map(([what, count]) => `${count} ${what}`)
  const lines = [`${before} incidents before, ${after} now: ${counts.join(', ')}.`]
  const some = (part: Part, mark: string) =>
    `${mark}${part.incident} (${alertCount(part.alerts)}): ${part.first.map((line) => texts.get(line) ?? '').join('; ')}${part.alerts > part.first.length ? '; …' : ''}`
  const tell = (title: string, parts: readonly Part[], within: (part: Part) => readonly Part[]) => {
    if (parts.length === 0) return
    lines.push('', title)
    for (const part of parts.slice(0, SHOWN_OF_EACH))
      lines.push(some(part, '  '), ...within(part).map((inner) => some(inner, '    - ')))
    if (parts.length > SHOWN_OF_EACH) lines.push(`  and ${parts.length - SHOWN_OF_EACH} more`)
  }
  const inner = (part: Part) => (part as Difference['split'][number]).parts
  const none = () => []
  tell('Split: one before, now', found.split, inner)
  tell('Merged: one now, before', found.merged, inner)
  tell('Appeared: in no incident before', found.appeared, none)
  tell('Vanished: in no incident now', found.vanished, none)
  tell('Changed: other alerts than before', found.changed, inner)
  return lines.join('\n')
}

function alertCount(alerts: number): string {
  return alerts === 1 ? '1 alert' : `${alerts} alerts`
}
