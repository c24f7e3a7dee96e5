/** Grows up to a bound while a decoder writes literals and copies of what it wrote before (LZ77). */
export class Output {
  private buffer: Buffer
  private length = 0
  private readonly bytes_max: number

  constructor(bytes_expected: number, bytes_max: number) {
    this.bytes_max = bytes_max
    this.buffer = Buffer.allocUnsafe(Math.min(bytes_expected, bytes_max))
  }

  literal(source: Buffer, from: number, count: number): void {
    if (from + count > source.length) throw new RangeError('compressed data ends too early')
    this.reserve(count)
    source.copy(this.buffer, this.length, from, from + count)
    this.length += count
  }

  /** Bytes from `distance` back; what is copied may overlap what is written, which repeats it. */
  copy(distance: number, count: number): void {
    if (distance === 0 || distance > this.length)
      throw new RangeError('compressed data refers to what is not there')
    this.reserve(count)
    const { buffer } = this
    if (distance >= count)
      buffer.copyWithin(this.length, this.length - distance, this.length - distance + count)
    else for (let i = this.length; i < this.length + count; i += 1) buffer[i] = buffer[i - distance] ?? 0
    this.length += count
  }

  result(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(count: number): void {
    const needed = this.length + count
    if (needed > this.bytes_max)
      throw new RangeError(`decompressed data is larger than ${this.bytes_max} bytes`)
    if (needed <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.min(Math.max(needed, this.buffer.length * 2), this.bytes_max))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}
