/** Writes protobuf and blocks of snappy as their specifications say, independently of the program. */

export type Part = Buffer

export function varint(value: number | bigint): Part {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

/** A field that is a number in as many bytes as it needs. */
export const number = (field: number, value: number | bigint): Part =>
  Buffer.concat([varint(field << 3), varint(value)])

/** A field with a length: a text, or a message of these parts. */
export function message(field: number, ...parts: readonly (Part | string)[]): Part {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content])
}

export function double(field: number, value: number): Part {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([varint((field << 3) | 1), bytes])
}

export function fixed64(field: number, value: bigint): Part {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return Buffer.concat([varint((field << 3) | 1), bytes])
}

/** A field of eight bytes as they are. */
export const raw64 = (field: number, hex: string): Part =>
  Buffer.concat([varint((field << 3) | 1), Buffer.from(hex, 'hex')])

/** One literal: what an encoder may write that finds nothing to copy. */
export function snappy(content: Buffer): Buffer {
  if (content.length === 0) return Buffer.of(0)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(content.length - 1)
  return Buffer.concat([varint(content.length), Buffer.of(63 << 2), length, content])
}

/** The NaN by which Prometheus says that a series is gone, as it lies on the wire. */
export const STALE = '020000000000f07f'
