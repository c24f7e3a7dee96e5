import type { Labels } from '../../schemas/alert.ts'
import type { Variables } from '../../schemas/expression.ts'
import {
  READINGS_ITEM_VARIABLES,
  READINGS_MESSAGE_VARIABLES,
  type ReadingsMapping,
} from '../../schemas/readings_mapping.ts'
import { QUALITIES, type Quality } from '../../schemas/sample.ts'
import type { TimeUnit } from '../../schemas/source_formats.ts'
import { cut, fieldsOf, labelsOf, neededText, optionalFields, textOf } from '../sources/fields.ts'
import { parseJson, Unreadable } from '../sources/format.ts'
import { NO_TABLES } from '../../schemas/expression.ts'
import {
  type ExpressionReader,
  expressionReader,
  flagOf,
  readersOf,
  valuesOf,
} from '../sources/expressions.ts'
import { messageVariables } from '../sources/mapped.ts'
import type { DecodeSamples, RawReading, SampleMessage } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { type Gathering, gathering } from './gathering.ts'
import { numberOf, readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'
import { sampleTime } from './time.ts'

/** Any JSON: by the mapping of the configuration, or `{metric, value, timestamp, labels, unit, equipment, quality}`, one or a list. */
export function samplesJson({ time_unit, readings }: SampleSettings): DecodeSamples {
  if (readings !== null) return mapped(readings, time_unit)
  return gathering((message, into) => {
    const parsed = parseJson(message.body)
    into.each(
      Array.isArray(parsed) ? (parsed as readonly unknown[]) : [parsed],
      (item) => JSON.stringify(item) ?? '',
      (item) => readPlain(item, { time_unit, at_ms: message.at_ms }, into),
    )
  })
}

interface Times {
  readonly time_unit: TimeUnit | null
  readonly at_ms: number
}

function readPlain(item: unknown, { time_unit, at_ms }: Times, into: Gathering): void {
  const sample = fieldsOf(item, 'the sample')
  const metric = neededText(sample['metric'] ?? sample['name'], 'metric')
  const given = optionalFields(sample['labels'] ?? sample['tags'], 'labels')
  const equipment = sample['equipment'] ?? given['equipment']
  const told = sample['timestamp'] ?? sample['time'] ?? sample['ts'] ?? sample['at']
  add(into, {
    metric,
    labels: labelsOf({ ...given, equipment }),
    unit: textOf(sample['unit']),
    value: sample['value'],
    at_ms: sampleTime(told, time_unit, at_ms, 'timestamp'),
    quality: qualityOf(sample['quality']),
  })
}

interface Found {
  readonly metric: string
  readonly labels: Labels
  readonly unit: string
  readonly value: unknown
  readonly at_ms: number
  /** Null: not told. */
  readonly quality: Quality | null
}

/** A value that is a text is left out, unless it is a number as text. */
function add(into: Gathering, { metric, labels, unit, value, at_ms, quality }: Found): void {
  const number = numberOf(value) ?? numberOfText(value)
  if (number === null) {
    if (quality === 'stale' || quality === 'bad') push({ at_ms, value: 0, quality })
    else if (typeof value === 'string') into.dropped++
    else
      throw new Unreadable(
        'value-syntax',
        `the value of ${cut(metric, 80)} is ${cut(textOf(value), 80)}, which is no number`,
      )
    return
  }
  const reading = readingOf(at_ms, number)
  push(quality !== null && reading.quality === 'good' ? { ...reading, quality } : reading)

  function push(one: RawReading): void {
    into.add(seriesLabels(metric, labels, unit), [one])
  }
}

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i

const numberOfText = (value: unknown): number | null =>
  typeof value === 'string' && NUMBER.test(value) ? Number(value) : null

/** Throws Unreadable `quality`. */
function qualityOf(told: unknown): Quality | null {
  if (told === undefined || told === null) return null
  const word = textOf(told).toLowerCase()
  const quality = QUALITIES.find((one) => one === word)
  if (quality !== undefined) return quality
  throw new Unreadable('quality', `the quality is ${cut(word, 40)}, not one of ${QUALITIES.join(', ')}`)
}

const OF_ITEM = { variables: READINGS_ITEM_VARIABLES, lookup: NO_TABLES }
const NOTHING: ExpressionReader = () => undefined

class Mapper {
  private readonly labels: ReturnType<typeof readersOf>
  private readonly values: ReturnType<typeof readersOf>
  private readonly items: ExpressionReader | null
  private readonly single: Readonly<Record<'drop' | 'at' | 'metric' | 'value' | 'quality', ExpressionReader>>
  private readonly tells_one: boolean

  constructor({ labels, values, items, ...single }: ReadingsMapping) {
    const optional = (name: keyof typeof single): ExpressionReader =>
      single[name] === undefined ? NOTHING : expressionReader(name, single[name], OF_ITEM)
    this.labels = readersOf('labels', labels, OF_ITEM)
    this.values = readersOf('values', values, OF_ITEM)
    this.items =
      items === undefined
        ? null
        : expressionReader('items', items, { variables: READINGS_MESSAGE_VARIABLES, lookup: NO_TABLES })
    this.tells_one = single.metric !== undefined
    this.single = {
      drop: optional('drop'),
      at: optional('at'),
      metric: optional('metric'),
      value: optional('value'),
      quality: optional('quality'),
    }
  }

  list(variables: Variables): readonly unknown[] {
    const { body } = variables
    const items =
      this.items === null ? (Array.isArray(body) ? (body as unknown[]) : [body]) : this.items(variables)
    if (Array.isArray(items)) return items
    throw new Unreadable('expression-type', `items: expected a list, it gave ${cut(textOf(items), 80)}`)
  }

  read(variables: Variables, { time_unit, at_ms }: Times, into: Gathering): void {
    const dropped = this.single.drop(variables)
    if (dropped !== undefined && flagOf('drop', dropped)) {
      into.dropped++
      return
    }
    const common = {
      labels: labelsOf(valuesOf(this.labels, variables)),
      unit: '',
      at_ms: sampleTime(this.single.at(variables), time_unit, at_ms, 'at'),
      quality: qualityOf(this.single.quality(variables)),
    }
    for (const [metric, value] of Object.entries(valuesOf(this.values, variables)))
      if (value !== null) add(into, { ...common, metric, value })
    if (!this.tells_one) return
    const metric = neededText(this.single.metric(variables), 'metric')
    add(into, { ...common, metric, value: this.single.value(variables) })
  }
}

function mapped(mapping: ReadingsMapping, time_unit: TimeUnit | null): DecodeSamples {
  const mapper = new Mapper(mapping)
  return gathering((message: SampleMessage, into) => {
    const variables = { ...messageVariables(message), topic: message.topic }
    into.each(
      mapper.list(variables),
      (item) => JSON.stringify(item) ?? '',
      (item) => mapper.read({ sample: item, ...variables }, { time_unit, at_ms: message.at_ms }, into),
    )
  })
}
