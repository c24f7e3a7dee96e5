/**
 * What a series has shown lately, for the plot of an alert: the least and the greatest value in each of 24 stretches of time of equal
 * length, which doubles from one second to ten minutes. A stretch without a reading is NaN. Several series share the arrays, each in a
 * slot of its own.
 */
const RECENT_STRETCHES = 24
const MAX_STRETCH_MS = 600_000
const FIRST_STRETCH_MS = 1_000

export const RECENT_FLOATS = 2 * RECENT_STRETCHES
export const RECENT_DOUBLES = 2
const FROM = 0
const LENGTH = 1

export interface Recent {
  readonly floats: Float32Array
  readonly doubles: Float64Array
  readonly slot: number
}

/** From and to (milliseconds), least and greatest value; null where nobody vouches for what was read. */
export type Point = [from_ms: number, to_ms: number, low: number | null, high: number | null]

export function startRecent(series: number): Recent[] {
  const floats = new Float32Array(series * RECENT_FLOATS).fill(Number.NaN)
  const doubles = new Float64Array(series * RECENT_DOUBLES).fill(Number.NaN)
  return Array.from({ length: series }, (_, slot) => ({ floats, doubles, slot }))
}

export function noteRecent(recent: Recent, at_ms: number, value: number): void {
  const { floats, doubles, slot } = recent
  const head = slot * RECENT_DOUBLES
  if (Number.isNaN(doubles[head + FROM])) {
    doubles[head + FROM] = at_ms
    doubles[head + LENGTH] = FIRST_STRETCH_MS
  }
  let stretch = Math.floor((at_ms - (doubles[head + FROM] as number)) / (doubles[head + LENGTH] as number))
  if (stretch < 0) return
  if (stretch >= RECENT_STRETCHES) stretch = makeRoom(recent, at_ms, stretch)
  const low = slot * RECENT_FLOATS + 2 * stretch
  // NaN compares as neither.
  if (!((floats[low] as number) <= value)) floats[low] = value
  if (!((floats[low + 1] as number) >= value)) floats[low + 1] = value
}

/** Makes the stretches longer, and forgets the oldest once they are long enough; returns the stretch of the time. */
function makeRoom({ floats, doubles, slot }: Recent, at_ms: number, wanted: number): number {
  const head = slot * RECENT_DOUBLES
  const base = slot * RECENT_FLOATS
  let stretch = wanted
  while (stretch >= RECENT_STRETCHES && (doubles[head + LENGTH] as number) < MAX_STRETCH_MS) {
    for (let i = 0; i < RECENT_STRETCHES / 2; i++) {
      const [a, b] = [base + 4 * i, base + 4 * i + 2]
      floats[base + 2 * i] = least(floats[a] as number, floats[b] as number)
      floats[base + 2 * i + 1] = -least(-(floats[a + 1] as number), -(floats[b + 1] as number))
    }
    floats.fill(Number.NaN, base + RECENT_STRETCHES, base + RECENT_FLOATS)
    doubles[head + LENGTH] = 2 * (doubles[head + LENGTH] as number)
    stretch = Math.floor((at_ms - (doubles[head + FROM] as number)) / (doubles[head + LENGTH] as number))
  }
  if (stretch < RECENT_STRETCHES) return stretch
  const gone = stretch - RECENT_STRETCHES + 1
  floats.copyWithin(base, base + 2 * Math.min(gone, RECENT_STRETCHES), base + RECENT_FLOATS)
  floats.fill(Number.NaN, base + 2 * Math.max(0, RECENT_STRETCHES - gone), base + RECENT_FLOATS)
  doubles[head + FROM] = (doubles[head + FROM] as number) + gone * (doubles[head + LENGTH] as number)
  return RECENT_STRETCHES - 1
}

const least = (a: number, b: number): number => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b))

/** What is remembered, the oldest first. */
export function recentPoints({ floats, doubles, slot }: Recent): Point[] {
  const from_ms = doubles[slot * RECENT_DOUBLES + FROM] as number
  const length_ms = doubles[slot * RECENT_DOUBLES + LENGTH] as number
  const points: Point[] = []
  for (let i = 0; i < RECENT_STRETCHES; i++) {
    const low = floats[slot * RECENT_FLOATS + 2 * i] as number
    if (Number.isNaN(low)) continue
    const high = floats[slot * RECENT_FLOATS + 2 * i + 1] as number
    points.push([from_ms + i * length_ms, from_ms + (i + 1) * length_ms, low, high])
  }
  return points
}
