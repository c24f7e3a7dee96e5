import type { Cohorts } from '../metrics/cohorts.ts'
import type { Text, Unit } from '../metrics/metric.ts'

export interface Column {
  readonly name: string
  readonly title: Text
  /** Null: text, or a number without one. */
  readonly unit: Unit | null
}

/** Rows behind a panel: what a chart draws, or what a list shows. */
export interface Table {
  readonly name: string
  readonly title: Text
  readonly definition: Text
  readonly about: 'incidents' | 'alarms'
  /** Times are milliseconds since the epoch (`…_ms`). `grouped` is a column when the question counts by something and the table can. */
  readonly columns: readonly Column[]
  readonly sql: (cohorts: Cohorts) => string
  readonly rows_max: number
}

export const column = (name: string, en: string, zh: string, unit: Unit | null = null): Column => ({
  name,
  title: { en, zh },
  unit,
})
