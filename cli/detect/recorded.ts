import { scopeOf } from '../../ingest/scope.ts'
import type { Labels } from '../../schemas/alert.ts'
import { parseMatchers } from '../../schemas/matcher_syntax.ts'
import { MatcherError } from '../../schemas/matching.ts'
import { QUALITIES, type Quality, type Series } from '../../schemas/sample.ts'
import { timeOf, valueOf } from './cells.ts'
import { records } from '../../runtime/csv.ts'

/** A reading of a recording. */
export interface RecordedReading {
  readonly series: Series
  readonly at_ms: number
  readonly value: number
  readonly quality: Quality
}

/** Reads `series,timestamp,value[,quality]`, or JSON lines of objects with these names (`labels` does for `series`). */
export class RecordingReader {
  /** Lines that could not be read. */
  unreadable = 0
  private readonly scope_labels: readonly string[]
  private readonly known = new Map<string, Series>()

  constructor(scope_labels: readonly string[]) {
    this.scope_labels = scope_labels
  }

  async *read(chunks: AsyncIterable<string>): AsyncGenerator<RecordedReading> {
    const { first, all } = await peeked(chunks)
    const cells = first.trimStart().startsWith('{') ? jsonLines(all) : csvRows(all)
    for await (const one of cells) {
      const reading = one && this.reading(one)
      if (reading) yield reading
      else this.unreadable++
    }
  }

  private reading({ series: text, time, value: told, quality: told_quality }: Cells): RecordedReading | null {
    const at_ms = timeOf(time)
    const series = this.seriesOf(text)
    const cell = valueOf(told)
    if (at_ms === null || series === null || cell.kind === 'unreadable') return null
    const quality = QUALITIES.find((one) => one === told_quality) ?? 'good'
    return cell.kind === 'number'
      ? { series, at_ms, value: cell.value, quality }
      : { series, at_ms, value: 0, quality: quality === 'stale' ? 'stale' : 'bad' }
  }

  /** `metric{label="value"}`, or labels as JSON; a text of another form is the metric. */
  private seriesOf(text: string): Series | null {
    const known = this.known.get(text)
    if (known !== undefined) return known
    const labels = labelsOf(text)
    if (labels === null || (labels['metric'] ?? '') === '') return null
    const series = { scope: scopeOf(labels, this.scope_labels), labels }
    this.known.set(text, series)
    return series
  }
}

interface Cells {
  readonly series: string
  readonly time: string
  readonly value: string
  readonly quality: string
}

async function peeked(chunks: AsyncIterable<string>): Promise<{ first: string; all: AsyncIterable<string> }> {
  const iterator = chunks[Symbol.asyncIterator]()
  const begin = await iterator.next()
  const first = begin.done === true ? '' : begin.value
  async function* all() {
    yield first
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  }
  return { first, all: all() }
}

const NAMES = {
  series: ['series', 'labels', 'name'],
  time: ['timestamp', 'time', 'ts', 'at_ms'],
  value: ['value'],
  quality: ['quality'],
}

async function* csvRows(chunks: AsyncIterable<string>): AsyncGenerator<Cells | null> {
  let places: readonly number[] | null = null
  for await (const row of records(chunks)) {
    const found: number[] = Object.values(NAMES).map((names) =>
      row.findIndex((cell) => names.includes(cell.toLowerCase())),
    )
    if (places === null) {
      const headless = found.slice(0, 3).some((place) => place === -1)
      places = headless ? [0, 1, 2, 3] : found
      if (!headless) continue
    }
    const [series = '', time = '', value = '', quality = ''] = places.map((place) => row[place] ?? '')
    yield { series, time, value, quality }
  }
}

async function* jsonLines(chunks: AsyncIterable<string>): AsyncGenerator<Cells | null> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield cellsOf(line)
  }
  if (rest.trim() !== '') yield cellsOf(rest)
}

function cellsOf(line: string): Cells | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const fields = parsed as Readonly<Record<string, unknown>>
  const cell = (names: readonly string[]): string => {
    const value = names.map((name) => fields[name]).find((one) => one !== undefined && one !== null)
    return typeof value === 'object'
      ? JSON.stringify(value)
      : typeof value === 'string' || typeof value === 'number'
        ? String(value)
        : ''
  }
  // A producer of Prometheus' samples tells name and labels apart.
  const labels =
    typeof fields['labels'] === 'object' && typeof fields['name'] === 'string'
      ? JSON.stringify({ ...fields['labels'], metric: fields['name'] })
      : cell(NAMES.series)
  return { series: labels, time: cell(NAMES.time), value: cell(NAMES.value), quality: cell(NAMES.quality) }
}

function labelsOf(text: string): Labels | null {
  if (text.startsWith('{')) return labelsOfJson(text)
  const brace = text.indexOf('{')
  if (brace === -1 || !text.endsWith('}')) return { metric: text }
  try {
    const labels = parseMatchers(text.slice(brace))
    if (labels.some(({ op }) => op !== '=')) return null
    return {
      metric: text.slice(0, brace),
      ...Object.fromEntries(labels.map(({ name, value }) => [name, value])),
    }
  } catch (error) {
    if (!(error instanceof MatcherError)) throw error
    return null
  }
}

function labelsOfJson(text: string): Labels | null {
  try {
    const { __name__, ...labels } = JSON.parse(text) as Record<string, unknown>
    const all = __name__ === undefined ? labels : { metric: __name__, ...labels }
    return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)]))
  } catch {
    return null
  }
}
