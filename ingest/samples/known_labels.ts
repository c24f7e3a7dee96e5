import type { Labels } from '../../schemas/alert.ts'
import type { ProtoReader } from '../sources/protobuf.ts'
import { Remembered } from './remembered.ts'

interface Known {
  readonly bytes: Buffer
  readonly labels: Labels
}

const REMEMBERED = 100_000
/** What is longer is read each time: it would take too much room. */
const LONGEST_BYTES = 1_024

/** Labels by the bytes that they were read from: what a sender tells every few seconds is read once. */
export class KnownLabels {
  private readonly known = new Remembered<number, Known>(REMEMBERED)

  /** `read` reads the labels that lie between `from` and `to`; what it gives is frozen. */
  of({ bytes, view }: ProtoReader, from: number, to: number, read: () => Labels): Labels {
    if (to - from > LONGEST_BYTES) return read()
    const hash = hashOf(view, from, to)
    const found = this.known.get(hash)
    if (found !== undefined && bytes.compare(found.bytes, 0, found.bytes.length, from, to) === 0)
      return found.labels
    const labels = Object.freeze(read())
    // Copied, so that it does not hold on to the whole message.
    this.known.set(hash, { bytes: Buffer.from(bytes.subarray(from, to)), labels })
    return labels
  }
}

/** 32-bit FNV-1a over words of four bytes: two that meet only cost time, since the bytes are compared. */
function hashOf(view: DataView, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ (to - from)
  let at = from
  for (; at + 4 <= to; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x01000193)
    hash ^= hash >>> 15
  }
  for (; at < to; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193)
  return hash | 0
}
