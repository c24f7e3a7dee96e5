import { CodecError } from './codec.ts'
import { closed, labelHash, textHash } from './series_hash.ts'
import { QUALITIES, type SamplesRecord, type Series, setLabel } from './sample.ts'

/**
 * Entries of the samples log. All numbers are little-endian, as they lie in the memory of every machine that Node runs on here:
 *
 *   u8 format (2), u8 flags, u16 zero, u32 readings n, u32 series s, u32 labels l of all series, u32 bytes of the text, u32 zero
 *   f64[n] at_ms, f64[n] value, u32[n] of
 *   index[l] names, index[l] values, index[s] scopes: places in the list of texts; u16, or u32 with the flag WIDE
 *   u8[s] labels of each series, u8[n] quality
 *   the text: JSON of {received_at_ms, source, texts}
 *
 * Series of one message have most names and values of labels in common; each is written once.
 */
const FORMAT = 2
const HEADER_BYTES = 24
const HISTORICAL = 1
const WIDE = 2
const NARROW_MAX = 0x10000

interface Sizes {
  readonly readings: number
  readonly series: number
  readonly labels: number
  readonly wide: boolean
}

/** Views of everything between the header and the text. */
function columnsOf(buffer: ArrayBuffer, from: number, { readings, series, labels, wide }: Sizes) {
  let at = from
  const place = (bytes: number): number => {
    const placed = at
    at += bytes
    return placed
  }
  const indices = (count: number): Uint16Array | Uint32Array =>
    wide ? new Uint32Array(buffer, place(4 * count), count) : new Uint16Array(buffer, place(2 * count), count)
  const bytes = (count: number) => new Uint8Array(buffer, place(count), count)
  return {
    at_ms: new Float64Array(buffer, place(8 * readings), readings),
    value: new Float64Array(buffer, place(8 * readings), readings),
    of: new Uint32Array(buffer, place(4 * readings), readings),
    names: indices(labels),
    values: indices(labels),
    scopes: indices(series),
    label_counts: bytes(series),
    quality: bytes(readings),
  }
}

function columnBytes({ readings, series, labels, wide }: Sizes): number {
  const index_bytes = wide ? 4 : 2
  return readings * 21 + (2 * labels + series) * index_bytes + series
}

/** Texts, each once, by the number under which it is written. */
class Texts {
  readonly list: string[] = []
  private readonly numbers = new Map<string, number>()

  number(text: string): number {
    const known = this.numbers.get(text)
    if (known !== undefined) return known
    this.numbers.set(text, this.list.length)
    return this.list.push(text) - 1
  }
}

/** Numbers of texts in one place of a series after the other: one after another most of them are the same, which saves to look them up. */
class Place {
  private text: string | null = null
  private number = 0

  of(text: string, texts: Texts): number {
    if (text === this.text) return this.number
    this.text = text
    this.number = texts.number(text)
    return this.number
  }
}

interface Numbered {
  readonly names: readonly number[]
  readonly values: readonly number[]
  readonly scopes: readonly number[]
  readonly label_counts: readonly number[]
}

function numbered(series: readonly Series[], texts: Texts): Numbered {
  const [names, values, scopes, label_counts]: [number[], number[], number[], number[]] = [[], [], [], []]
  const scope_place = new Place()
  const places: (readonly [name: Place, value: Place])[] = []
  for (const { scope, labels } of series) {
    scopes.push(scope_place.of(scope, texts))
    const own = Object.keys(labels)
    label_counts.push(own.length)
    while (places.length < own.length) places.push([new Place(), new Place()])
    for (let i = 0; i < own.length; i++) {
      const [name_place, value_place] = places[i] as (typeof places)[number]
      const name = own[i] as string
      names.push(name_place.of(name, texts))
      values.push(value_place.of(labels[name] as string, texts))
    }
  }
  return { names, values, scopes, label_counts }
}

/** Texts must be well-formed Unicode; a series has at most 255 labels. */
export function encodeSamples(record: SamplesRecord): Buffer {
  const texts = new Texts()
  const { names, values, scopes, label_counts } = numbered(record.series, texts)
  const sizes: Sizes = {
    readings: record.of.length,
    series: record.series.length,
    labels: names.length,
    wide: texts.list.length > NARROW_MAX,
  }
  const { received_at_ms, source, historical } = record
  const text = JSON.stringify({ received_at_ms, source, texts: texts.list })
  const text_from = HEADER_BYTES + columnBytes(sizes)
  const text_bytes = Buffer.byteLength(text)
  const buffer = new ArrayBuffer(text_from + text_bytes)
  const bytes = Buffer.from(buffer)
  bytes[0] = FORMAT
  bytes[1] = (historical ? HISTORICAL : 0) | (sizes.wide ? WIDE : 0)
  bytes.writeUInt32LE(sizes.readings, 4)
  bytes.writeUInt32LE(sizes.series, 8)
  bytes.writeUInt32LE(sizes.labels, 12)
  bytes.writeUInt32LE(text_bytes, 16)
  const columns = columnsOf(buffer, HEADER_BYTES, sizes)
  columns.at_ms.set(record.at_ms)
  columns.value.set(record.value)
  columns.of.set(record.of)
  columns.names.set(names)
  columns.values.set(values)
  columns.scopes.set(scopes)
  columns.label_counts.set(label_counts)
  columns.quality.set(record.quality)
  bytes.write(text, text_from)
  return bytes
}

/** Throws CodecError `entry-format`, `entry-json` or `entry-shape`. */
export function decodeSamples(entry: Buffer): SamplesRecord {
  const { sizes, historical, text_from } = readHeader(entry)
  const { received_at_ms, source, texts } = readText(entry.subarray(text_from))
  // Copied: views need a place that divides by their width, and the entry may lie anywhere.
  const copy = new ArrayBuffer(text_from - HEADER_BYTES)
  new Uint8Array(copy).set(entry.subarray(HEADER_BYTES, text_from))
  const columns = columnsOf(copy, 0, sizes)
  const { of, at_ms, value, quality } = columns
  checkReadings(columns, sizes)
  return {
    kind: 'samples',
    received_at_ms,
    source,
    historical,
    series: seriesOf(columns, texts),
    hashes: hashesOf(columns, texts),
    of,
    at_ms,
    value,
    quality,
  }
}

type Columns = ReturnType<typeof columnsOf>

const wrong = (what: string) =>
  new CodecError('entry-shape', `an entry of samples has the wrong shape: ${what}`)

function readHeader(entry: Buffer) {
  const format = entry[0]
  if (format !== FORMAT || entry.length < HEADER_BYTES)
    throw new CodecError(
      'entry-format',
      `an entry of ${entry.length} bytes begins with byte ${format ?? 'none'}, which is no known format of samples`,
    )
  const flags = entry.readUInt8(1)
  if ((flags & ~(HISTORICAL | WIDE)) !== 0) throw wrong(`the flags ${flags} are not known`)
  const sizes: Sizes = {
    readings: entry.readUInt32LE(4),
    series: entry.readUInt32LE(8),
    labels: entry.readUInt32LE(12),
    wide: (flags & WIDE) !== 0,
  }
  const text_from = HEADER_BYTES + columnBytes(sizes)
  const bytes = text_from + entry.readUInt32LE(16)
  if (bytes !== entry.length) throw wrong(`it has ${entry.length} bytes and tells of ${bytes}`)
  if (sizes.readings === 0) throw wrong('it has no readings')
  return { sizes, historical: (flags & HISTORICAL) !== 0, text_from }
}

function readText(text: Buffer) {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.toString())
  } catch {
    throw new CodecError('entry-json', `the text of an entry of samples is not JSON (${text.length} bytes)`)
  }
  const { received_at_ms, source, texts } = (parsed ?? {}) as Readonly<Record<string, unknown>>
  if (typeof received_at_ms !== 'number' || typeof source !== 'string' || !isTexts(texts))
    throw wrong('time, source and texts')
  return { received_at_ms, source, texts }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string')

function checkReadings({ of, at_ms, value, quality }: Columns, { series }: Sizes): void {
  for (let i = 0; i < of.length; i++) {
    if ((of[i] as number) >= series) throw wrong(`reading ${i} is of series ${of[i]}, there are ${series}`)
    if (!Number.isFinite(at_ms[i]) || !Number.isFinite(value[i])) throw wrong(`reading ${i} is no number`)
    if ((quality[i] as number) >= QUALITIES.length) throw wrong(`reading ${i} has the quality ${quality[i]}`)
  }
}

function seriesOf({ names, values, scopes, label_counts }: Columns, texts: readonly string[]): Series[] {
  const text = (index: number | undefined): string => {
    const found = texts[index ?? -1]
    if (found === undefined) throw wrong(`there is no text ${index}`)
    return found
  }
  let at = 0
  const series = Array.from(label_counts, (count, i) => {
    const labels: Record<string, string> = {}
    for (const end = at + count; at < end; at++) setLabel(labels, text(names[at]), text(values[at]))
    return { scope: text(scopes[i]), labels }
  })
  if (at !== names.length) throw wrong(`the series have ${at} labels, it tells of ${names.length}`)
  return series
}

/** Each text is hashed once, however many series have it. */
function hashesOf({ names, values, scopes, label_counts }: Columns, texts: readonly string[]): Int32Array {
  const text_hashes = Int32Array.from(texts, textHash)
  const hashes = new Int32Array(label_counts.length)
  let at = 0
  for (let i = 0; i < hashes.length; i++) {
    let sum = 0
    for (const end = at + (label_counts[i] as number); at < end; at++)
      sum =
        (sum +
          labelHash(
            text_hashes[names[at] as number] as number,
            text_hashes[values[at] as number] as number,
          )) |
        0
    hashes[i] = closed(text_hashes[scopes[i] as number] as number, sum)
  }
  return hashes
}
