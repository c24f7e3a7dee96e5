/** What OTLP over HTTP answers, in the encoding of the request. */

export const PROTOBUF = 'application/x-protobuf'

const MESSAGE_CHARS = 1_000

/** Lower 32 bits are enough here. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return [...bytes, rest]
}

function counted(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes])
}

function numberField(number: number, value: number): Buffer {
  return Buffer.from([number << 3, ...varint(value)])
}

/** The answer to an export that was taken: in its field `partial_success` how many of its items were rejected, and why. */
export function exportResponse(rejected: number, message: string): Buffer {
  if (rejected === 0) return Buffer.alloc(0)
  const text = message.slice(0, MESSAGE_CHARS).toWellFormed()
  const partial = [numberField(1, rejected), counted(2, Buffer.from(text))]
  return counted(1, Buffer.concat(partial))
}

/** google.rpc.Status. */
export function rpcStatus(code: number, message: string): Buffer {
  return Buffer.concat([
    numberField(1, code),
    counted(2, Buffer.from(message.slice(0, MESSAGE_CHARS).toWellFormed())),
  ])
}
