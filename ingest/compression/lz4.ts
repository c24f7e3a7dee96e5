import { Output } from './output.ts'

const MAGIC = 0x184d2204
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_CONTENT_SIZE = 0x08
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_DICTIONARY = 0x01
const UNCOMPRESSED = 0x80000000

/**
 * Reads the LZ4 frame format (lz4/lz4, doc/lz4_Frame_format.md) without dictionaries. Checksums are skipped: the broker
 * has one over the batch. Throws RangeError for data that is broken or larger than the bound.
 */
export function decompressLz4(data: Buffer, bytes_max: number): Buffer {
  const output = new Output(data.length * 4, bytes_max)
  for (let at = 0; at < data.length; ) at = frame(data, at, output)
  return output.result()
}

/** Returns where the frame ends. */
function frame(data: Buffer, begin: number, output: Output): number {
  if (data.readUInt32LE(begin) !== MAGIC) throw new RangeError('compressed data is no LZ4 frame')
  const flags = data.readUInt8(begin + 4)
  if (flags >> 6 !== 1 || (flags & FLAG_DICTIONARY) !== 0)
    throw new RangeError('an LZ4 frame of another kind')
  const checksum_bytes = (flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4
  let at = begin + 7 + ((flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8)
  for (;;) {
    const size = data.readUInt32LE(at)
    at += 4
    if (size === 0) return at + ((flags & FLAG_CONTENT_CHECKSUM) === 0 ? 0 : 4)
    const length = size % UNCOMPRESSED
    if (size >= UNCOMPRESSED) output.literal(data, at, length)
    else block(data.subarray(at, at + length), output)
    at += length + checksum_bytes
  }
}

/** Sequences of literals and a copy; the last has literals alone (doc/lz4_Block_format.md). */
function block(data: Buffer, output: Output): void {
  let at = 0
  const extended = (count: number): number => {
    if (count < 15) return count
    for (;;) {
      const byte = data.readUInt8(at)
      at += 1
      count += byte
      if (byte !== 255) return count
    }
  }
  while (at < data.length) {
    const token = data.readUInt8(at)
    at += 1
    const literals = extended(token >> 4)
    output.literal(data, at, literals)
    at += literals
    if (at >= data.length) return
    const distance = data.readUInt16LE(at)
    at += 2
    output.copy(distance, extended(token & 15) + 4)
  }
}
