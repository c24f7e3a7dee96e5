import type { GroupFigures } from '../../schemas/analytics_answer.ts'
import { figureText, intervalText } from '../estimates/words.ts'
import type { Metric, Unit } from '../metrics/metric.ts'
import { type Cell, type Html, type Language, table } from './page.ts'
import type { MetricFigures } from './source.ts'

export const NONE = '–'

/** A figure as people read it, or a dash. */
export function valueText(unit: Unit, value: number | null | undefined, language: Language): string {
  return value === null || value === undefined ? NONE : figureText(unit, value)[language]
}

/** A figure with its interval; of a median that is not reached, what is known of it. */
export function estimateText(metric: Metric, group: GroupFigures | undefined, language: Language): string {
  if (group === undefined || group.n === 0) return NONE
  const { value, low, high } = group
  if (value !== null) return intervalText(metric.unit, { value, low, high })[language]
  if (metric.kind !== 'duration') return NONE
  const longer = low === null ? '' : figureText(metric.unit, low)[language]
  if (language === 'zh') return low === null ? '中位数未达到' : `中位数未达到（>${longer}）`
  return low === null ? 'median not reached' : `median not reached (> ${longer})`
}

const HEADS: Readonly<Record<Language, readonly [string, string, string, string, string, string]>> = {
  en: ['Figure', 'Value (95 %)', 'n', 'open', 'before', 'Compared with the period before'],
  zh: ['指标', '数值（95% 区间）', '样本数', '未结', '上期', '与上期相比'],
}

/** Figures with their intervals, how many they are made of, and how they compare with the period before. */
export function figuresTable(figures: readonly MetricFigures[], language: Language): Html {
  const [title, value, n, open, before, verdict] = HEADS[language]
  return table(
    [title, { number: value }, { number: n }, { number: open }, { number: before }, verdict],
    figures.map(({ metric, groups }) => figureRow(metric, groups[0], language)),
  )
}

function figureRow(metric: Metric, group: GroupFigures | undefined, language: Language): Cell[] {
  const before = group?.compared
  return [
    metric.title[language],
    { number: estimateText(metric, group, language) },
    { number: group === undefined ? '0' : String(Math.round(group.n)) },
    { number: group?.duration === undefined ? '' : String(group.duration.open) },
    { number: before ? valueText(metric.unit, before.value, language) : NONE },
    before ? before.verdict.text[language] : NONE,
  ]
}

export function dateTime(at_ms: number, tz: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: tz,
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(at_ms)
}
