import type { Place } from './record.ts'

/** Negative when `a` comes before `b` in their source partition. */
export function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1]
}

/**
 * Index of the first place that lies above the highest one seen of this source partition; the length when none does.
 * `places` ascend, so everything before the index was seen: a source that repeats a batch after a crash, cut in
 * another way, adds nothing twice. Alerts without places are never seen.
 */
export function unseen(places: readonly Place[], highest: Place | undefined): number {
  if (highest === undefined) return 0
  const first = places.findIndex((place) => comparePlaces(place, highest) > 0)
  return first === -1 ? places.length : first
}
