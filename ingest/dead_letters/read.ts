import type { Clock, Log, LogEntry, Position } from '../../runtime/ports.ts'
import { type DeadLetter, deadLetter, type Retried, retried } from '../../schemas/deadletter.ts'
import { LIMITS } from '../../schemas/limits.ts'

export interface ReadingParts {
  readonly log: Pick<Log, 'bounds' | 'tail'>
  readonly clock: Clock
}

/** One entry of the log of dead letters. */
export type Entry =
  | { readonly kind: 'letter'; readonly letter: DeadLetter; readonly partition: number }
  | { readonly kind: 'retried'; readonly retried: Retried }

const PATIENCE_MS = 30_000

function entryOf(partition: number, { value }: LogEntry): Entry | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(value.toString())
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  const letter = deadLetter.safeParse(parsed)
  if (letter.success) return { kind: 'letter', letter: letter.data, partition }
  const mark = retried.safeParse(parsed)
  return mark.success ? { kind: 'retried', retried: mark.data } : null
}

/**
 * Gives the newest dead letters that the log keeps (up to a bound of limits.ts), in the order of each partition, and what was retried of
 * them. False when the log did not give all of it in time.
 */
export async function readDeadLetters(
  { log, clock }: ReadingParts,
  onEntry: (entry: Entry) => Promise<void> | void,
): Promise<boolean> {
  const bounds = await log.bounds('deadletters')
  const share = Math.ceil(LIMITS.dead_letters_read / bounds.length)
  const from = bounds.map(({ first, next }) => Math.max(first, next - share))
  const left = new Map<number, Position>()
  for (const [partition, { next }] of bounds.entries())
    if (next > (from[partition] ?? 0)) left.set(partition, next)
  if (left.size === 0) return true
  const over = new AbortController()
  const faults: unknown[] = []
  const subscription = await log.tail('deadletters', from, async (partition, entries) => {
    const next = left.get(partition)
    if (next === undefined || over.signal.aborted) return
    try {
      for (const entry of entries) {
        const found = entry.position < next ? entryOf(partition, entry) : null
        if (found !== null) await onEntry(found)
      }
    } catch (error) {
      faults.push(error)
      over.abort()
    }
    if ((entries.at(-1)?.position ?? -1) >= next - 1) left.delete(partition)
    if (left.size === 0) over.abort()
  })
  await clock.sleep(PATIENCE_MS, over.signal)
  await subscription.close()
  if (faults.length > 0) throw faults[0]
  return left.size === 0
}
