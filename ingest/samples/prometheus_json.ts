import type { Labels } from '../../schemas/alert.ts'
import { fieldsOf, labelsOf, optionalFields, textOf } from '../sources/fields.ts'
import { parseJson, Unreadable } from '../sources/format.ts'
import type { DecodeSamples, SampleMessage } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { type Gathering, gathering } from './gathering.ts'
import { readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'
import { sampleTime } from './time.ts'

/** Prometheus in Kafka as prometheus-kafka-adapter writes it: `{timestamp, value, name, labels}`, the value as text. */
export function prometheusJson({ time_unit }: SampleSettings): DecodeSamples {
  const readItem = (item: unknown, message: SampleMessage, into: Gathering): void => {
    const { timestamp, value, name, labels } = fieldsOf(item, 'the sample')
    const at_ms = sampleTime(timestamp, time_unit, message.at_ms, 'timestamp')
    into.add(labelsOfSample(name, labels), [readingOf(at_ms, numberOf(value))])
  }
  return gathering((message, into) => {
    const body = parseJson(message.body)
    const items: readonly unknown[] = Array.isArray(body) ? body : [body]
    into.each(
      items,
      (item) => JSON.stringify(item) ?? '',
      (item) => readItem(item, message, into),
    )
  })
}

function labelsOfSample(name: unknown, given: unknown): Labels {
  const { __name__, ...labels } = labelsOf(optionalFields(given, 'labels'))
  return seriesLabels(textOf(name) || (__name__ ?? ''), labels)
}

/** As Prometheus writes numbers, `NaN` and `+Inf` among them. Throws Unreadable `value-syntax`. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  const text = typeof value === 'string' ? value.trim() : ''
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return Number.NaN
  const number = text === '' ? Number.NaN : Number(text)
  if (!Number.isNaN(number)) return number
  throw new Unreadable('value-syntax', `value is ${textOf(value).slice(0, 80)}, which is no number`)
}
