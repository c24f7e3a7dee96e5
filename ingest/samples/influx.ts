import type { TimeUnit } from '../../schemas/source_formats.ts'
import { setLabel } from '../../schemas/sample.ts'
import { cut } from '../sources/fields.ts'
import { Unreadable } from '../sources/format.ts'
import type { DecodeSamples, SampleMessage } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { type Gathering, gathering } from './gathering.ts'
import { metricOfField, readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'
import { msOf } from './time.ts'

/**
 * InfluxDB's line protocol: `measurement,tag=a,tag=b field=1.5,field=2i,field=t 1465839830100400200`. A field that is a number or a truth
 * value is a series; one that is a text is left out and counted.
 */

const PRECISIONS: Readonly<Record<string, TimeUnit>> = {
  ns: 'ns',
  n: 'ns',
  us: 'us',
  u: 'us',
  µ: 'us',
  ms: 'ms',
  s: 's',
}

/** The unit of its times: as the address says, or the configuration, or by their size, which is nanoseconds unless a sender is set otherwise. */
export function influx({ time_unit }: SampleSettings): DecodeSamples {
  return gathering((message, into) => {
    const { body, query = {} } = message
    if (body.length === 0) throw new Unreadable('empty', 'the body is empty')
    const { precision } = query
    const unit = precision === undefined ? time_unit : PRECISIONS[precision]
    if (unit === undefined)
      throw new Unreadable('precision', `the precision ${cut(String(precision), 20)} is not known`)
    const lines = linesOf(body.toString('utf8'))
    into.each(
      lines,
      (line) => line,
      (line) => new Line(line).read(message, unit, into),
    )
  })
}

/** Not empty, and no comments. A text between quotes may hold the end of a line. */
function linesOf(text: string): readonly string[] {
  const lines: string[] = []
  let from = 0
  for (let end = endOfLine(text, from); from < text.length; end = endOfLine(text, from)) {
    const line = text.slice(from, end).trim()
    if (line !== '' && !line.startsWith('#')) lines.push(line)
    from = end + 1
  }
  return lines
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from)
  const quote = text.indexOf('"', from)
  if (newline === -1) return text.length
  if (quote === -1 || quote > newline) return newline
  let is_quoted = false
  for (let at = from; at < text.length; at++) {
    const sign = text[at]
    if (sign === '\\') at++
    else if (sign === '"') is_quoted = !is_quoted
    else if (sign === '\n' && !is_quoted) return at
  }
  // A quote that nobody closes must not take the lines after it along.
  return newline
}

const INTEGER = /^[+-]?\d+[iu]$/
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
const TRUTH: Readonly<Record<string, number>> = {
  t: 1,
  T: 1,
  true: 1,
  True: 1,
  TRUE: 1,
  f: 0,
  F: 0,
  false: 0,
  False: 0,
  FALSE: 0,
}
const TIMESTAMP = /^-?\d+$/

/** One line, read from left to right. Throws Unreadable `line-syntax`. */
class Line {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  read(message: SampleMessage, unit: TimeUnit | null, into: Gathering): void {
    const measurement = this.token(',', ' ')
    if (measurement === '') throw this.wrong('there is no measurement')
    const tags: Record<string, string> = {}
    while (this.passes(',')) {
      const name = this.pair('tag')
      const value = this.token(',', ' ')
      if (value !== '') setLabel(tags, name, value)
    }
    if (!this.passes(' ')) throw this.wrong('there are no fields')
    this.spaces()
    const fields: (readonly [name: string, value: number])[] = []
    do {
      const name = this.pair('field')
      const value = this.value()
      if (value === null) into.dropped++
      else fields.push([name, value])
    } while (this.passes(','))
    const at_ms = this.time(message, unit)
    for (const [name, value] of fields)
      into.add(seriesLabels(metricOfField(measurement, name), tags), [readingOf(at_ms, value)])
  }

  private time({ at_ms }: SampleMessage, unit: TimeUnit | null): number {
    const told = this.text.slice(this.at).trim()
    if (told === '') return at_ms
    if (!TIMESTAMP.test(told)) throw this.wrong(`${cut(told, 40)} is no time`)
    return msOf(Number(told), unit)
  }

  /** The name before `=`. */
  private pair(what: string): string {
    const name = this.token('=', ',', ' ')
    if (name === '' || !this.passes('=')) throw this.wrong(`a ${what} has no name or no value`)
    return name
  }

  /** Null: a text. */
  private value(): number | null {
    if (this.text[this.at] === '"') {
      this.quoted()
      return null
    }
    const text = this.token(',', ' ')
    if (FLOAT.test(text)) return Number(text)
    if (INTEGER.test(text)) return Number(text.slice(0, -1))
    if (Object.hasOwn(TRUTH, text)) return TRUTH[text] ?? null
    throw this.wrong(`${cut(text, 40)} is no value`)
  }

  private quoted(): void {
    for (let at = this.at + 1; at < this.text.length; at++) {
      if (this.text[at] === '\\') at++
      else if (this.text[at] === '"') {
        this.at = at + 1
        return
      }
    }
    throw this.wrong('a text is not closed')
  }

  /** Up to one of the signs, which a backslash escapes. */
  private token(...ends: readonly string[]): string {
    const { text } = this
    const from = this.at
    let is_escaped = false
    let at = from
    for (; at < text.length && !ends.includes(text[at] ?? ''); at++) {
      if (text[at] !== '\\') continue
      is_escaped = true
      at++
    }
    this.at = Math.min(at, text.length)
    const token = text.slice(from, this.at)
    return is_escaped ? token.replaceAll(/\\([,= \\])/g, '$1') : token
  }

  private passes(sign: string): boolean {
    if (this.text[this.at] !== sign) return false
    this.at++
    return true
  }

  private spaces(): void {
    while (this.passes(' '));
  }

  private wrong(what: string): Unreadable {
    return new Unreadable('line-syntax', `${what} (at ${this.at + 1} of the line)`)
  }
}
