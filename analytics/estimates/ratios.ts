import { type Estimate, percentileInterval } from './interval.ts'
import { seeded } from './random.ts'

/** What came to one day. */
export interface DaySums {
  readonly numerator: number
  readonly denominator: number
}

export type RatioKind = 'ratio' | 'complement' | 'total'

const RESAMPLES = 1_000
const SEED = 20_261_027

function figure(kind: RatioKind, numerator: number, denominator: number): number {
  if (kind === 'total') return numerator
  const ratio = numerator / denominator
  return kind === 'complement' ? 1 - ratio : ratio
}

function sums(days: readonly DaySums[]): DaySums {
  let numerator = 0
  let denominator = 0
  for (const day of days) {
    numerator += day.numerator
    denominator += day.denominator
  }
  return { numerator, denominator }
}

function* resampled(kind: RatioKind, days: readonly DaySums[], random: () => number): Generator<number> {
  for (;;) {
    let numerator = 0
    let denominator = 0
    for (let i = 0; i < days.length; i++) {
      const day = days[Math.floor(random() * days.length)] as DaySums
      numerator += day.numerator
      denominator += day.denominator
    }
    const value = figure(kind, numerator, denominator)
    if (Number.isFinite(value)) yield value
    else if (sums(days).denominator === 0) return
  }
}

/** The figure of a period, with an interval from drawing its days anew; null without a denominator, an interval of its own width for fewer than two days. */
export function ratioOf(kind: RatioKind, days: readonly DaySums[]): Estimate | null {
  const { numerator, denominator } = sums(days)
  const value = figure(kind, numerator, denominator)
  if (!Number.isFinite(value)) return null
  if (days.length < 2) return { value, low: value, high: value }
  const draws = resampled(kind, days, seeded(SEED))
  const [low, high] = percentileInterval([...draws.take(RESAMPLES)], days.length)
  return { value, low, high }
}

/** How much higher the figure of the second period is, with its bootstrap interval; null without a denominator on either side. */
export function ratioDifference(
  kind: RatioKind,
  before: readonly DaySums[],
  after: readonly DaySums[],
): Estimate | null {
  const [from, to] = [sums(before), sums(after)]
  const value = figure(kind, to.numerator, to.denominator) - figure(kind, from.numerator, from.denominator)
  if (!Number.isFinite(value)) return null
  const random = seeded(SEED)
  const firsts = resampled(kind, before, random)
  const seconds = resampled(kind, after, random)
  const differences = Array.from(
    { length: RESAMPLES },
    () => (seconds.next().value as number) - (firsts.next().value as number),
  )
  const [low, high] = percentileInterval(differences, Math.min(before.length, after.length))
  return { value, low, high }
}
