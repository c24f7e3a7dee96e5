import { createReadStream } from 'node:fs'
import { once } from 'node:events'
import { Misconfigured } from '../runtime/errors.ts'
import { chooseColumns } from './detect/columns.ts'
import { records, written } from '../runtime/csv.ts'
import { type Choice, type Judge, judgeOf } from './detect/judge.ts'
import { replayReadings } from './detect/replay.ts'
import { type ReadRow, RowReader } from './detect/rows.ts'

export interface DetectOptions extends Choice {
  readonly csv?: string
  /** A recording of many series, judged by the detectors of a configuration. */
  readonly replay?: string
  readonly time?: string
  readonly value?: readonly string[]
}

const WRITE_CHARS = 65_536

/**
 * Judges a table row by row and prints a line for each: `timestamp,value,score,alert`; or replays a recording. Throws Misconfigured with the
 * remedy.
 */
export async function detect(options: DetectOptions): Promise<void> {
  endWithReader()
  const { csv, replay } = options
  if ((csv === undefined) === (replay === undefined))
    throw new Misconfigured(
      'option-unusable',
      'give either --csv, a file of one series or group, or --replay, a recording',
    )
  if (replay !== undefined) return replayReadings(source('--replay', replay), options.config, write)
  if (csv !== undefined) await judgeTable(csv, options)
}

async function judgeTable(csv: string, options: DetectOptions): Promise<void> {
  const table = records(source('--csv', csv))
  const begin = await table.next()
  if (begin.done) throw new Misconfigured('csv-unreadable', `${csv} is empty: a header and rows are expected`)
  const first = begin.value
  const columns = chooseColumns(first, { time: options.time, value: options.value ?? [] })
  const judge = judgeOf(columns.values.length, options)
  const reader = new RowReader(columns)
  let text = 'timestamp,value,score,alert\n'
  if (columns.headless) text += line(reader.read(first), judge)
  for await (const fields of table) {
    text += line(reader.read(fields), judge)
    if (text.length < WRITE_CHARS) continue
    await write(text)
    text = ''
  }
  reader.conclude()
  await write(text)
}

/** A group has no single value; the column stays empty. */
function line(row: ReadRow, judge: Judge): string {
  const verdict = judge(row)
  const alerts = verdict !== null && (verdict.alert || verdict.transitions.some(({ to }) => to === 'raised'))
  const [value = ''] = row.texts.length === 1 ? row.texts : []
  return `${written(row.time)},${written(value)},${verdict?.score ?? 0},${alerts ? 1 : 0}\n`
}

async function* source(option: string, file: string): AsyncGenerator<string> {
  const stream = file === '-' ? process.stdin : createReadStream(file)
  stream.setEncoding('utf8')
  try {
    for await (const chunk of stream) yield chunk as string
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    if (code === undefined) throw error
    throw new Misconfigured(
      'csv-unreadable',
      `${option} ${file} cannot be read (${code}): name a file that can be, or - for the standard input`,
    )
  }
}

/** Waits while the reader of the output is slower. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** `| head` closes the output before all is written: that is no fault. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}
