/** Of the framing of snappy-java: 8 bytes of magic, then two versions of 4 bytes. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

type Allocate = (bytes: number) => Buffer
const allocateAnew: Allocate = (bytes) => Buffer.allocUnsafe(bytes)

/**
 * Reads the Snappy format (google/snappy, format_description.txt), bare or as Java producers write it: blocks with their
 * lengths in the framing of snappy-java. Throws RangeError for data that is broken or larger than the bound. `allocate` gives the
 * buffer that a bare block is written into.
 */
export function decompressSnappy(data: Buffer, bytes_max: number, allocate: Allocate = allocateAnew): Buffer {
  if (!data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return block(data, bytes_max, allocate)
  const blocks: Buffer[] = []
  let bytes = 0
  for (let at = XERIAL_HEADER_BYTES; at < data.length; ) {
    const length = data.readInt32BE(at)
    at += 4
    if (length < 0 || at + length > data.length) throw new RangeError('compressed data ends too early')
    const decompressed = block(data.subarray(at, at + length), bytes_max - bytes, allocateAnew)
    bytes += decompressed.length
    blocks.push(decompressed)
    at += length
  }
  return Buffer.concat(blocks)
}

/** A copy of 64 bytes takes three: no block says more than so many times its own size. */
const EXPANSION_MAX = 22

function block(data: Buffer, bytes_max: number, allocate: Allocate): Buffer {
  const { length, at: first } = decompressedLength(data)
  if (length > bytes_max) throw new RangeError(`decompressed data is larger than ${bytes_max} bytes`)
  if (length > data.length * EXPANSION_MAX)
    throw new RangeError(`compressed data of ${data.length} bytes cannot hold the ${length} that it says`)
  const output = allocate(length)
  let to = 0
  let at = first
  while (at < data.length) {
    const tag = data.readUInt8(at)
    at += 1
    const kind = tag & 3
    if (kind === 0) {
      const extra_bytes = Math.max(0, (tag >> 2) - 59)
      const count = (extra_bytes === 0 ? tag >> 2 : data.readUIntLE(at, extra_bytes)) + 1
      at += extra_bytes
      to = literal(data, at, count, output, to)
      at += count
    } else if (kind === 1) {
      to = copy(((tag >> 5) << 8) | data.readUInt8(at), ((tag >> 2) & 7) + 4, output, to)
      at += 1
    } else {
      const distance_bytes = kind === 2 ? 2 : 4
      to = copy(data.readUIntLE(at, distance_bytes), (tag >> 2) + 1, output, to)
      at += distance_bytes
    }
  }
  if (to !== length) throw new RangeError(`compressed data holds ${to} bytes, it says ${length}`)
  return output
}

/** Up to so many bytes a loop is faster than a call. */
const LOOP_BYTES = 32

function literal(data: Buffer, from: number, count: number, output: Buffer, to: number): number {
  if (from + count > data.length) throw new RangeError('compressed data ends too early')
  const end = to + count
  if (end > output.length) throw new RangeError('compressed data holds more bytes than it says')
  if (count > LOOP_BYTES) data.copy(output, to, from, from + count)
  else for (let i = to, from_i = from; i < end; i++, from_i++) output[i] = data[from_i] as number
  return end
}

/** Bytes from `distance` back; what is copied may overlap what is written, which repeats it. */
function copy(distance: number, count: number, output: Buffer, to: number): number {
  if (distance === 0 || distance > to) throw new RangeError('compressed data refers to what is not there')
  const end = to + count
  if (end > output.length) throw new RangeError('compressed data holds more bytes than it says')
  if (count > LOOP_BYTES && distance >= count) output.copyWithin(to, to - distance, to - distance + count)
  else for (let i = to; i < end; i++) output[i] = output[i - distance] as number
  return end
}

/** A little-endian base-128 number at the beginning. */
function decompressedLength(data: Buffer): { readonly length: number; readonly at: number } {
  let length = 0
  for (let at = 0; at < 5; at += 1) {
    const byte = data.readUInt8(at)
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return { length, at: at + 1 }
  }
  throw new RangeError('compressed data has no length')
}
