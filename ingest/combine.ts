import type { Alert, Labels } from '../schemas/alert.ts'
import type { Place } from '../schemas/record.ts'

/**
 * Collapses identical statements into one with a count.
 *
 * Two statements collapse when they say the same of the same alert and no other statement about that alert stands between
 * them: firing, resolved, firing stays three. The first keeps its position, the others only add to its `repeats`.
 *
 * Alerts with places are never collapsed. The fold skips every alert whose place is not above the highest that it has seen of the
 * source partition, so each alert of a source must come with its own place however its messages are cut into batches, and
 * whether or not it is recognised as a repeat: then what was appended twice is skipped up to the same point, nothing is lost and
 * nothing counted twice.
 */

/** An alert and where it came from, when its source has positions. */
export interface Placed {
  readonly alert: Alert
  readonly place: Place | null
  /** How many repeats of the same batch and partition come before it (schemas/repeats.ts). */
  readonly repeats_before: number
}

function sameMap(a: Labels, b: Labels): boolean {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}

/** Do they say the same? Equal fingerprints imply equal scopes, and severity and entity derive from the labels. */
function sameStatement(a: Alert, b: Alert): boolean {
  return (
    a.fingerprint === b.fingerprint &&
    a.starts_at_ms === b.starts_at_ms &&
    a.ends_at_ms === b.ends_at_ms &&
    a.source === b.source &&
    a.generator_url === b.generator_url &&
    sameMap(a.labels, b.labels) &&
    sameMap(a.annotations, b.annotations)
  )
}

function mayCollapse(a: Placed, b: Placed): boolean {
  return a.place === null && b.place === null && sameStatement(a.alert, b.alert)
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
    combined[index] = { ...before, alert: { ...before.alert, repeats } }
  }
  return combined
}
