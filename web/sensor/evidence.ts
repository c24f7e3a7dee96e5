/** The readings around an alert of a detector, as the server tells them (api/routes/series.ts), made ready to be drawn. Pure. */

/** From, to, least and greatest in between; null where nobody vouches for it. */
export type Point = readonly [from_ms: number, to_ms: number, least: number | null, greatest: number | null]

export interface Evidence {
  readonly alertname: string
  readonly detector: string
  readonly condition: string
  readonly labels: Readonly<Record<string, string>>
  readonly unit: string
  readonly value: number | null
  readonly limit: number | null
  readonly score: number
  /** What was usual. */
  readonly band: readonly [low: number, high: number] | null
  readonly raised_at_ms: number
  readonly cleared_at_ms: number | null
  readonly points: readonly Point[]
}

/** Seconds, least, greatest. */
export type Drawn = [at_s: number[], least: (number | null)[], greatest: (number | null)[]]

/** Points further apart than so many usual distances have nothing between them. */
const GAP_DISTANCES = 4

function usualDistance(points: readonly Point[]): number {
  const distances = points.slice(1).map(([from_ms], i) => from_ms - (points[i]?.[1] ?? from_ms))
  distances.sort((a, b) => a - b)
  return distances[Math.floor(distances.length / 2)] ?? 0
}

/** Stretches have two ends, and where nothing was read or nobody vouches for it there is a gap, which no line crosses. */
export function drawn(points: readonly Point[]): Drawn {
  const result: Drawn = [[], [], []]
  const add = (at_ms: number, least: number | null, greatest: number | null) => {
    result[0].push(at_ms / 1_000)
    result[1].push(least)
    result[2].push(greatest)
  }
  const gap_ms = GAP_DISTANCES * Math.max(1, usualDistance(points))
  let end_ms = Number.POSITIVE_INFINITY
  for (const [from_ms, to_ms, least, greatest] of points) {
    if (from_ms - end_ms > gap_ms) add((end_ms + from_ms) / 2, null, null)
    add(from_ms, least, greatest)
    if (to_ms > from_ms) add(to_ms, least, greatest)
    end_ms = to_ms
  }
  return result
}

/** What of the readings and of what they were compared with has to be in sight, with some air. */
export function extent({ points, limit, band }: Evidence): readonly [low: number, high: number] {
  const all = [...points.flatMap(([, , least, greatest]) => [least, greatest]), limit, ...(band ?? [])]
  const known = all.filter((one) => one !== null)
  if (known.length === 0) return [0, 1]
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const air = high > low ? (high - low) * 0.08 : Math.max(1, Math.abs(high) * 0.05)
  return [low - air, high + air]
}
