import { multivariate, type Row } from '../ingest/detect/multivariate.ts'
import { type Random, randomOf } from './early_warning_series.ts'
import { type Figure, quantile, rounded } from './report.ts'

const SEEDS = 8
const COLUMNS = 52
const FACTORS = 9
const STEP_MS = 180_000
const ROWS_AFTER = 800
/** Faults begin when so many healthy rows are known: a shift's worth, and more than a day's. */
const HEALTHY_ROWS = [160, 660]

/** What a fault does to the row `age` rows after it began (from 0): to the hidden factors, and to the sensors before they get their scales. */
interface Fault {
  factors?(factors: number[], age: number): void
  sensors?(sensors: number[], age: number, before: readonly number[]): void
}

/** Deviations of a healthy factor are 1, those of a sensor's noise 0.2 to 0.7. */
const FAULTS: Readonly<Record<string, Fault>> = {
  none: {},
  sensor_step: { sensors: (x) => (x[5] = (x[5] ?? 0) + 1.5) },
  large_sensor_step: { sensors: (x) => (x[5] = (x[5] ?? 0) + 5) },
  sensor_frozen: { sensors: (x, _, before) => (x[5] = before[5] ?? 0) },
  sensors_decoupled: { sensors: (x) => [10, 11, 12].forEach((i) => (x[i] = -(x[i] ?? 0))) },
  factor_step: { factors: (f) => (f[1] = (f[1] ?? 0) + 6) },
  factor_drift: { factors: (f, age) => (f[1] = (f[1] ?? 0) + age / 20) },
}

/** 52 sensors of 9 slow hidden factors (0.9 of each goes on) with noise (0.5 of it goes on), in scales from 0.01 to 100. */
function process(fault: Fault, begin: number, seed: number): Row[] {
  const random = randomOf(seed)
  const sensors = Array.from({ length: COLUMNS }, () => sensorOf(random))
  const factors = Array.from({ length: FACTORS }, () => 0)
  let before: number[] = []
  return Array.from({ length: begin + ROWS_AFTER }, (_, row) => {
    for (const [i, factor] of factors.entries()) factors[i] = 0.9 * factor + Math.sqrt(0.19) * random.normal()
    const shown = [...factors]
    if (row >= begin) fault.factors?.(shown, row - begin)
    const values = sensors.map((sensor) => {
      sensor.noise = 0.5 * sensor.noise + Math.sqrt(0.75) * random.normal()
      return sensor.loads.reduce(
        (sum, load, i) => sum + load * (shown[i] ?? 0),
        sensor.noise * sensor.loudness,
      )
    })
    if (row >= begin) fault.sensors?.(values, row - begin, before)
    before = row < begin ? values : before
    return {
      at_ms: row * STEP_MS,
      values: values.map((value, i) => (sensors[i]?.offset ?? 0) + (sensors[i]?.scale ?? 1) * value),
    }
  })
}

function sensorOf(random: Random) {
  const scale = 10 ** (4 * random.uniform() - 2)
  return {
    scale,
    offset: 20 * scale * random.uniform(),
    loads: Array.from({ length: FACTORS }, () => (random.uniform() < 0.3 ? random.normal() : 0)),
    loudness: 0.2 + 0.5 * random.uniform(),
    noise: 0,
  }
}

/** For each fault: rows until it is told, how many are missed, the share of faulty rows with an alert; without fault, alerts in 10,000 rows. */
export function group(): Record<string, Figure> {
  const figures: Record<string, Figure> = { group_columns: COLUMNS, group_seeds: SEEDS }
  for (const begin of HEALTHY_ROWS)
    for (const [name, fault] of Object.entries(FAULTS)) {
      const key = `group_${begin}_${name}`
      const found = Array.from({ length: SEEDS }, (_, seed) => judged(process(fault, begin, seed + 1), begin))
      if (name === 'none') {
        const raised = found.reduce((sum, one) => sum + one.raised, 0)
        figures[`${key}_alerts_per_10000_rows`] = rounded((10_000 * raised) / (SEEDS * (begin + ROWS_AFTER)))
        continue
      }
      const delays = found.map(({ delay }) => delay ?? Number.POSITIVE_INFINITY)
      const median = quantile(delays, 0.5)
      figures[`${key}_median_rows`] = Number.isFinite(median) ? median : null
      figures[`${key}_missed`] = delays.filter((delay) => !Number.isFinite(delay)).length
      figures[`${key}_share_told`] = rounded(found.reduce((sum, { share }) => sum + share, 0) / SEEDS)
    }
  return figures
}

/** An alert that was active when the fault began tells nothing about it. */
function judged(
  rows: readonly Row[],
  begin: number,
): { raised: number; delay: number | null; share: number } {
  const detector = multivariate(COLUMNS)
  const state = detector.start()
  const verdicts = rows.map((row) => detector.step(state, row))
  const raised = verdicts.flatMap(({ transitions }, row) =>
    transitions.some(({ to }) => to === 'raised') ? [row] : [],
  )
  const first = raised.find((row) => row >= begin)
  const told = verdicts.slice(begin).filter(({ alert }) => alert).length
  return {
    raised: raised.length,
    delay: first === undefined ? null : first - begin,
    share: told / ROWS_AFTER,
  }
}
