import type { Labels } from '../../schemas/alert.ts'
import type { TimeUnit } from '../../schemas/source_formats.ts'
import { setLabel } from '../../schemas/sample.ts'
import { cut } from '../sources/fields.ts'
import { Unreadable } from '../sources/format.ts'
import type { DecodeSamples, SampleMessage } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { checkCount, type Gathering, gathering } from './gathering.ts'
import { metricOfField, readingOf } from './numbers.ts'
import { Remembered } from './remembered.ts'
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
  const known = new Remembered<string, Labels>(REMEMBERED)
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
      (line) => new Line(line, known).read(message, unit, into),
    )
  })
}

/** Not empty, and no comments. Throws Unreadable when there are too many. A text between quotes may hold the end of a line. */
function linesOf(text: string): readonly string[] {
  const lines: string[] = []
  let quote = text.indexOf('"')
  for (let from = 0; from < text.length; ) {
    if (quote !== -1 && quote < from) quote = text.indexOf('"', from)
    const end = endOfLine(text, from, quote)
    const line = text.slice(from, end).trim()
    if (line !== '' && !line.startsWith('#')) checkCount(lines.push(line))
    from = end + 1
  }
  return lines
}

/** `quote`: where the next one stands, or -1. */
function endOfLine(text: string, from: number, quote: number): number {
  const newline = text.indexOf('\n', from)
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

const REMEMBERED = 100_000
/** What is longer is read each time: it would take too much room. */
const LONGEST_CHARS = 1_024
const [COMMA, SPACE, EQUALS, BACKSLASH, QUOTE] = [',', ' ', '=', '\\', '"'].map((sign) =>
  sign.charCodeAt(0),
) as [number, number, number, number, number]

/** One line, read from left to right. Throws Unreadable `line-syntax`. */
class Line {
  private readonly text: string
  private readonly known: Remembered<string, Labels>
  private at = 0

  /** `known`: labels by the text of measurement, tags and field, which a sender repeats every few seconds. */
  constructor(text: string, known: Remembered<string, Labels>) {
    this.text = text
    this.known = known
  }

  read(message: SampleMessage, unit: TimeUnit | null, into: Gathering): void {
    const head = this.raw(SPACE)
    if (!this.passes(SPACE)) throw this.wrong('there are no fields')
    while (this.passes(SPACE));
    const fields: (readonly [labels: Labels, value: number])[] = []
    do {
      const name = this.name('field')
      const value = this.value()
      if (value === null) into.dropped++
      else fields.push([this.labels(head, name), value])
    } while (this.passes(COMMA))
    const at_ms = this.time(message, unit)
    for (const [labels, value] of fields) into.add(labels, [readingOf(at_ms, value)])
  }

  private labels(head: string, field_name: string): Labels {
    const key = `${head} ${field_name}`
    const known = this.known.get(key)
    if (known !== undefined) return known
    // Copied, so that what is remembered does not hold on to the whole message.
    const own_key = Buffer.from(key).toString()
    const labels = new Line(own_key.slice(0, head.length), this.known).head(own_key.slice(head.length + 1))
    if (key.length <= LONGEST_CHARS) this.known.set(own_key, Object.freeze(labels))
    return labels
  }

  /** Of a text that is measurement and tags alone. */
  private head(field_name: string): Labels {
    const measurement = this.token(COMMA)
    if (measurement === '') throw this.wrong('there is no measurement')
    const tags: Record<string, string> = {}
    while (this.passes(COMMA)) {
      const name = this.name('tag')
      const value = this.token(COMMA)
      if (value !== '') setLabel(tags, name, value)
    }
    return seriesLabels(metricOfField(measurement, field_name), tags)
  }

  private time({ at_ms }: SampleMessage, unit: TimeUnit | null): number {
    const told = this.text.slice(this.at).trim()
    if (told === '') return at_ms
    if (!TIMESTAMP.test(told)) throw this.wrong(`${cut(told, 40)} is no time`)
    return msOf(Number(told), unit)
  }

  /** The name before `=`. */
  private name(what: string): string {
    const name = this.token(EQUALS, COMMA, SPACE)
    if (name === '' || !this.passes(EQUALS)) throw this.wrong(`a ${what} has no name or no value`)
    return name
  }

  /** Null: a text. */
  private value(): number | null {
    if (this.text.charCodeAt(this.at) === QUOTE) {
      this.quoted()
      return null
    }
    const text = this.token(COMMA, SPACE)
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
  private token(a: number, b = a, c = a): string {
    const raw = this.raw(a, b, c)
    return raw.includes('\\') ? raw.replaceAll(/\\([,= \\])/g, '$1') : raw
  }

  /** The same with its backslashes. */
  private raw(a: number, b = a, c = a): string {
    const { text } = this
    const from = this.at
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === a || code === b || code === c) break
      if (code === BACKSLASH) at++
    }
    this.at = Math.min(at, text.length)
    return text.slice(from, this.at)
  }

  private passes(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false
    this.at++
    return true
  }

  private wrong(what: string): Unreadable {
    return new Unreadable('line-syntax', `${what} (at ${this.at + 1} of the line)`)
  }
}
