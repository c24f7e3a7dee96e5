/** Compresses one block as google/snappy does: the last place of each four bytes, copies of up to 64 bytes, literals for the rest. */
const HASH_BITS = 14
const BLOCK_BYTES = 65_536

export function compressSnappy(data: Buffer): Buffer {
  const output = Buffer.allocUnsafe(32 + data.length + Math.ceil(data.length / 6))
  let at = 0
  let length = data.length
  for (; length >= 0x80; length = Math.floor(length / 128)) output[at++] = (length % 128) | 0x80
  output[at++] = length
  for (let from = 0; from < data.length; from += BLOCK_BYTES)
    at = compressBlock(data.subarray(from, from + BLOCK_BYTES), output, at)
  return Buffer.from(output.subarray(0, at))
}

function compressBlock(data: Buffer, output: Buffer, start: number): number {
  const places = new Int32Array(1 << HASH_BITS).fill(-1)
  let at = start
  let literal_from = 0
  let i = 0
  while (i + 4 <= data.length) {
    const word = data.readUInt32LE(i)
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS)
    const candidate = places[hash] as number
    places[hash] = i
    if (candidate < 0 || data.readUInt32LE(candidate) !== word) {
      i++
      continue
    }
    let count = 4
    while (i + count < data.length && data[candidate + count] === data[i + count]) count++
    at = literal(data, literal_from, i, output, at)
    at = copies(i - candidate, count, output, at)
    i += count
    literal_from = i
  }
  return literal(data, literal_from, data.length, output, at)
}

function literal(data: Buffer, from: number, to: number, output: Buffer, start: number): number {
  const count = to - from
  if (count === 0) return start
  let at = start
  if (count <= 60) output[at++] = (count - 1) << 2
  else {
    output[at++] = 61 << 2
    output.writeUInt16LE(count - 1, at)
    at += 2
  }
  data.copy(output, at, from, to)
  return at + count
}

function copies(distance: number, count: number, output: Buffer, start: number): number {
  let at = start
  for (let left = count; left > 0; ) {
    const part = Math.min(left, 64)
    output[at++] = ((part - 1) << 2) | 2
    output.writeUInt16LE(distance, at)
    at += 2
    left -= part
  }
  return at
}
