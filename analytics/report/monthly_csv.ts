import type { GroupFigures } from '../../schemas/analytics_answer.ts'
import type { Monthly } from './monthly.ts'
import type { MetricFigures } from './source.ts'

const HEAD = [
  'metric',
  'service',
  'unit',
  'n',
  'value',
  'low',
  'high',
  'open',
  'before',
  'n_before',
  'verdict',
  'difference',
  'difference_low',
  'difference_high',
]

/** A field that a spreadsheet takes for what it is: quoted where needed, and never for a formula. */
function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function line(metric: MetricFigures['metric'], group: GroupFigures): string {
  const { compared } = group
  const difference = compared?.verdict.difference
  const fields = [
    metric.name,
    group.by['service'] ?? '',
    metric.unit,
    group.n,
    group.value,
    group.low,
    group.high,
    group.duration?.open,
    compared?.value,
    compared?.n,
    compared?.verdict.code,
    difference?.value,
    difference?.low,
    difference?.high,
  ]
  return fields.map(field).join(',')
}

/** The figures of the report as a table for a spreadsheet; durations in milliseconds, shares from 0 to 1. */
export function monthlyCsv({ figures, service_metrics }: Monthly): string {
  const all = [...figures, service_metrics.resolve, service_metrics.attainment]
  return `${[HEAD.join(','), ...all.flatMap(({ metric, groups }) => groups.map((group) => line(metric, group)))].join('\r\n')}\r\n`
}
