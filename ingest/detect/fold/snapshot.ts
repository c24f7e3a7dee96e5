import { LIMITS } from '../../../schemas/limits.ts'
import { contextRow, EVIDENCE_ROWS, keysOf, rowsOf } from './rows.ts'
import type { State } from './state.ts'

/** Rows to be stored, and where a replay of them begins. */
export interface Snapshot {
  readonly put: ReadonlyMap<string, Buffer>
  readonly delete: ReadonlySet<string>
  readonly position: number
}

/**
 * Stores the devices that have waited longest, as many as fit. Each is stored as it is now; a replay begins before the first change that is
 * not stored, and leaves each device alone until it comes to where that was stored. So no commit is large, and none waits for all.
 * `over`: the plots of alerts that are over by fingerprint, the oldest first; the oldest go.
 */
export function takeSnapshot(state: State, over: Map<string, number>, bytes_max: number): Snapshot {
  const put = new Map<string, Buffer>()
  const gone = new Set<string>()
  let bytes = 0
  for (const device of state.dirty.keys()) {
    if (bytes >= bytes_max) break
    state.dirty.delete(device)
    device.applied = state.context.position
    for (const { fingerprint, cleared_at_ms } of device.closed) {
      over.delete(fingerprint)
      over.set(fingerprint, cleared_at_ms ?? 0)
    }
    if (device.series.length === 0) {
      for (const key of keysOf(device)) {
        put.delete(key)
        gone.add(key)
      }
      continue
    }
    for (const [key, value] of rowsOf(device)) {
      put.set(key, value)
      // It came again after it was forgotten.
      gone.delete(key)
      bytes += value.length
    }
  }
  for (const fingerprint of over.keys()) {
    if (over.size <= LIMITS.evidence_kept_per_partition) break
    over.delete(fingerprint)
    put.delete(`${EVIDENCE_ROWS}${fingerprint}`)
    gone.add(`${EVIDENCE_ROWS}${fingerprint}`)
  }
  const [first] = state.dirty.values()
  const context = first ?? state.context
  put.set(...contextRow(context))
  return { put, delete: gone, position: context.position }
}
