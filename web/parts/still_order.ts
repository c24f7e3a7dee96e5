import { useState } from 'react'

/** An order that does not move under a hand: what is new or moved waits until it is asked for. */
export interface StillOrder {
  readonly shown: readonly string[]
  /** Not shown yet, in their order. */
  readonly fresh: readonly string[]
  readonly moved: number
  readonly refresh: () => void
}

/** The fewest items that must move for `from` to become the order of `to` (what is in both). */
function movedBetween(from: readonly string[], to: readonly string[]): number {
  const place = new Map(to.map((id, i) => [id, i]))
  const places = from.map((id) => place.get(id)).filter((i) => i !== undefined)
  // Ends of the longest increasing runs: `ends[n]` is the smallest last place of a run of n + 1.
  const ends: number[] = []
  for (const at of places) {
    let low = 0
    for (let high = ends.length; low < high; ) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    ends[low] = at
  }
  return places.length - ends.length
}

/**
 * `wanted`: the order as it should be now. `held`: somebody is at work in the list. `question`: what was asked for (filters,
 * sort); another question is answered at once.
 */
export function useStillOrder(wanted: readonly string[], held: boolean, question: string): StillOrder {
  const [kept, setKept] = useState({ question, order: wanted })
  const is_still = held && kept.question === question
  if (!is_still && kept.order !== wanted) setKept({ question, order: wanted })
  const shown = is_still ? kept.order : wanted
  const known = new Set(shown)
  return {
    shown,
    fresh: is_still ? wanted.filter((id) => !known.has(id)) : [],
    moved: is_still ? movedBetween(shown, wanted) : 0,
    refresh: () => setKept({ question, order: wanted }),
  }
}
