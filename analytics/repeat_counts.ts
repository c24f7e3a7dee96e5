import type { Origin, Place } from '../schemas/record.ts'
import type { Repeats } from '../schemas/repeats.ts'
import type { LogPlace } from './rows.ts'

const WORDS = 4
const FIRST_CAPACITY = 1_024
const NONE = -1
/** at, first_at, log_partition, log_position, fingerprint_bytes, repeats, then the origin. */
const FIXED_BYTES = 8 + 8 + 2 + 8 + 16 + 8
const ORIGIN_TAIL_BYTES = 4 + 8 + 4
const CHUNK_ROWS = 4_096

/** Columns of `alert_repeats` in the order of `rows`. */
export const REPEAT_COLUMNS = [
  'at',
  'first_at',
  'log_partition',
  'log_position',
  'fingerprint_bytes',
  'repeats',
  'origin_source',
  'origin_partition',
  'origin_offset',
  'origin_ordinal',
] as const

/** Repeats of one partition of the log and one source partition, counted by alert. */
export class RepeatCounts {
  count = 0
  private readonly partition: number
  private readonly origin: Origin | null
  private capacity = FIRST_CAPACITY
  private words = new Int32Array(FIRST_CAPACITY * WORDS)
  private repeats = new Float64Array(FIRST_CAPACITY)
  private first_ms = new Float64Array(FIRST_CAPACITY)
  private last_ms = new Float64Array(FIRST_CAPACITY)
  private positions = new Float64Array(FIRST_CAPACITY)
  private offsets = new Float64Array(FIRST_CAPACITY)
  private ordinals = new Float64Array(FIRST_CAPACITY)
  private index = new Int32Array(FIRST_CAPACITY * 2).fill(NONE)

  constructor(partition: number, origin: Origin | null) {
    this.partition = partition
    this.origin = origin
  }

  /** Counts those of one entry from `first` on; returns how many alerts are new here. */
  add({ position, time_ms }: LogPlace, repeats: Repeats, first: number): number {
    const before = this.count
    for (let i = first; i < repeats.count; i++) {
      const row = this.rowOf(repeats, i)
      if ((this.repeats[row] as number) === 0) this.first_ms[row] = time_ms
      this.repeats[row] = (this.repeats[row] as number) + 1
      this.last_ms[row] = time_ms
      this.positions[row] = position
      const place: Place = repeats.places[i] ?? NOWHERE
      this.offsets[row] = place[0]
      this.ordinals[row] = place[1]
    }
    return this.count - before
  }

  /** The rows in ClickHouse's RowBinary, in pieces. */
  *rows(): Generator<Buffer> {
    const source = Buffer.from(this.origin?.source ?? '')
    const row_bytes = FIXED_BYTES + varintBytes(source.length) + source.length + ORIGIN_TAIL_BYTES
    for (let from = 0; from < this.count; from += CHUNK_ROWS) {
      const to = Math.min(this.count, from + CHUNK_ROWS)
      const bytes = Buffer.allocUnsafe((to - from) * row_bytes)
      for (let row = from; row < to; row++) this.write(bytes, (row - from) * row_bytes, row, source)
      yield bytes
    }
  }

  private write(bytes: Buffer, at: number, row: number, source: Buffer): void {
    writeUInt64(bytes, at, this.last_ms[row] as number)
    writeUInt64(bytes, at + 8, this.first_ms[row] as number)
    bytes.writeUInt16LE(this.partition, at + 16)
    writeUInt64(bytes, at + 18, this.positions[row] as number)
    for (let i = 0; i < WORDS; i++) bytes.writeInt32LE(this.words[row * WORDS + i] as number, at + 26 + i * 4)
    writeUInt64(bytes, at + 42, this.repeats[row] as number)
    let tail = at + FIXED_BYTES
    for (let rest = source.length; ; rest >>>= 7) {
      bytes[tail++] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80
      if (rest < 0x80) break
    }
    tail += source.copy(bytes, tail)
    bytes.writeUInt32LE(this.origin?.partition ?? 0, tail)
    writeUInt64(bytes, tail + 4, this.offsets[row] as number)
    bytes.writeUInt32LE(this.ordinals[row] as number, tail + 12)
  }

  private rowOf(repeats: Repeats, i: number): number {
    const { words, index } = this
    const [a, b] = [repeats.word(i, 0), repeats.word(i, 1)]
    const [c, d] = [repeats.word(i, 2), repeats.word(i, 3)]
    const mask = index.length - 1
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const row = index[slot] as number
      if (row === NONE) return this.insert(slot, a, b, c, d)
      const at = row * WORDS
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return row
    }
  }

  private insert(slot: number, a: number, b: number, c: number, d: number): number {
    const row = this.count++
    this.index[slot] = row
    this.words.set([a, b, c, d], row * WORDS)
    if (this.count === this.capacity) this.grow()
    return row
  }

  private grow(): void {
    this.capacity *= 2
    const larger = <T extends Int32Array | Float64Array>(old: T, fresh: T): T => {
      fresh.set(old)
      return fresh
    }
    this.words = larger(this.words, new Int32Array(this.capacity * WORDS))
    this.repeats = larger(this.repeats, new Float64Array(this.capacity))
    this.first_ms = larger(this.first_ms, new Float64Array(this.capacity))
    this.last_ms = larger(this.last_ms, new Float64Array(this.capacity))
    this.positions = larger(this.positions, new Float64Array(this.capacity))
    this.offsets = larger(this.offsets, new Float64Array(this.capacity))
    this.ordinals = larger(this.ordinals, new Float64Array(this.capacity))
    this.index = new Int32Array(this.capacity * 2).fill(NONE)
    const mask = this.index.length - 1
    for (let row = 0; row < this.count; row++) {
      let slot = (this.words[row * WORDS] as number) & mask
      while (this.index[slot] !== NONE) slot = (slot + 1) & mask
      this.index[slot] = row
    }
  }
}

const NOWHERE: Place = [0, 0]

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3
}

/** A whole number below 2^53. */
function writeUInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, at)
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4)
}
