import type { SparkplugAddress } from './sparkplug_message.ts'

/** Asks an edge node for its births: a command with the metric `Node Control/Rebirth`, which is true. */
export function rebirthCommand(
  { group, node }: SparkplugAddress,
  now_ms: number,
): { topic: string; payload: Buffer } {
  const metric = Buffer.concat([
    field(1, Buffer.from('Node Control/Rebirth')),
    // Data type 11, Boolean, and its value.
    Buffer.from([(4 << 3) | VARINT, 11, (14 << 3) | VARINT, 1]),
  ])
  const timestamp = Buffer.concat([Buffer.from([(1 << 3) | VARINT]), varint(now_ms)])
  return { topic: `spBv1.0/${group}/NCMD/${node}`, payload: Buffer.concat([timestamp, field(2, metric)]) }
}

/** Wire types of protobuf. */
const VARINT = 0
const LENGTH = 2

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | LENGTH]), varint(content.length), content])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = Math.floor(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}
