import type { SampleFormat } from '../../../schemas/source_formats.ts'
import { PLANT_SEEDS } from './plant_seeds.ts'
import { AT_MS, type SampleSeed } from './seed.ts'
import { double, fixed64, message, number, raw64, snappy, STALE } from './wire.ts'

const AT_NS = BigInt(AT_MS) * 1_000_000n

const text = (body: string, headers: Readonly<Record<string, string>> = {}): SampleSeed => ({
  body: Buffer.from(body),
  headers,
})
const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): SampleSeed =>
  text(JSON.stringify(body), headers)
const binary = (body: Buffer, headers: Readonly<Record<string, string>>): SampleSeed => ({
  body,
  headers,
})

const label = (name: string, value: string) => message(1, message(1, name), message(2, value))

export const REMOTE_WRITE_1 = Buffer.concat([
  message(
    1,
    label('__name__', 'node_load1'),
    label('instance', 'web-1:9100'),
    label('job', 'node'),
    message(2, double(1, 0.75), number(2, AT_MS - 15_000)),
    message(2, double(1, 1.25), number(2, AT_MS)),
  ),
  message(
    1,
    label('__name__', 'up'),
    label('instance', 'web-2:9100'),
    label('job', 'node'),
    message(2, raw64(1, STALE), number(2, AT_MS)),
  ),
  // Metadata of the metric.
  message(3, number(1, 2), message(2, 'node_load1'), message(4, '1m load average')),
])

const SYMBOLS = ['', '__name__', 'node_power_watts', 'instance', 'web-1:9100', 'Power of the node.', 'watts']
export const REMOTE_WRITE_2 = Buffer.concat([
  ...SYMBOLS.map((symbol) => message(4, symbol)),
  message(
    5,
    message(1, Buffer.from([1, 2, 3, 4])),
    message(2, double(1, 118.5), number(2, AT_MS)),
    message(5, number(1, 2), number(3, 5), number(4, 6)),
  ),
  // A native histogram.
  message(5, message(1, Buffer.from([1, 2])), message(3, number(1, 10), double(3, 4.5), number(15, AT_MS))),
])

export const V2_HEADERS = {
  'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'content-encoding': 'snappy',
}

export const OTLP_JSON = {
  resourceMetrics: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'checkout' } },
          { key: 'host.name', value: { stringValue: 'web-1' } },
          { key: 'service.instance.id', value: { stringValue: '627cc493' } },
        ],
      },
      scopeMetrics: [
        {
          scope: { name: 'my.library', version: '1.0.0' },
          metrics: [
            {
              name: 'queue.length',
              unit: '{order}',
              gauge: {
                dataPoints: [
                  {
                    asDouble: 10.5,
                    timeUnixNano: String(AT_NS),
                    attributes: [{ key: 'queue', value: { stringValue: 'orders' } }],
                  },
                ],
              },
            },
            {
              name: 'orders',
              unit: '1',
              sum: {
                aggregationTemporality: 1,
                isMonotonic: true,
                dataPoints: [{ asInt: '5', startTimeUnixNano: '1', timeUnixNano: String(AT_NS) }],
              },
            },
            {
              name: 'http.server.duration',
              unit: 's',
              histogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    timeUnixNano: String(AT_NS),
                    count: '2',
                    sum: 2.5,
                    bucketCounts: ['1', '1'],
                    explicitBounds: [1],
                    min: 0.5,
                    max: 2,
                  },
                ],
              },
            },
            {
              name: 'gc.pause',
              summary: {
                dataPoints: [
                  {
                    timeUnixNano: String(AT_NS),
                    count: 4,
                    sum: 8,
                    quantileValues: [{ quantile: 0.5, value: 2 }],
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
}

const attribute = (field: number, key: string, value: string) =>
  message(field, message(1, key), message(2, message(1, value)))

/** The same as OTLP_JSON. */
export const OTLP_PROTOBUF = message(
  1,
  message(
    1,
    attribute(1, 'service.name', 'checkout'),
    attribute(1, 'host.name', 'web-1'),
    attribute(1, 'service.instance.id', '627cc493'),
  ),
  message(
    2,
    message(1, message(1, 'my.library'), message(2, '1.0.0')),
    message(
      2,
      message(1, 'queue.length'),
      message(3, '{order}'),
      message(5, message(1, fixed64(3, AT_NS), double(4, 10.5), attribute(7, 'queue', 'orders'))),
    ),
    message(
      2,
      message(1, 'orders'),
      message(3, '1'),
      message(7, message(1, fixed64(2, 1n), fixed64(3, AT_NS), fixed64(6, 5n)), number(2, 1), number(3, 1)),
    ),
    message(
      2,
      message(1, 'http.server.duration'),
      message(3, 's'),
      message(
        9,
        message(
          1,
          fixed64(3, AT_NS),
          fixed64(4, 2n),
          double(5, 2.5),
          message(6, fixed64(1, 1n).subarray(1), fixed64(1, 1n).subarray(1)),
          message(7, double(1, 1).subarray(1)),
          double(11, 0.5),
          double(12, 2),
        ),
        number(2, 2),
      ),
    ),
    message(
      2,
      message(1, 'gc.pause'),
      message(
        11,
        message(1, fixed64(3, AT_NS), fixed64(4, 4n), double(5, 8), message(6, double(1, 0.5), double(2, 2))),
      ),
    ),
  ),
)

export const SAMPLE_SEEDS: Readonly<Record<SampleFormat, readonly SampleSeed[]>> = {
  'prometheus-remote-write': [
    binary(snappy(REMOTE_WRITE_1), {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
    }),
    binary(snappy(REMOTE_WRITE_2), V2_HEADERS),
    // From Kafka: bare, and with nothing said.
    binary(REMOTE_WRITE_1, {}),
    binary(snappy(REMOTE_WRITE_1), {}),
  ],
  'otlp-metrics': [
    json(OTLP_JSON, { 'content-type': 'application/json' }),
    binary(OTLP_PROTOBUF, { 'content-type': 'application/x-protobuf' }),
    json(OTLP_JSON),
    binary(OTLP_PROTOBUF, {}),
  ],
  influx: [
    text(
      'weather,location=us-midwest,season=summer temperature=82,humidity=71i 1465839830100400200\n' +
        '# a comment\n\n' +
        'cpu,host=web-1 usage_idle=98.5,active=t,state="a \\"quoted\\", text" 1795608000000000000\n' +
        'wea\\,ther,loca\\ tion=us\\=midwest value=82u',
    ),
  ],
  telegraf: [
    json({
      name: 'cpu',
      tags: { host: 'web-1', cpu: 'cpu0' },
      fields: { usage_idle: 98.5, active: true, governor: 'powersave' },
      timestamp: AT_MS / 1_000,
    }),
    json({
      metrics: [
        { name: 'mem', tags: { host: 'web-1' }, fields: { used: 12 }, timestamp: AT_MS },
        { name: 'system', tags: {}, fields: { value: 0.5 }, timestamp: AT_MS * 1_000_000 },
      ],
    }),
  ],
  'prometheus-json': [
    json({
      timestamp: '2026-11-25T12:00:00Z',
      value: '9876543210',
      name: 'node_network_receive_bytes_total',
      labels: { __name__: 'node_network_receive_bytes_total', device: 'eth0', instance: 'web-1:9100' },
    }),
    json({ timestamp: AT_MS, value: '+Inf', name: 'x', labels: {} }),
  ],
  metricbeat: [
    json({
      '@timestamp': '2026-11-25T12:00:00.000Z',
      '@metadata': { beat: 'metricbeat', type: '_doc', version: '8.15.0' },
      agent: { name: 'web-1', type: 'metricbeat', version: '8.15.0' },
      ecs: { version: '8.0.0' },
      event: { dataset: 'system.filesystem', module: 'system', duration: 115_000 },
      host: { name: 'web-1', os: { platform: 'debian' } },
      metricset: { name: 'filesystem', period: 60_000 },
      service: { type: 'system' },
      system: {
        filesystem: {
          device_name: '/dev/sda1',
          mount_point: '/',
          type: 'ext4',
          used: { pct: 0.41, bytes: 17_000_000 },
        },
      },
    }),
  ],
  'samples-json': [
    json({
      metric: 'temperature',
      value: 21.5,
      timestamp: AT_MS,
      labels: { machine: 'press-1' },
      unit: '°C',
    }),
    json([
      { name: 'temperature', value: '22', time: '2026-11-25T12:00:00.5Z', equipment: 'acme/hamburg/press-1' },
      { metric: 'temperature', value: null, quality: 'stale', tags: { machine: 'press-2' } },
    ]),
  ],
  'samples-csv': [
    text(
      'timestamp,temperature,"pressure, bar",state\r\n2026-11-25T12:00:00Z,21.5,3.2,on\r\n2026-11-25T12:00:01Z,NaN,,off\r\n',
    ),
  ],
  ...PLANT_SEEDS,
}
