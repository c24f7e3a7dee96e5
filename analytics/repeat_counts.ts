import type { Origin, Place } from '../schemas/record.ts'
import { enlarged, FingerprintIndex } from '../schemas/fingerprint_index.ts'
import { FINGERPRINT_WORDS, type Repeats } from '../schemas/repeats.ts'
import type { LogPlace } from './rows.ts'

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
  private readonly partition: number
  private readonly origin: Origin | null
  private readonly alerts = new FingerprintIndex()
  private readonly asked = new Int32Array(FINGERPRINT_WORDS)
  private capacity = this.alerts.capacity
  private repeats = new Float64Array(this.capacity)
  private first_ms = new Float64Array(this.capacity)
  private last_ms = new Float64Array(this.capacity)
  private positions = new Float64Array(this.capacity)
  private offsets = new Float64Array(this.capacity)
  private ordinals = new Float64Array(this.capacity)

  constructor(partition: number, origin: Origin | null) {
    this.partition = partition
    this.origin = origin
  }

  get count(): number {
    return this.alerts.count
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
    for (let i = 0; i < FINGERPRINT_WORDS; i++)
      bytes.writeInt32LE(this.alerts.words[row * FINGERPRINT_WORDS + i] as number, at + 26 + i * 4)
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
    const { alerts, asked } = this
    repeats.words(i, asked)
    const known = alerts.find(asked)
    if (known >= 0) return known
    const row = alerts.add(asked)
    if (alerts.capacity > this.capacity) this.grow()
    return row
  }

  private grow(): void {
    this.capacity = this.alerts.capacity
    this.repeats = enlarged(this.repeats, new Float64Array(this.capacity))
    this.first_ms = enlarged(this.first_ms, new Float64Array(this.capacity))
    this.last_ms = enlarged(this.last_ms, new Float64Array(this.capacity))
    this.positions = enlarged(this.positions, new Float64Array(this.capacity))
    this.offsets = enlarged(this.offsets, new Float64Array(this.capacity))
    this.ordinals = enlarged(this.ordinals, new Float64Array(this.capacity))
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
