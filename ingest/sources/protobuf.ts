import { Unreadable } from './format.ts'

/** Wire types of protobuf. */
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5
const TWO_32 = 0x1_0000_0000

const broken = (what: string) => new Unreadable('protobuf', `the protobuf is broken: ${what}`)

/**
 * Reads the wire format of protobuf, field by field: `while (reader.at < end) switch (reader.uint32()) …`. Throws Unreadable `protobuf`.
 * Integers beyond 2^53 lose their last digits.
 */
export class ProtoReader {
  readonly bytes: Buffer
  readonly view: DataView
  at = 0
  private low = 0
  private high = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** A varint of which the lower 32 bits are wanted: tags, lengths, references, flags. */
  uint32(): number {
    const first = this.bytes[this.at] ?? 0x80
    if (first < 0x80) {
      this.at++
      return first
    }
    this.varint()
    return this.low
  }

  uint64(): number {
    this.varint()
    return this.high * TWO_32 + this.low
  }

  int64(): number {
    this.varint()
    return (this.high | 0) * TWO_32 + this.low
  }

  /** Exact: as a number up to 2^53, beyond as a text. */
  exactUint64(): number | string {
    this.varint()
    const { high, low } = this
    return high < 0x20_0000 ? high * TWO_32 + low : `${high}:${low}`
  }

  float(): number {
    return this.view.getFloat32(this.take(4), true)
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true)
  }

  /** Is the double that comes next this one, bit for bit? */
  isDouble(high: number, low: number): boolean {
    const at = this.take(8)
    this.at = at
    return this.view.getUint32(at + 4, true) === high && this.view.getUint32(at, true) === low
  }

  fixed64(): number {
    const at = this.take(8)
    return this.view.getUint32(at + 4, true) * TWO_32 + this.view.getUint32(at, true)
  }

  sfixed64(): number {
    const at = this.take(8)
    return this.view.getInt32(at + 4, true) * TWO_32 + this.view.getUint32(at, true)
  }

  string(): string {
    const end = this.open()
    const from = this.at
    this.at = end
    return this.bytes.toString('utf8', from, end)
  }

  /** Enters a field with a length: where it ends. */
  open(): number {
    const length = this.uint32()
    const end = this.at + length
    if (end > this.bytes.length) throw broken(`a field of ${length} bytes at ${this.at} goes beyond the end`)
    return end
  }

  /** After the last field of a message that ends at `end`. */
  close(end: number): void {
    if (this.at !== end) throw broken(`a field goes beyond the end of its message at ${end}`)
  }

  /** Passes over the value of a field with this tag. */
  skip(tag: number): void {
    const type = tag & 7
    if (type === 0) this.varint()
    else if (type === FIXED64) this.take(8)
    else if (type === LENGTH) this.at = this.open()
    else if (type === FIXED32) this.take(4)
    else throw broken(`the wire type ${type} at ${this.at} is not known`)
  }

  private take(count: number): number {
    const { at } = this
    if (at + count > this.bytes.length) throw broken(`${count} bytes at ${at} go beyond the end`)
    this.at = at + count
    return at
  }

  /** Into `low` and `high`, both unsigned. */
  private varint(): void {
    const { bytes } = this
    let { at } = this
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw broken(`a number at ${this.at} goes beyond the end`)
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.at = at
        this.low = low >>> 0
        this.high = high >>> 0
        return
      }
    }
    throw broken(`a number at ${this.at} has more than ten bytes`)
  }
}

/** The tag of a field: its number and the wire type of its value. */
export const field = (number: number, type: 'varint' | 'fixed64' | 'length' | 'fixed32'): number =>
  (number << 3) | { varint: 0, fixed64: FIXED64, length: LENGTH, fixed32: FIXED32 }[type]
