import { duration } from '../../parts/time.tsx'
import type { MetricAnswer } from '../../../schemas/analytics_answer.ts'
import { type Language, useLanguage } from '../../texts/catalogue.ts'

export interface Formats {
  readonly count: (value: number) => string
  readonly share: (value: number) => string
  /** Null: not reached. */
  readonly figure: (unit: MetricAnswer['unit'], value: number | null) => string
  readonly date: (at_ms: number, zone: string) => string
}

/** Times of days are told exactly; minutes with their seconds while they are few. */
function span(language: Language, ms: number): string {
  const SECOND_MS = 1_000
  const MINUTE_MS = 60_000
  const few = ms >= MINUTE_MS && ms < 10 * MINUTE_MS
  if (!few || ms % MINUTE_MS < SECOND_MS) return duration(language, ms)
  const minutes = duration(language, ms - (ms % MINUTE_MS))
  return `${minutes} ${duration(language, ms % MINUTE_MS)}`
}

export function useFormats(): Formats {
  const language = useLanguage()
  const count = new Intl.NumberFormat(language)
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  return {
    count: (value) => count.format(value),
    share: (value) => share.format(value),
    figure: (unit, value) => {
      if (value === null) return '–'
      if (unit === 'ms') return span(language, value)
      return unit === 'share' ? share.format(value) : number.format(value)
    },
    date: (at_ms, zone) =>
      new Intl.DateTimeFormat(language, {
        timeZone: zone,
        year: 'numeric',
        month: 'short',
        day: 'numeric',
      }).format(at_ms),
  }
}
