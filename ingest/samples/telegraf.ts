import type { TimeUnit } from '../../schemas/source_formats.ts'
import { fieldsOf, labelsOf, neededText, optionalFields } from '../sources/fields.ts'
import { parseJson } from '../sources/format.ts'
import type { DecodeSamples } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { type Gathering, gathering } from './gathering.ts'
import { metricOfField, numberOf, readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'
import { sampleTime } from './time.ts'

/** JSON of Telegraf: `{name, tags, fields, timestamp}`, one or a list of them, or `{metrics: […]}`. */
export function telegraf({ time_unit }: SampleSettings): DecodeSamples {
  return gathering(({ body, at_ms }, into) => {
    const parsed = parseJson(body)
    into.each(
      metricsOf(parsed),
      (item) => JSON.stringify(item) ?? '',
      (item) => readMetric(item, { time_unit, at_ms }, into),
    )
  })
}

function metricsOf(parsed: unknown): readonly unknown[] {
  if (Array.isArray(parsed)) return parsed
  const { metrics } = fieldsOf(parsed, 'the body')
  return Array.isArray(metrics) ? metrics : [parsed]
}

function readMetric(
  item: unknown,
  { time_unit, at_ms }: { readonly time_unit: TimeUnit | null; readonly at_ms: number },
  into: Gathering,
): void {
  const { name, tags, fields, timestamp } = fieldsOf(item, 'the metric')
  const measurement = neededText(name, 'name')
  const labels = labelsOf(optionalFields(tags, 'tags'))
  const told_ms = sampleTime(timestamp, time_unit, at_ms, 'timestamp')
  for (const [field, told] of Object.entries(fieldsOf(fields, 'fields'))) {
    const value = numberOf(told)
    if (value === null) into.dropped++
    else into.add(seriesLabels(metricOfField(measurement, field), labels), [readingOf(told_ms, value)])
  }
}
