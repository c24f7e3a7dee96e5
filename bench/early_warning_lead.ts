import { novelty } from '../ingest/detect/novelty.ts'
import { FAULTS, type RunToLimit, runToLimit } from './early_warning_series.ts'
import { type Figure, quantile, rounded } from './report.ts'

const SERIES = 40
/** Warnings before it teach nobody anything: the series is new. */
const FIRST_ROW = 7 * 288
const HOURS_PER_ROW = 1 / 12
const WEEK_ROWS = 7 * 288

/** Rows at which a warning begins. */
type Warnings = (series: RunToLimit) => number[]

const byDefault: Warnings = ({ readings }) => {
  const state = novelty.start()
  return readings.flatMap((reading, row) => (novelty.step(state, reading).alert ? [row] : []))
}

/** A plain threshold of so many deviations on both sides, made of the first week as a person would. */
function byThreshold(deviations: number): Warnings {
  return ({ readings }) => {
    const first = readings.slice(0, FIRST_ROW).map(({ value }) => value)
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length
    const deviation = Math.sqrt(first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / first.length)
    const beyond = readings.map(({ value }) => Math.abs(value - mean) > deviations * deviation)
    return beyond.flatMap((is, row) => (is && !beyond[row - 1] ? [row] : []))
  }
}

interface Found {
  readonly false_per_week: number
  readonly lead_hours: number[]
  readonly missed: number
}

function measure(series: readonly RunToLimit[], warnings: Warnings): Found {
  let wrong = 0
  let healthy_rows = 0
  const lead_hours: number[] = []
  for (const one of series) {
    const rows = warnings(one)
    wrong += rows.filter((row) => row >= FIRST_ROW && row < one.onset).length
    healthy_rows += one.onset - FIRST_ROW
    const first = rows.find((row) => row >= one.onset && row < one.limit_row)
    lead_hours.push(first === undefined ? 0 : (one.limit_row - first) * HOURS_PER_ROW)
  }
  return {
    false_per_week: (wrong * WEEK_ROWS) / healthy_rows,
    lead_hours,
    missed: lead_hours.filter((hours) => hours === 0).length,
  }
}

/** Lead time of the default detector on series that run to a limit, beside the tightest threshold that warns falsely no more often. */
export function leadTime(): Record<string, Figure> {
  const figures: Record<string, Figure> = { lead_series_per_fault: SERIES }
  for (const [name, fault] of Object.entries(FAULTS)) {
    const series = Array.from({ length: SERIES }, (_, i) => runToLimit(fault, i + 1))
    const ours = measure(series, byDefault)
    let deviations = 1.5
    while (measure(series, byThreshold(deviations)).false_per_week > ours.false_per_week) deviations += 0.05
    const plain = measure(series, byThreshold(deviations))
    figures[`lead_${name}_fault_median_hours`] = rounded(
      quantile(
        series.map(({ onset, limit_row }) => (limit_row - onset) * HOURS_PER_ROW),
        0.5,
      ),
      1,
    )
    figures[`lead_${name}_median_hours`] = rounded(quantile(ours.lead_hours, 0.5), 1)
    figures[`lead_${name}_p10_hours`] = rounded(quantile(ours.lead_hours, 0.1), 1)
    figures[`lead_${name}_missed`] = ours.missed
    figures[`lead_${name}_false_per_week`] = rounded(ours.false_per_week, 3)
    figures[`lead_${name}_threshold_median_hours`] = rounded(quantile(plain.lead_hours, 0.5), 1)
    figures[`lead_${name}_threshold_p10_hours`] = rounded(quantile(plain.lead_hours, 0.1), 1)
    figures[`lead_${name}_threshold_false_per_week`] = rounded(plain.false_per_week, 3)
  }
  return figures
}
