import type { Labels } from '../../schemas/alert.ts'
import { setLabel } from '../../schemas/sample.ts'
import { type Fields, fieldsOf, labelsOf, optionalFields, textOf } from '../sources/fields.ts'
import { parseJson } from '../sources/format.ts'
import type { DecodeSamples } from './format.ts'
import { type Gathering, gathering } from './gathering.ts'
import { numberOf, readingOf } from './numbers.ts'
import { seriesLabels } from './series_labels.ts'
import { sampleTime } from './time.ts'

/**
 * Events of Metricbeat: one document or a list. The numbers below the key of its module are metrics, named by the path that leads to them
 * (`system.cpu.total.pct`), but for what tells apart things that are measured by the same names (`system.filesystem.mount_point`): a label.
 */
export function metricbeat(): DecodeSamples {
  return gathering(({ body, at_ms }, into) => {
    const parsed = parseJson(body)
    into.each(
      Array.isArray(parsed) ? (parsed as readonly unknown[]) : [parsed],
      (item) => JSON.stringify(item) ?? '',
      (item) => readEvent(fieldsOf(item, 'the event'), at_ms, into),
    )
  })
}

/** Keys that every event has beside that of its module. */
const COMMON = new Set([
  '@timestamp',
  '@metadata',
  'agent',
  'cloud',
  'container',
  'ecs',
  'event',
  'fields',
  'host',
  'kubernetes',
  'labels',
  'metricset',
  'orchestrator',
  'service',
  'tags',
])

/** Last keys of what tells apart, be it a text or a number. */
const DIMENSIONS = new Set([
  'database',
  'device',
  'device_name',
  'id',
  'index',
  'interface',
  'mount_point',
  'name',
  'node',
  'partition',
  'queue',
  'table',
  'topic',
])

function readEvent(event: Fields, received_ms: number, into: Gathering): void {
  const at_ms = sampleTime(event['@timestamp'], null, received_ms, '@timestamp')
  const found = new Found()
  for (const [key, value] of Object.entries(event)) if (!COMMON.has(key)) found.take(key, value)
  const labels = labelsOf({ ...commonLabels(event), ...found.texts })
  for (const [metric, value] of found.numbers)
    into.add(seriesLabels(metric, labels), [readingOf(at_ms, value)])
  into.dropped += found.others
}

function commonLabels(event: Fields): Labels {
  const at = (...path: readonly string[]): unknown => {
    let value: unknown = event
    for (const key of path) value = optionalFields(isObject(value) ? value : null, key)[key]
    return isObject(value) ? undefined : value
  }
  return labelsOf({
    ...optionalFields(isObject(event['fields']) ? event['fields'] : null, 'fields'),
    host: at('host', 'name') ?? at('agent', 'hostname') ?? at('agent', 'name'),
    service: at('service', 'name') ?? at('service', 'type'),
    service_address: at('service', 'address'),
    cluster: at('orchestrator', 'cluster', 'name'),
    namespace: at('kubernetes', 'namespace'),
    pod: at('kubernetes', 'pod', 'name'),
    container: at('kubernetes', 'container', 'name') ?? at('container', 'id'),
  })
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What lies below the key of a module, by its path. */
class Found {
  readonly numbers: [path: string, value: number][] = []
  readonly texts: Record<string, string> = {}
  others = 0

  take(path: string, value: unknown, key = path): void {
    const number = numberOf(value)
    if (isObject(value))
      for (const [inner, below] of Object.entries(value)) this.take(`${path}.${inner}`, below, inner)
    else if (DIMENSIONS.has(key) && !Array.isArray(value)) setLabel(this.texts, path, textOf(value))
    else if (number !== null) this.numbers.push([path, number])
    else this.others++
  }
}
