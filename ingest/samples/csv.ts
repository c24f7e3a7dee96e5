import type { CsvColumns } from '../../schemas/readings_mapping.ts'
import { cut, labelsOf, neededText } from '../sources/fields.ts'
import { Unreadable } from '../sources/format.ts'
import type { DecodeSamples } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { checkCount, type Gathering, gathering } from './gathering.ts'
import { readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'
import { sampleTime } from './time.ts'

/**
 * Lines of CSV (RFC 4180): a column of the time, columns that are labels, and either one metric for each other column or one reading a
 * line. Cells that are empty tell nothing, cells that are texts are left out and counted.
 */
export function samplesCsv({ time_unit, csv }: SampleSettings): DecodeSamples {
  return gathering((message, into) => {
    const text = message.body.toString('utf8').replace(/^\uFEFF/, '')
    if (text.trim() === '') throw new Unreadable('empty', 'the body is empty')
    const rows = rowsOf(text, csv.separator)
    const names = csv.columns ?? rows.shift() ?? []
    const table = new Table(names, csv)
    into.each(
      rows,
      (row) => row.join(csv.separator),
      (row) => table.read(row, into, (told) => sampleTime(told, time_unit, message.at_ms, 'the time')),
    )
  })
}

const TIME_NAMES = new Set(['timestamp', 'time', 'ts', 'date'])
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i

class Table {
  private readonly names: readonly string[]
  private readonly csv: CsvColumns
  private readonly time: number
  private readonly labels: readonly number[]
  private readonly metric: number
  private readonly value: number
  private readonly metrics: readonly number[]

  /** Throws Unreadable `column-missing`. */
  constructor(names: readonly string[], csv: CsvColumns) {
    const needed = (name: string): number => {
      const at = names.indexOf(name)
      if (at !== -1) return at
      throw new Unreadable(
        'column-missing',
        `there is no column ${cut(name, 80)} among ${cut(names.join(', '), 400)}`,
      )
    }
    this.names = names
    this.csv = csv
    this.time =
      csv.time === undefined
        ? names.findIndex((name) => TIME_NAMES.has(name.toLowerCase()))
        : needed(csv.time)
    this.labels = csv.labels.map(needed)
    this.metric = csv.metric === undefined ? -1 : needed(csv.metric)
    this.value = csv.metric === undefined ? -1 : needed(csv.value)
    const others = new Set([this.time, ...this.labels])
    this.metrics = names.flatMap((_name, at) => (others.has(at) ? [] : [at]))
  }

  /** Throws Unreadable. */
  read(row: readonly string[], into: Gathering, timeOf: (told: string | undefined) => number): void {
    if (row.length > this.names.length)
      throw new Unreadable(
        'columns-too-many',
        `the line has ${row.length} cells, there are ${this.names.length} columns`,
      )
    const at_ms = timeOf(row[this.time]?.trim())
    const labels = labelsOf(
      Object.fromEntries(this.labels.map((at) => [this.names[at] ?? '', row[at] ?? ''])),
    )
    const add = (metric: string, cell: string): void => {
      const text = cell.trim()
      if (NUMBER.test(text)) into.add(seriesLabels(metric, labels), [readingOf(at_ms, Number(text))])
      else if (/^nan$/i.test(text)) into.add(seriesLabels(metric, labels), [readingOf(at_ms, Number.NaN)])
      else if (text !== '') into.dropped++
    }
    if (this.csv.metric !== undefined) add(neededText(row[this.metric], 'the metric'), row[this.value] ?? '')
    else for (const at of this.metrics) add(this.names[at] ?? '', row[at] ?? '')
  }
}

/** Cells by row; empty lines are none. Throws Unreadable when there are too many. Between quotes stands anything, and two quotes are one. */
function rowsOf(text: string, separator: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  const end = (): void => {
    if (row.length > 1 || row[0] !== '') checkCount(rows.push(row))
    row = []
  }
  while (at < text.length) {
    const [cell, next] = cellAt(text, at, separator)
    row.push(cell)
    at = next + 1
    const sign = text[next]
    if (sign === separator && at < text.length) continue
    if (sign === separator) row.push('')
    if (sign === '\r' && text[at] === '\n') at++
    end()
  }
  return rows
}

/** A cell, and where the sign that ends it stands. */
function cellAt(text: string, from: number, separator: string): readonly [cell: string, end: number] {
  if (text[from] === '"') {
    const close = closingQuote(text, from + 1)
    const end = endOfCell(text, close + 1, separator)
    if (close < text.length)
      return [text.slice(from + 1, close).replaceAll('""', '"') + text.slice(close + 1, end), end]
  }
  const end = endOfCell(text, from, separator)
  return [text.slice(from, end), end]
}

/** The length when there is none: the quote is a sign like any other then. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2))
    if (text[at + 1] !== '"') return at
  return text.length
}

function endOfCell(text: string, from: number, separator: string): number {
  let at = from
  while (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at++
  return at
}
