import { Unreadable } from '../sources/format.ts'
import { equipmentPath, plantLabels } from '../sources/equipment.ts'
import type { DecodeSamples, RawReading, SampleMessage } from './format.ts'
import { type Gathering, gathering } from './gathering.ts'
import { sampleTime } from './time.ts'

/**
 * MTConnect SHDR, the lines of adapters: `timestamp|key|value|key|value…`. Values that are numbers are readings; conditions become 0
 * (normal), 1 (warning) and 2 (fault), so that they can be watched like any measure. Events are texts, and are left out and counted.
 */
export const mtconnectShdr: DecodeSamples = gathering((message, into) => {
  // A line that begins with * talks to the agent: its version, its device, a ping.
  const lines = message.body
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('*'))
  const place = placeOf(message)
  into.each(lines, String, (line) => readLine(line, place, message.at_ms, into))
})

const LEVELS: Readonly<Record<string, number>> = { NORMAL: 0, WARNING: 1, FAULT: 2 }
const UNAVAILABLE = 'UNAVAILABLE'
/** A condition has native code, native severity, qualifier and text after its level, and a line of its own. */
const CONDITION_FIELDS = 7

function readLine(line: string, place: string, heard_ms: number, into: Gathering): void {
  const [timestamp = '', ...fields] = line.split('|').map((field) => field.trim())
  const [key, first] = fields
  if (key === undefined || first === undefined)
    throw new Unreadable('line-syntax', 'the line is not timestamp|key|value')
  if (key === '') throw new Unreadable('line-syntax', 'a value has no key')
  const at_ms = timeOf(timestamp, heard_ms)
  if (key.startsWith('@')) {
    into.dropped++
    return
  }
  const level = Object.hasOwn(LEVELS, first.toUpperCase()) ? LEVELS[first.toUpperCase()] : undefined
  const is_condition =
    level !== undefined || (first.toUpperCase() === UNAVAILABLE && fields.length + 1 >= CONDITION_FIELDS)
  if (is_condition) {
    const quality = level === undefined ? 'stale' : 'good'
    into.add({ ...labelsOf(key, place), kind: 'condition' }, [{ at_ms, value: level ?? 0, quality }])
    return
  }
  if (fields.length % 2 !== 0) throw new Unreadable('line-syntax', 'a key has no value')
  if (fields.some((field, i) => i % 2 === 0 && field === ''))
    throw new Unreadable('line-syntax', 'a value has no key')
  for (let i = 0; i < fields.length; i += 2)
    readItem(fields[i] ?? '', fields[i + 1] ?? '', { place, at_ms }, into)
}

function readItem(
  key: string,
  value: string,
  { place, at_ms }: { readonly place: string; readonly at_ms: number },
  into: Gathering,
): void {
  const reading = readingOf(value, at_ms)
  if (reading === null) into.dropped++
  else into.add(labelsOf(key, place), [reading])
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

function readingOf(value: string, at_ms: number): RawReading | null {
  if (value.toUpperCase() === UNAVAILABLE) return { at_ms, value: 0, quality: 'stale' }
  return NUMBER.test(value) ? { at_ms, value: Number(value), quality: 'good' } : null
}

/** Before this, a number is no time of day but counts from the start of the adapter. */
const ABSOLUTE_FROM_MS = Date.UTC(2000, 0)

/** `2026-01-01T00:00:00.000Z`, with `@duration` behind it for averages; adapters without a clock send none, or a relative one. */
function timeOf(text: string, heard_ms: number): number {
  const [at = ''] = text.split('@')
  const at_ms = sampleTime(at, null, heard_ms, 'the time')
  return at_ms < ABSOLUTE_FROM_MS ? heard_ms : at_ms
}

/** Of lines that name no device: the key of the Kafka message, else the topic; the path of a request says nothing. */
function placeOf({ key, topic }: SampleMessage): string {
  const text = key?.toString() ?? (topic.startsWith('/') ? '' : topic)
  return equipmentPath(text.toWellFormed().split('/'))
}

/** The key of a data item may name its device: `device:item`. */
function labelsOf(key: string, place: string): ReturnType<typeof plantLabels> {
  const colon = key.indexOf(':')
  return colon < 0
    ? plantLabels(key, place)
    : plantLabels(key.slice(colon + 1) || key, equipmentPath([key.slice(0, colon)]))
}
