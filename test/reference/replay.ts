import { emptyOutcome, foldRecord } from '../../correlate/fold.ts'
import { emptyState } from '../../correlate/state.ts'
import { decodeRecord, encodeChange } from '../../schemas/codec.ts'

/** An entry of the alerts log as the broker keeps it. */
export interface KeptEntry {
  readonly position: number
  readonly time_ms: number
  readonly value: Buffer
}

/** One change that must have been published, with its bytes. */
export interface DueChange {
  readonly id: string
  readonly incident_id: string
  readonly bytes: Buffer
}

export interface Replay {
  /** Takes the next entry and gives the changes that come of it. */
  readonly take: (entry: KeptEntry) => readonly DueChange[]
  /** Why alerts came into no incident, in order. */
  readonly unassigned: readonly string[]
}

/** The fold of one partition of the alerts log from its first entry on, in one thread, with no worker, store or restart around it. */
export function replayLog(partition: number): Replay {
  const state = emptyState(partition)
  const unassigned: string[] = []
  return {
    unassigned,
    take({ position, time_ms, value }) {
      const outcome = emptyOutcome()
      foldRecord(state, { position, time_ms, record: decodeRecord(value) }, outcome)
      for (const { code } of outcome.unassigned) unassigned.push(code)
      return outcome.changes.map((change) => ({
        id: change.id,
        incident_id: change.incident_id,
        bytes: encodeChange(change),
      }))
    },
  }
}
