import type { Place } from './record.ts'

/** Negative when `a` comes before `b` in its source partition. */
export function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1]
}

/**
 * How many alerts at the beginning of a record were had before: those whose place is not after the highest place
 * that the fold has seen of that source partition. Places ascend, so the rest is new. Without places nothing is old.
 */
export function unseen(places: readonly Place[], highest: Place | undefined): number {
  if (highest === undefined) return 0
  const first = places.findIndex((place) => comparePlaces(place, highest) > 0)
  return first < 0 ? places.length : first
}
