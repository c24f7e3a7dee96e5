import { type DurationCount, kaplanMeier, quantile, type SurvivalCurve } from '../survival.ts'
import { type Estimate, percentileInterval, Z_95 } from './interval.ts'
import { poisson, seeded } from './random.ts'

/** Up to so many subjects are drawn one by one; of more, how often each duration is drawn is Poisson-distributed. */
const DRAWN_MAX = 2_000
const RESAMPLES = 1_000
/** Resamples times different durations: beyond it there are fewer resamples, down to so many. */
const WORK_MAX = 800_000
const RESAMPLES_MIN = 400
const SEED = 20_260_923

/** The median of a curve with the interval of Brookmeyer and Crowley (1982) on the log(−log) scale; a bound that is not reached is null. */
export function medianOf(curve: SurvivalCurve): {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
} {
  const value = quantile(curve, 0.5)
  const target = Math.log(Math.log(2))
  let low: number | null = null
  let high: number | null = null
  for (const { duration, survival, greenwood } of curve.points) {
    const width =
      survival <= 0 || survival >= 1 ? 0 : (Z_95 * Math.sqrt(greenwood)) / Math.abs(Math.log(survival))
    const place = survival <= 0 ? Number.POSITIVE_INFINITY : Math.log(-Math.log(survival))
    if (low === null && place + width >= target) low = duration
    if (high === null && place - width >= target) high = duration
  }
  return { value, low, high }
}

/** Durations of a cohort, ready to be drawn from. */
interface Drawn {
  readonly events: Float64Array
  readonly censored: Float64Array
  readonly durations: Float64Array
  readonly n: number
}

/** Of many subjects durations of equal first three digits are one: an interval needs no more. */
function prepared(counts: readonly DurationCount[]): Drawn {
  const n = counts.reduce((sum, { events, censored }) => sum + events + censored, 0)
  const cells = new Map<number, { events: number; censored: number }>()
  for (const { duration, events, censored } of counts) {
    const unit = n <= DRAWN_MAX ? 1 : 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, duration))) - 2)
    const place = Math.round(duration / unit) * unit
    const cell = cells.get(place) ?? { events: 0, censored: 0 }
    cells.set(place, { events: cell.events + events, censored: cell.censored + censored })
  }
  const sorted = [...cells].sort(([a], [b]) => a - b)
  return {
    durations: Float64Array.from(sorted, ([duration]) => duration),
    events: Float64Array.from(sorted, ([, { events }]) => events),
    censored: Float64Array.from(sorted, ([, { censored }]) => censored),
    n,
  }
}

/** The median of Kaplan and Meier; infinite when it is not reached. Durations ascend; equal ones are one. */
function median({ durations, events, censored }: Drawn, n: number): number {
  let at_risk = n
  let survival = 1
  for (let i = 0; i < durations.length; i++) {
    const here = events[i] as number
    if (here > 0) survival *= 1 - here / at_risk
    if (survival <= 0.5 + 1e-12) return durations[i] as number
    at_risk -= here + (censored[i] as number)
  }
  return Number.POSITIVE_INFINITY
}

/** Medians of cohorts drawn from one, each as large. */
function* resampledMedians(cohort: Drawn, random: () => number): Generator<number> {
  const { events, censored, n } = cohort
  const drawn = {
    ...cohort,
    events: new Float64Array(events.length),
    censored: new Float64Array(events.length),
  }
  const owners = n <= DRAWN_MAX ? ownersOf(cohort) : null
  for (;;) {
    drawn.events.fill(0)
    drawn.censored.fill(0)
    let total = n
    if (owners) {
      for (let i = 0; i < n; i++) {
        const owner = owners[Math.floor(random() * n)] as number
        if (owner >= 0) (drawn.events[owner] as number)++
        else (drawn.censored[-1 - owner] as number)++
      }
    } else {
      total = 0
      for (let i = 0; i < events.length; i++) {
        drawn.events[i] = poisson(events[i] as number, random)
        drawn.censored[i] = poisson(censored[i] as number, random)
        total += (drawn.events[i] as number) + (drawn.censored[i] as number)
      }
    }
    yield median(drawn, total)
  }
}

/** For each subject its duration: the place in the list when it had the event, −1 − place when it was censored. */
function ownersOf({ events, censored, n }: Drawn): Int32Array {
  const owners = new Int32Array(n)
  let next = 0
  for (let i = 0; i < events.length; i++) {
    owners.fill(i, next, next + (events[i] as number))
    next += events[i] as number
    owners.fill(-1 - i, next, next + (censored[i] as number))
    next += censored[i] as number
  }
  return owners
}

/** How much longer the median of the second cohort is, with its bootstrap interval; null when either median is not reached. */
export function medianDifference(
  before: readonly DurationCount[],
  after: readonly DurationCount[],
): Estimate | null {
  const [from, to] = [quantile(kaplanMeier(before), 0.5), quantile(kaplanMeier(after), 0.5)]
  if (from === null || to === null) return null
  const [first, second] = [prepared(before), prepared(after)]
  const random = seeded(SEED)
  const cells = first.durations.length + second.durations.length
  const resamples = Math.round(Math.min(RESAMPLES, Math.max(RESAMPLES_MIN, WORK_MAX / cells)))
  const firsts = resampledMedians(first, random)
  const seconds = resampledMedians(second, random)
  const differences: number[] = []
  for (let i = 0; i < resamples; i++) {
    const difference = (seconds.next().value as number) - (firsts.next().value as number)
    differences.push(Number.isNaN(difference) ? 0 : difference)
  }
  const [low, high] = percentileInterval(differences, Math.min(first.n, second.n))
  return { value: to - from, low, high }
}
