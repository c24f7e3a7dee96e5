import type { Text, Unit } from '../metrics/metric.ts'
import type { Estimate } from './interval.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

interface Scale {
  readonly divisor: number
  readonly digits: number
  readonly unit: Text
}

/** The unit in which a duration of that size reads well. */
function scaleOf(ms: number): Scale {
  const size = Math.abs(ms)
  if (size < SECOND_MS) return { divisor: 1, digits: 0, unit: { en: ' ms', zh: ' 毫秒' } }
  if (size < 2 * MINUTE_MS) return { divisor: SECOND_MS, digits: 0, unit: { en: ' s', zh: ' 秒' } }
  if (size < 2 * HOUR_MS) return { divisor: MINUTE_MS, digits: 0, unit: { en: ' min', zh: ' 分钟' } }
  if (size < 2 * DAY_MS) return { divisor: HOUR_MS, digits: 1, unit: { en: ' h', zh: ' 小时' } }
  return { divisor: DAY_MS, digits: 1, unit: { en: ' d', zh: ' 天' } }
}

const UNITS: Readonly<Record<Exclude<Unit, 'ms' | 'share'>, Text>> = {
  'per-10-min': { en: ' per 10 min', zh: ' 次/10 分钟' },
  'per-day': { en: ' a day', zh: ' 次/天' },
  count: { en: '', zh: '' },
  points: { en: '', zh: '' },
  money: { en: '', zh: '' },
}

function scaled(unit: Unit, largest: number): Scale {
  if (unit === 'ms') return scaleOf(largest)
  if (unit === 'share') return { divisor: 0.01, digits: 1, unit: { en: ' %', zh: '%' } }
  const size = Math.abs(largest)
  return { divisor: 1, digits: size >= 100 ? 0 : size >= 10 ? 1 : 2, unit: UNITS[unit] }
}

function number(value: number, { divisor, digits }: Scale, sign: boolean): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const text = new Intl.NumberFormat('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: sign ? 'exceptZero' : 'negative',
  }).format(value / divisor)
  return text.replace('-', '−')
}

/** One figure with its unit, e.g. `14 min`. */
export function figureText(unit: Unit, value: number): Text {
  const scale = scaled(unit, value)
  const shown = number(value, scale, false)
  return { en: shown + scale.unit.en, zh: shown + scale.unit.zh }
}

/** A figure with its interval, e.g. `14 min (11…19)`. A bound that is not known is left open. */
export function intervalText(
  unit: Unit,
  { value, low, high }: { readonly value: number; readonly low: number | null; readonly high: number | null },
): Text {
  const scale = scaled(unit, value)
  const bound = (one: number | null, open: string) => (one === null ? open : number(one, scale, false))
  const shown = `(${bound(low, '−∞')}…${bound(high, '∞')})`
  const figure = figureText(unit, value)
  return { en: `${figure.en} ${shown}`, zh: `${figure.zh} ${shown}` }
}

/** A difference with its interval, e.g. `−4 min, −19…+11`. */
export function difference(unit: Unit, { value, low, high }: Estimate): Text {
  const finite = [value, low, high].filter(Number.isFinite).map(Math.abs)
  const scale = scaled(unit, Math.max(...finite))
  const bounds = `${number(low, scale, true)}…${number(high, scale, true)}`
  const shown = number(value, scale, true)
  return { en: `${shown}${scale.unit.en}, ${bounds}`, zh: `${shown}${scale.unit.zh}，${bounds}` }
}
