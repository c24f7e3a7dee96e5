import type { Quality } from '../../schemas/sample.ts'
import { type Fields, fieldsOf, textOf } from '../sources/fields.ts'
import { parseJson, Unreadable } from '../sources/format.ts'
import { equipmentPath, plantLabels } from '../sources/equipment.ts'
import type { DecodeSamples, SampleMessage } from './format.ts'
import type { SampleSettings } from './formats.ts'
import { type Gathering, gathering } from './gathering.ts'
import { codeQuality } from './sparkplug_values.ts'
import { sampleTime } from './time.ts'

/**
 * Unified Namespace: the topic is the place (enterprise/site/area/line/…) and the measure, the payload is a value with its time. With
 * the United Manufacturing Hub a level that begins with `_` (`_historian`) parts the place from the measure; elsewhere the last level of
 * the topic is the measure, unless the payload names its values itself.
 */
export function unifiedNamespace({ time_unit }: SampleSettings): DecodeSamples {
  return gathering((message, into) => {
    const path = pathOf(message)
    const body = parseJson(message.body)
    const items: readonly unknown[] = Array.isArray(body) ? body : [body]
    into.each(items, textOf, (item) => {
      if (typeof item !== 'object' || item === null) return readLone(item, path, message, into)
      const fields = fieldsOf(item, 'the payload')
      const at_ms = sampleTime(timeOf(fields), time_unit, message.at_ms, 'the time')
      readFields(fields, path, at_ms, into)
    })
  })
}

interface Path {
  readonly place: readonly string[]
  /** Levels beyond the contract; null: there is no contract, and the last level of the place may be the measure. */
  readonly tag: readonly string[] | null
}

const PREFIX = /^umh[./]v1[./]/

/** In Kafka the path lies in the key, or in topic and key together. */
function pathText({ topic, key, headers, query }: SampleMessage): string {
  const told = query?.['topic'] ?? headers['mqtt_topic'] ?? headers['mqtt.topic'] ?? ''
  const key_text = key?.toString().toWellFormed() ?? ''
  if (told !== '') return told
  if (key_text === '' || topic.includes('/')) return topic
  return PREFIX.test(topic) && !PREFIX.test(key_text) ? `${topic}.${key_text}` : key_text
}

function pathOf(message: SampleMessage): Path {
  const text = pathText(message).replace(PREFIX, '')
  const levels = text.split(text.includes('/') ? '/' : '.').filter((level) => level !== '')
  if (levels.length === 0) throw new Unreadable('topic-unknown', 'no topic names the place and the measure')
  const contract = levels.findIndex((level) => level.startsWith('_'))
  return contract < 0
    ? { place: levels, tag: null }
    : { place: levels.slice(0, contract), tag: levels.slice(contract + 1) }
}

const TIMES = ['timestamp_ms', 'timestamp', 'ts', 'time']
/** Beside a `value`: they say something of it. */
const QUALIFIERS = new Set([...TIMES, 'quality', 'unit', 'value'])

const timeOf = (fields: Fields): unknown => fields[TIMES.find((name) => name in fields) ?? '']

function labelsOf({ place, tag }: Path, names: readonly string[]) {
  const [metric, equipment] =
    tag === null && names.length === 0
      ? [place.at(-1) ?? '', place.slice(0, -1)]
      : [[...(tag ?? []), ...names].join('.'), place]
  return plantLabels(metric || 'value', equipmentPath(equipment))
}

function readLone(value: unknown, path: Path, { at_ms }: SampleMessage, into: Gathering): void {
  const number = numberOf(value)
  if (number === null) into.dropped++
  else into.add(labelsOf(path, []), [{ at_ms, value: number, quality: 'good' }])
}

function readFields(fields: Fields, path: Path, at_ms: number, into: Gathering): void {
  const { value, unit, quality } = fields
  if (value !== undefined && !isObject(value)) {
    const number = numberOf(value)
    const labels = { ...labelsOf(path, []), ...(typeof unit === 'string' && unit !== '' && { unit }) }
    if (number !== null) into.add(labels, [{ at_ms, value: number, quality: qualityOf(quality) }])
    else if (value === null) into.add(labels, [{ at_ms, value: 0, quality: 'bad' }])
    else into.dropped++
    return
  }
  for (const [name, content] of Object.entries(fields))
    if (!QUALIFIERS.has(name) || isObject(content)) readNested(content, [name], path, at_ms, into)
}

function readNested(
  content: unknown,
  names: readonly string[],
  path: Path,
  at_ms: number,
  into: Gathering,
): void {
  if (isObject(content)) {
    for (const [name, inner] of Object.entries(content))
      readNested(inner, [...names, name], path, at_ms, into)
    return
  }
  const number = numberOf(content)
  if (number === null) into.dropped++
  else into.add(labelsOf(path, names), [{ at_ms, value: number, quality: 'good' }])
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : null
}

const WORDS: Readonly<Record<string, Quality>> = {
  good: 'good',
  uncertain: 'uncertain',
  bad: 'bad',
  stale: 'stale',
}

/** As a word, or as a number of OPC. */
function qualityOf(told: unknown): Quality {
  if (typeof told === 'number') return codeQuality(told)
  return typeof told === 'string' ? (WORDS[told.trim().toLowerCase()] ?? 'good') : 'good'
}
