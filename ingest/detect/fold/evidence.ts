import { LIMITS } from '../../../schemas/limits.ts'
import type { Point } from './recent.ts'

/** What a person sees of an alert: the readings around it, with what was compared with what. */
export interface Evidence {
  readonly fingerprint: string
  readonly scope: string
  readonly labels: Readonly<Record<string, string>>
  readonly alertname: string
  readonly detector: string
  readonly condition: string
  readonly unit: string
  /** At the raise. */
  readonly value: number | null
  readonly limit: number | null
  readonly score: number
  /** What was usual: least and greatest. */
  readonly band: [low: number, high: number] | null
  readonly raised_at_ms: number
  cleared_at_ms: number | null
  /** At most `LIMITS.evidence_points`, in order of time. Where there is none for a while, nothing was read. */
  readonly points: Point[]
}

/** Two points further apart than so many usual distances have a gap between them that must stay visible. */
const GAP_DISTANCES = 8

/** A reading while the alert lasts; `value` is null where nobody vouches for it. */
export function noteReading({ points }: Evidence, at_ms: number, value: number | null): void {
  points.push([at_ms, at_ms, value, value])
  if (points.length > LIMITS.evidence_points) thin(points)
}

/** Joins neighbours to one point with the least and the greatest of both, and leaves gaps as they are. */
function thin(points: Point[]): void {
  const first = points[0] as Point
  const last = points.at(-1) as Point
  const gap_ms = (GAP_DISTANCES * (last[1] - first[0])) / points.length
  for (const longest_ms of [gap_ms, Number.POSITIVE_INFINITY]) {
    const kept: Point[] = []
    for (let i = 0; i < points.length; i++) {
      const [a, b] = [points[i] as Point, points[i + 1]]
      const joins = b !== undefined && b[0] - a[1] <= longest_ms && (a[2] === null) === (b[2] === null)
      if (joins) i++
      kept.push(joins ? joined(a, b) : a)
    }
    points.splice(0, points.length, ...kept)
    if (points.length <= LIMITS.evidence_points) return
  }
  points.splice(0, points.length - LIMITS.evidence_points)
}

function joined(a: Point, b: Point): Point {
  if (a[2] === null || b[2] === null) return [a[0], b[1], null, null]
  return [a[0], b[1], Math.min(a[2], b[2]), Math.max(a[3] as number, b[3] as number)]
}
