import type { Clock, Log, LogEntry, Position } from '../runtime/ports.ts'
import type { Change } from '../schemas/change.ts'
import { decodeChange } from '../schemas/codec.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { FeedBounds, ResyncReason } from './feed_client.ts'
import type { LiveView } from './live_view.ts'

const REPLAY_WAIT_MS = 10_000

export interface ReplayParts {
  readonly log: Log
  readonly live: LiveView
  readonly clock: Clock
  readonly bounds: FeedBounds
}

export interface Stretch {
  /** A cursor that a client gave. */
  readonly since: string
  readonly until: readonly Position[]
}

/** Takes one change of the past and the cursor behind it; false ends the replay. */
type Take = (change: Change, cursor: string) => Promise<boolean> | boolean

/** Reads all changes of a stretch from the log; null when that was all of them, else why they cannot be had. */
export async function replayChanges(
  { log, clock, bounds }: ReplayParts,
  { since, until }: Stretch,
  take: Take,
): Promise<ResyncReason | null> {
  const from = decodeCursor(since, until.length)
  const kept = await log.bounds('incidents')
  if (!from || from.some((position, i) => position > (kept[i]?.next ?? 0))) return 'cursor-unknown'
  if (from.some((position, i) => position < (kept[i]?.first ?? 0))) return 'cursor-too-old'
  const missed = from.reduce((sum, position, i) => sum + Math.max(0, (until[i] ?? 0) - position), 0)
  if (missed > bounds.replay_entries_max) return 'too-far-behind'
  if (missed === 0) return null
  const replay = new Replay(take, from, until)
  const subscription = await log.tail('incidents', from, (partition, entries) =>
    replay.take(partition, entries),
  )
  const complete = await finished(replay, clock)
  await subscription.close()
  return complete ? null : 'too-far-behind'
}

/** False when the log did not give everything in time (positions may have gaps where nothing will ever come). */
async function finished(replay: Replay, clock: Clock): Promise<boolean> {
  const over = new AbortController()
  const late = clock.sleep(REPLAY_WAIT_MS, over.signal).then(() => false)
  const complete = await Promise.race([replay.complete.then(() => true), late])
  over.abort()
  return complete
}

/** Follows the log from a client's cursor up to where the live view took over. */
class Replay {
  readonly complete: Promise<void>
  private readonly pass: Take
  private readonly at: Position[]
  private readonly until: readonly Position[]
  private readonly finish: () => void

  constructor(pass: Take, from: readonly Position[], until: readonly Position[]) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.complete = promise
    this.finish = resolve
    this.pass = pass
    this.at = [...from]
    this.until = until
  }

  async take(partition: number, entries: readonly LogEntry[]): Promise<void> {
    const until = this.until[partition] ?? 0
    let wanted = true
    for (const entry of entries) {
      this.at[partition] = Math.max(this.at[partition] ?? 0, Math.min(until, entry.position + 1))
      if (entry.position >= until) break
      wanted = await this.pass(decodeChange(entry.value), encodeCursor(this.at))
    }
    if (!wanted || this.at.every((position, i) => position >= (this.until[i] ?? 0))) this.finish()
  }
}
