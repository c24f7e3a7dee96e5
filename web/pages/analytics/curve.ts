import type { SurvivalAnswer } from '../../../schemas/analytics_answer.ts'

/** Paths of survival curves. Pure. */

export type Curve = SurvivalAnswer['curves'][number]

/** The share that is still without the event at a time. */
export function survivalAt({ steps }: Curve, ms: number): number {
  return steps.findLast((step) => step.ms <= ms)?.survival ?? 1
}

/** How many are still followed and without the event just before a time. */
export function atRisk({ n, steps, censored }: Curve, ms: number): number {
  if (ms <= 0) return n
  const next = steps.find((step) => step.ms >= ms)
  const left = censored.filter((one) => one.ms >= ms && (next === undefined || one.ms < next.ms))
  return (next?.at_risk ?? 0) + left.reduce((sum, { count }) => sum + count, 0)
}

const TAIL = 0.1

/** Until when curves are drawn: until half of them have little left, so that long tails do not press the rest to the edge. */
export function drawnUntil(curves: readonly Curve[]): number {
  const ends = curves.map(({ steps, followed_for_ms }) =>
    Math.min(followed_for_ms, steps.find(({ survival }) => survival <= TAIL)?.ms ?? followed_for_ms),
  )
  ends.sort((a, b) => a - b)
  return Math.max(1_000, ends[Math.floor(ends.length / 2)] ?? 0)
}

type At = (value: number) => number

/** A curve falls in steps: level until the next event. */
export function stepPath({ steps, followed_for_ms }: Curve, until_ms: number, x: At, y: At): string {
  let path = `M${x(0).toFixed(1)} ${y(1).toFixed(1)}`
  for (const { ms, survival } of steps) {
    if (ms > until_ms) break
    path += `H${x(ms).toFixed(1)}V${y(survival).toFixed(1)}`
  }
  return `${path}H${x(Math.min(until_ms, followed_for_ms)).toFixed(1)}`
}

/** Between the bounds of 95 % of each step. */
export function bandPath({ steps, followed_for_ms }: Curve, until_ms: number, x: At, y: At): string {
  const shown = steps.filter(({ ms }) => ms <= until_ms)
  const [first] = shown
  if (!first) return ''
  const end = x(Math.min(until_ms, followed_for_ms)).toFixed(1)
  let path = `M${x(first.ms).toFixed(1)} ${y(first.high).toFixed(1)}`
  for (const { ms, high } of shown.slice(1)) path += `H${x(ms).toFixed(1)}V${y(high).toFixed(1)}`
  path += `H${end}V${y(shown.at(-1)?.low ?? 0).toFixed(1)}`
  for (let i = shown.length - 1; i > 0; i--)
    path += `H${x(shown[i]?.ms ?? 0).toFixed(1)}V${y(shown[i - 1]?.low ?? 0).toFixed(1)}`
  return `${path}H${x(first.ms).toFixed(1)}Z`
}

/** Small strokes through a curve where somebody left without the event. */
export function tickPath(curve: Curve, until_ms: number, x: At, y: At): string {
  const HALF_PX = 3.5
  return curve.censored
    .filter(({ ms }) => ms <= until_ms)
    .map(({ ms }) => {
      const middle = y(survivalAt(curve, ms))
      return `M${x(ms).toFixed(1)} ${(middle - HALF_PX).toFixed(1)}v${2 * HALF_PX}`
    })
    .join('')
}

/** Heights of labels that would stand one over the other, moved apart. */
export function apart(heights: readonly number[], least_px: number, most: number): number[] {
  const order = heights.map((height, index) => ({ height, index })).sort((a, b) => a.height - b.height)
  let last = Number.NEGATIVE_INFINITY
  for (const one of order) last = one.height = Math.max(one.height, last + least_px)
  let above = most
  for (const one of order.toReversed()) {
    one.height = Math.min(one.height, above)
    above = one.height - least_px
  }
  const placed: number[] = []
  for (const { height, index } of order) placed[index] = height
  return placed
}
