import type { Alert, Labels } from '../schemas/alert.ts'
import type { Place } from '../schemas/record.ts'

/**
 * Collapses identical statements into one with a count.
 *
 * Two statements collapse when they say the same of the same alert and no other statement about that alert stands between
 * them: firing, resolved, firing stays three. The first keeps its position and its place, the others only add to its `repeats`.
 *
 * Why this is exact when a source repeats itself after a crash. The fold skips every alert whose place is not above the highest
 * that it has seen of the source partition, so what counts is the sequence S of (place, alert) that a source partition gives to
 * one partition of the log. If S is the same however the messages are cut into batches, then every batch carries a run of S,
 * every run that was appended twice is skipped as a whole up to the same point, and each member of S is folded once: nothing is
 * lost, nothing counted twice. A statement that collapsed with one from another message would break this: its count would
 * depend on where the batch was cut, and a repeated batch that overlaps one already appended could be neither skipped (what came
 * later would be lost) nor taken (what came before would count twice). So alerts with places are collapsed within their message
 * only: a message is always read whole, so what it gives is a function of the message. With the first place the sequence
 * ascends, and as no other message has places in between, first and last would skip alike. Alerts without places (HTTP) are
 * never skipped, and the whole batch is collapsed at once.
 */

/** An alert and where it came from, when its source has positions. */
export interface Placed {
  readonly alert: Alert
  readonly place: Place | null
}

function sameMap(a: Labels, b: Labels): boolean {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}

/** Do they say the same? Equal fingerprints imply equal scopes and labels, from which severity and entity derive. */
function sameStatement(a: Alert, b: Alert): boolean {
  return (
    a.fingerprint === b.fingerprint &&
    a.starts_at_ms === b.starts_at_ms &&
    a.ends_at_ms === b.ends_at_ms &&
    a.source === b.source &&
    a.generator_url === b.generator_url &&
    sameMap(a.annotations, b.annotations)
  )
}

function mayCollapse(a: Placed, b: Placed): boolean {
  return a.place?.[0] === b.place?.[0] && sameStatement(a.alert, b.alert)
}

/** The statements in order of first occurrence, repeats summed. See above for what collapses. */
export function combine(placed: readonly Placed[]): readonly Placed[] {
  const combined: Placed[] = []
  /** Index of the newest statement about each alert. */
  const newest = new Map<string, number>()
  for (const one of placed) {
    const index = newest.get(one.alert.fingerprint)
    const before = index === undefined ? undefined : combined[index]
    if (index === undefined || before === undefined || !mayCollapse(before, one)) {
      newest.set(one.alert.fingerprint, combined.length)
      combined.push(one)
      continue
    }
    const repeats = before.alert.repeats + one.alert.repeats
    combined[index] = { place: before.place, alert: { ...before.alert, repeats } }
  }
  return combined
}
