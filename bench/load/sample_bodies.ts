import { double, fixed64, message, number } from '../../test/ingest/samples/wire.ts'
import { compressSnappy } from './snappy.ts'

/** What monitoring of machines looks like: each has the same series, eight labels each, most of them shared. */

export interface LoadReading {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly at_ms: number
}

const METRICS_PER_HOST = 100
const INTERVAL_MS = 15_000

/** Readings `from` to `to` of all series (0 to `distinct` - 1) at one time. */
export function readings(from: number, to: number, at_ms: number): LoadReading[] {
  return Array.from({ length: to - from }, (_, i) => {
    const series = from + i
    const host = Math.floor(series / METRICS_PER_HOST)
    const metric = series % METRICS_PER_HOST
    return {
      metric: `node_${['cpu_seconds', 'network_receive_bytes', 'filesystem_avail_bytes', 'disk_io_time'][metric % 4]}_total`,
      labels: {
        cluster: 'production-eu-central-1',
        device: `device-${metric}`,
        env: 'production',
        instance: `node-${host}.example.internal:9100`,
        job: 'node-exporter',
        mode: ['idle', 'user', 'system', 'iowait'][metric % 4] ?? '',
        region: 'eu-central-1',
      },
      value: Math.round(series * 7_919.37 + at_ms / 1_000) / 4,
      at_ms,
    }
  })
}

/** Bodies of `batch` readings that go through all series, for as many times as asked, up to `end_ms`. */
export function bodies(
  encode: (part: readonly LoadReading[]) => Buffer,
  shape: {
    readonly distinct: number
    readonly batch: number
    readonly times: number
    readonly end_ms: number
  },
): Buffer[] {
  const { distinct, batch, times, end_ms } = shape
  const all: Buffer[] = []
  for (let time = 0; time < times; time++) {
    const at_ms = end_ms - (times - time) * INTERVAL_MS
    for (let from = 0; from < distinct; from += batch)
      all.push(encode(readings(from, Math.min(from + batch, distinct), at_ms)))
  }
  return all
}

const label = (name: string, value: string) => message(1, message(1, name), message(2, value))
const sample = ({ value, at_ms }: LoadReading) => message(2, double(1, value), number(2, at_ms))

export function remoteWrite1(part: readonly LoadReading[]): Buffer {
  const series = part.map((one) =>
    message(
      1,
      label('__name__', one.metric),
      ...Object.entries(one.labels).map(([name, value]) => label(name, value)),
      sample(one),
    ),
  )
  return compressSnappy(Buffer.concat(series))
}

export function remoteWrite2(part: readonly LoadReading[]): Buffer {
  const symbols = new Map([['', 0]])
  const reference = (text: string): number => {
    const known = symbols.get(text) ?? symbols.size
    symbols.set(text, known)
    return known
  }
  const series = part.map((one) => {
    const references = Object.entries({ __name__: one.metric, ...one.labels })
      .flat()
      .map(reference)
    return message(5, message(1, ...references.map((value) => number(0, value).subarray(1))), sample(one))
  })
  return compressSnappy(
    Buffer.concat([...[...symbols.keys()].map((symbol) => message(4, symbol)), ...series]),
  )
}

/** By metric, as an SDK or a collector has them. */
function byMetric(part: readonly LoadReading[]): (readonly [string, readonly LoadReading[]])[] {
  return [...Map.groupBy(part, ({ metric }) => metric)]
}

export function otlpProtobuf(part: readonly LoadReading[]): Buffer {
  const attribute = (field: number, [key, value]: readonly [string, string]) =>
    message(field, message(1, key), message(2, message(1, value)))
  const metrics = byMetric(part).map(([metric, all]) =>
    message(
      2,
      message(1, metric),
      message(
        5,
        ...all.map(({ at_ms, value, labels }) =>
          message(
            1,
            fixed64(3, BigInt(at_ms) * 1_000_000n),
            double(4, value),
            ...Object.entries(labels).map((pair) => attribute(7, pair)),
          ),
        ),
      ),
    ),
  )
  return message(1, message(1, attribute(1, ['service.name', 'node'])), message(2, ...metrics))
}

export function otlpJson(part: readonly LoadReading[]): Buffer {
  const metrics = byMetric(part).map(([name, all]) => ({
    name,
    gauge: {
      dataPoints: all.map(({ at_ms, value, labels }) => ({
        timeUnixNano: `${at_ms}000000`,
        asDouble: value,
        attributes: Object.entries(labels).map(([key, text]) => ({ key, value: { stringValue: text } })),
      })),
    },
  }))
  return Buffer.from(JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))
}

export function influx(part: readonly LoadReading[]): Buffer {
  const lines = part.map(({ metric, labels, value, at_ms }) => {
    const tags = Object.entries(labels).map(([name, text]) => `,${name}=${text}`)
    return `${metric}${tags.join('')} value=${value} ${at_ms}000000`
  })
  return Buffer.from(lines.join('\n'))
}

const list = (part: readonly LoadReading[], item: (one: LoadReading) => unknown): Buffer =>
  Buffer.from(JSON.stringify(part.map(item)))

export const telegraf = (part: readonly LoadReading[]): Buffer =>
  list(part, ({ metric, labels, value, at_ms }) => ({
    name: metric,
    tags: labels,
    fields: { value },
    timestamp: at_ms / 1_000,
  }))

export const prometheusJson = (part: readonly LoadReading[]): Buffer =>
  list(part, ({ metric, labels, value, at_ms }) => ({
    timestamp: new Date(at_ms).toISOString(),
    value: String(value),
    name: metric,
    labels: { __name__: metric, ...labels },
  }))

/** Each event has ten readings. */
export const metricbeat = (part: readonly LoadReading[]): Buffer =>
  Buffer.from(
    JSON.stringify(
      Array.from({ length: part.length / 10 }, (_, i) => ({
        '@timestamp': new Date(part[i * 10]?.at_ms ?? 0).toISOString(),
        host: { name: part[i * 10]?.labels['instance'] },
        metricset: { name: 'cpu' },
        service: { type: 'system' },
        system: {
          cpu: Object.fromEntries(
            part.slice(i * 10, i * 10 + 10).map(({ value }, n) => [`cpu${n}`, { pct: value }]),
          ),
        },
      })),
    ),
  )

export const samplesJson = (part: readonly LoadReading[]): Buffer =>
  list(part, ({ metric, labels, value, at_ms }) => ({ metric, value, timestamp: at_ms, labels }))

/** Ten columns of readings. */
export function samplesCsv(part: readonly LoadReading[]): Buffer {
  const lines = Array.from({ length: part.length / 10 }, (_, i) => {
    const row = part.slice(i * 10, i * 10 + 10)
    return [row[0]?.at_ms, ...row.map(({ value }) => value)].join(',')
  })
  return Buffer.from(
    ['time', ...Array.from({ length: 10 }, (_, i) => `sensor_${i}`)].join(',').concat('\n', lines.join('\n')),
  )
}
