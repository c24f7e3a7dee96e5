import { Misconfigured } from './errors.ts'

/** One record may not be longer: an unclosed quote must not swallow a file into memory. */
const RECORD_CHARS = 1_000_000
const DELIMITERS = [',', ';', '\t'] as const

/** The records of a CSV text (RFC 4180; comma, semicolon or tab) as they arrive, empty lines left out. */
export async function* records(chunks: AsyncIterable<string>): AsyncGenerator<string[], undefined> {
  let delimiter: string | null = null
  for await (const record of texts(chunks)) {
    delimiter ??= delimiterOf(record)
    yield fields(record, delimiter)
  }
}

/** The text of each record: a line, or several where a line break is within quotes. */
async function* texts(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  let first = true
  for await (const chunk of chunks) {
    rest += first ? chunk.replace(/^\uFEFF/, '') : chunk
    first = false
    let from = 0
    for (let end = endOfRecord(rest, from); end >= 0; end = endOfRecord(rest, from)) {
      const text = rest.slice(from, end).replace(/\r$/, '')
      from = end + 1
      if (text.trim() !== '') yield text
    }
    rest = rest.slice(from)
    if (rest.length > RECORD_CHARS)
      throw new Misconfigured(
        'csv-unreadable',
        `a record is longer than ${RECORD_CHARS} characters: is a quote left open, or is this no CSV? It begins: ${rest.slice(0, 60)}`,
      )
  }
  if (rest.trim() !== '') yield rest.replace(/\r$/, '')
}

/** Where the record that begins at `from` ends, or −1. */
function endOfRecord(text: string, from: number): number {
  let end = text.indexOf('\n', from)
  const quote = text.indexOf('"', from)
  if (end < 0 || quote < 0 || quote > end) return end
  let quoted = false
  for (end = quote; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x22) quoted = !quoted
    else if (code === 0x0a && !quoted) return end
  }
  return -1
}

const delimiterOf = (record: string): string =>
  DELIMITERS.reduce<string>(
    (best, delimiter) => (record.split(delimiter).length > record.split(best).length ? delimiter : best),
    DELIMITERS[0],
  )

function fields(record: string, delimiter: string): string[] {
  if (!record.includes('"')) return record.split(delimiter).map((field) => field.trim())
  const found: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < record.length; i++) {
    const character = record.charAt(i)
    if (character === '"') {
      if (quoted && record.charAt(i + 1) === '"') {
        field += '"'
        i++
      } else quoted = !quoted
    } else if (character === delimiter && !quoted) {
      found.push(field.trim())
      field = ''
    } else field += character
  }
  return [...found, field.trim()]
}

/** A field as it is written: in quotes where it must be. */
export const written = (field: string): string =>
  /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
