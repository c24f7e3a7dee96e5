/** The write-ahead log of SQLite (https://www.sqlite.org/fileformat2.html#walformat), damaged as a crash would leave it. */
import { randomBytes } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const SALTS = { header: 16, frame: 8, bytes: 8 } as const

export const WAL_DAMAGES = [
  'garbage at its end',
  'a torn last page',
  'a last page that was not written',
  'its rest cut off',
] as const
export type WalDamage = (typeof WAL_DAMAGES)[number]

/**
 * Damages what lies beyond the last frame that was written as a whole. Frames of earlier rounds may follow there: they
 * have other salts.
 */
export function damageWal(path: string, damage: WalDamage): void {
  const wal = readFileSync(path)
  const end = validEnd(wal)
  if (damage === 'its rest cut off') return truncateSync(path, end)
  const torn = tornFrame(wal, damage)
  if (damage === 'a torn last page')
    return writeFileSync(path, Buffer.concat([wal.subarray(0, end), torn.subarray(0, torn.length / 2)]))
  writeFileSync(path, Buffer.concat([wal.subarray(0, end), torn, wal.subarray(end + torn.length)]))
}

function validEnd(wal: Buffer): number {
  const frame_bytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8)
  const salts = wal.subarray(SALTS.header, SALTS.header + SALTS.bytes)
  let end = HEADER_BYTES
  while (
    end + frame_bytes <= wal.length &&
    wal.subarray(end + SALTS.frame, end + SALTS.frame + SALTS.bytes).equals(salts)
  )
    end += frame_bytes
  return end
}

/** What may be found of a transaction that was being written: nothing of it, or its header without the page that it announces. */
function tornFrame(wal: Buffer, damage: WalDamage): Buffer {
  const page_bytes = wal.readUInt32BE(8)
  const frame =
    damage === 'a last page that was not written'
      ? Buffer.alloc(FRAME_HEADER_BYTES + page_bytes)
      : randomBytes(FRAME_HEADER_BYTES + page_bytes)
  if (damage === 'garbage at its end') return frame
  frame.writeUInt32BE(1, 0)
  frame.writeUInt32BE(1, 4)
  wal.copy(frame, SALTS.frame, SALTS.header, SALTS.header + SALTS.bytes)
  return frame
}
