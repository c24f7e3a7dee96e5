import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { DecodedSamples, SampleMessage } from '../../../ingest/samples/format.ts'
import { sampleDecoder, type SampleSourceConfig } from '../../../ingest/samples/formats.ts'
import { LIMITS } from '../../../schemas/limits.ts'
import { csvColumns, readingsMapping } from '../../../schemas/readings_mapping.ts'
import type { SampleFormat, TimeUnit } from '../../../schemas/source_formats.ts'
import { AT_MS } from './seed.ts'
import {
  OTLP_JSON,
  OTLP_PROTOBUF,
  REMOTE_WRITE_1,
  REMOTE_WRITE_2,
  SAMPLE_SEEDS,
  V2_HEADERS,
} from './seeds.ts'
import { double, fixed64, message, number, snappy } from './wire.ts'

type Given = Partial<SampleMessage> & { readonly settings?: Omit<SampleSourceConfig, 'format' | 'labels'> }

function decode(format: SampleFormat, body: string | Buffer | object, given: Given = {}): DecodedSamples {
  const { settings, ...rest } = given
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const decoder = sampleDecoder({ format, labels: {}, ...settings })
  return decoder({ body: bytes, headers: {}, topic: '', key: null, at_ms: AT_MS, ...rest })
}

/** A line for each reading: labels, milliseconds after AT_MS, value, and the quality unless it is good. */
function lines({ series }: DecodedSamples): unknown[] {
  return series.flatMap(({ labels, readings }) =>
    readings.map(({ at_ms, value, quality }) => {
      const shown = Object.entries(labels).map(([name, text]) => `${name}=${text}`)
      const line = [shown.sort().join(' '), at_ms - AT_MS, value]
      return quality === 'good' ? line : [...line, quality]
    }),
  )
}

const codes = ({ rejects }: DecodedSamples) => rejects.map(({ ordinal, code }) => `${ordinal} ${code}`)

describe('remote write', () => {
  it('1.0 gives samples by series; a stale marker is stale', () => {
    expect(lines(decode('prometheus-remote-write', snappy(REMOTE_WRITE_1)))).toEqual([
      ['instance=web-1:9100 job=node metric=node_load1', -15_000, 0.75],
      ['instance=web-1:9100 job=node metric=node_load1', 0, 1.25],
      ['instance=web-2:9100 job=node metric=up', 0, Number.NaN, 'stale'],
    ])
  })

  it('2.0 gives the same with its unit, and counts native histograms as left out', () => {
    const decoded = decode('prometheus-remote-write', snappy(REMOTE_WRITE_2), { headers: V2_HEADERS })
    expect(lines(decoded)).toEqual([['instance=web-1:9100 metric=node_power_watts unit=watts', 0, 118.5]])
    expect(decoded.dropped).toBe(1)
  })

  it('keeps times before 1970 for what, and values that are no numbers are bad', () => {
    const sample = message(2, double(1, Number.NaN), number(2, -5n))
    const body = message(1, message(1, message(1, '__name__'), message(2, 'm')), sample)
    expect(lines(decode('prometheus-remote-write', body))).toEqual([
      ['metric=m', -5 - AT_MS, Number.NaN, 'bad'],
    ])
  })

  it('has labels whatever they are called: a metric of that name is another', () => {
    const label = (name: string, value: string) => message(1, message(1, name), message(2, value))
    const body = message(
      1,
      label('__name__', 'm'),
      label('metric', 'other'),
      label('__proto__', 'p'),
      label('empty', ''),
      message(2, double(1, 1), number(2, AT_MS)),
    )
    expect(lines(decode('prometheus-remote-write', body))).toEqual([
      ['__proto__=p exported_metric=other metric=m', 0, 1],
    ])
  })

  it('may have labels behind its samples', () => {
    const body = message(
      1,
      message(1, message(1, 'a'), message(2, '1')),
      message(2, double(1, 1), number(2, AT_MS)),
      message(1, message(1, '__name__'), message(2, 'm')),
    )
    expect(lines(decode('prometheus-remote-write', body))).toEqual([['a=1 metric=m', 0, 1]])
  })

  it('takes no series for another that it read before, however many there are', () => {
    const decoder = sampleDecoder({ format: 'prometheus-remote-write', labels: {} })
    const sample = message(2, double(1, 1), number(2, AT_MS))
    const series = (name: string) => message(1, message(1, message(1, '__name__'), message(2, name)), sample)
    // So many that two meet in the 32 bits by which they are looked up.
    for (let from = 0; from < 150_000; from += 10_000) {
      const names = Array.from({ length: 10_000 }, (_, i) => hash('sha1', String(from + i)))
      const body = Buffer.concat(names.map(series))
      const decoded = decoder({ body, headers: {}, topic: '', key: null, at_ms: AT_MS })
      expect(decoded.series.map(({ labels }) => labels['metric'])).toEqual(names)
    }
  })

  it('2.0 rejects a series that refers to symbols which are not there, and takes the others', () => {
    const series = (...references: number[]) =>
      message(5, message(1, Buffer.from(references)), message(2, double(1, 1), number(2, AT_MS)))
    const body = Buffer.concat([
      ...['', '__name__', 'm'].map((symbol) => message(4, symbol)),
      series(1, 9),
      series(1, 2),
      series(1),
    ])
    const decoded = decode('prometheus-remote-write', snappy(body), { headers: V2_HEADERS })
    expect(codes(decoded)).toEqual(['0 symbol-missing', '2 symbol-missing'])
    expect(lines(decoded)).toEqual([['metric=m', 0, 1]])
  })

  it.each([
    [
      'a block that claims more than any body may have',
      Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]),
      'compression',
    ],
    ['no snappy', Buffer.from('garbage'), 'compression'],
    ['no protobuf in it', snappy(Buffer.from('garbage')), 'protobuf'],
    ['nothing', Buffer.alloc(0), 'empty'],
  ])('with %s is refused as a whole', (_name, body, code) => {
    const headers = { 'content-encoding': 'snappy' }
    expect(codes(decode('prometheus-remote-write', body, { headers }))).toEqual([`0 ${code}`])
  })
})

describe('OTLP', () => {
  const EXPECTED = [
    ['host=web-1 instance=627cc493 metric=queue.length queue=orders service=checkout unit={order}', 0, 10.5],
    ['host=web-1 instance=627cc493 metric=orders service=checkout temporality=delta unit=1', 0, 5],
    ['host=web-1 instance=627cc493 metric=http.server.duration_count service=checkout', 0, 2],
    ['host=web-1 instance=627cc493 metric=http.server.duration_sum service=checkout unit=s', 0, 2.5],
    ['host=web-1 instance=627cc493 metric=http.server.duration_min service=checkout unit=s', 0, 0.5],
    ['host=web-1 instance=627cc493 metric=http.server.duration_max service=checkout unit=s', 0, 2],
    ['host=web-1 instance=627cc493 metric=gc.pause_count service=checkout', 0, 4],
    ['host=web-1 instance=627cc493 metric=gc.pause_sum service=checkout', 0, 8],
    ['host=web-1 instance=627cc493 metric=gc.pause quantile=0.5 service=checkout', 0, 2],
  ]
  it('in JSON gives gauges, sums, and what is simple of histograms and summaries', () => {
    expect(lines(decode('otlp-metrics', OTLP_JSON))).toEqual(EXPECTED)
  })
  it('in protobuf gives the same', () => {
    expect(lines(decode('otlp-metrics', OTLP_PROTOBUF))).toEqual(EXPECTED)
  })

  const gauge = (...dataPoints: unknown[]) => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints } }] }] }],
  })
  it('says by a flag that there is no value: the series is stale', () => {
    expect(lines(decode('otlp-metrics', gauge({ flags: 1 })))).toEqual([['metric=m', 0, 0, 'stale']])
    const point = message(1, fixed64(3, 0n), number(8, 1))
    const body = message(1, message(2, message(2, message(1, 'm'), message(5, point))))
    expect(lines(decode('otlp-metrics', body))).toEqual([['metric=m', 0, 0, 'stale']])
  })
  it('may have numbers as texts, and values that are none', () => {
    const decoded = decode(
      'otlp-metrics',
      gauge({ asInt: '-7' }, { asDouble: 'NaN' }, { asDouble: '1e3' }, { asDouble: '-Infinity' }),
    )
    expect(lines(decoded)).toEqual([
      ['metric=m', 0, -7],
      ['metric=m', 0, Number.NaN, 'bad'],
      ['metric=m', 0, 1_000],
      ['metric=m', 0, -Infinity, 'bad'],
    ])
  })
  it('rejects a point without a value or of another type, and takes the others', () => {
    const decoded = decode('otlp-metrics', gauge({}, 17, { asDouble: 'many' }, { asDouble: 1 }))
    expect(codes(decoded)).toEqual(['0 value-missing', '1 json-type', '2 value-syntax'])
    expect(lines(decoded)).toEqual([['metric=m', 0, 1]])
    const empty = message(1, message(2, message(2, message(1, 'm'), message(5, message(1, fixed64(3, 1n))))))
    expect(codes(decode('otlp-metrics', empty))).toEqual(['0 value-missing'])
  })
  it('keeps microseconds of its times', () => {
    const [[, ms]] = lines(decode('otlp-metrics', gauge({ asInt: 1, timeUnixNano: `${AT_MS}123456` }))) as [
      [string, number, number],
    ]
    expect(ms).toBeCloseTo(0.123, 3)
  })
})

describe('line protocol', () => {
  it('has a series for each field that is a number or a truth value', () => {
    const [seed] = SAMPLE_SEEDS.influx
    const decoded = decode('influx', seed?.body ?? '')
    expect(lines({ ...decoded, series: decoded.series.slice(2) })).toEqual([
      ['host=web-1 metric=cpu_usage_idle', 1_795_608_000_000 - AT_MS, 98.5],
      ['host=web-1 metric=cpu_active', 1_795_608_000_000 - AT_MS, 1],
      ['loca tion=us=midwest metric=wea,ther', 0, 82],
    ])
    expect(decoded.series[0]).toMatchObject({ readings: [{ at_ms: 1_465_839_830_100.4, value: 82 }] })
    expect(decoded.dropped).toBe(1)
  })

  it.each<[string, TimeUnit | undefined, Record<string, string>]>([
    [`${AT_MS / 1_000}`, undefined, {}],
    [`${AT_MS}`, undefined, {}],
    [`${AT_MS}000`, undefined, {}],
    [`${AT_MS}000000`, undefined, {}],
    [`${AT_MS}`, 'ms', {}],
    [`${AT_MS}`, 's', { precision: 'ms' }],
    [`${AT_MS}000`, undefined, { precision: 'u' }],
  ])(
    'reads the time %s in the unit of the configuration (%s), the address (%j), or its size',
    (time, unit, query) => {
      expect(lines(decode('influx', `m v=1 ${time}`, { settings: { time_unit: unit }, query }))).toEqual([
        ['metric=m_v', 0, 1],
      ])
    },
  )

  it('rejects a bad line and takes the others', () => {
    const decoded = decode(
      'influx',
      [
        'm',
        'm,a=1',
        ',a=1 v=1',
        'm v=',
        'm v=abc',
        'm v=1 yesterday',
        'm v="open',
        'm,=1 v=1',
        'm v=1',
        'm  v=2  ',
      ].join('\n'),
    )
    expect(codes(decoded)).toEqual(Array.from({ length: 8 }, (_, i) => `${i} line-syntax`))
    expect(lines(decoded)).toEqual([
      ['metric=m_v', 0, 1],
      ['metric=m_v', 0, 2],
    ])
  })

  it('is refused as a whole with a precision that is not known', () => {
    expect(codes(decode('influx', 'm v=1', { query: { precision: 'h' } }))).toEqual(['0 precision'])
  })
})

describe('Telegraf', () => {
  it('tells its times in seconds, or in whatever its size says', () => {
    const decoded = SAMPLE_SEEDS.telegraf.map(({ body }) => decode('telegraf', body))
    expect(decoded.flatMap(lines)).toEqual([
      ['cpu=cpu0 host=web-1 metric=cpu_usage_idle', 0, 98.5],
      ['cpu=cpu0 host=web-1 metric=cpu_active', 0, 1],
      ['host=web-1 metric=mem_used', 0, 12],
      ['metric=system', 0, 0.5],
    ])
    expect(decoded[0]?.dropped).toBe(1)
  })
  it.each([
    [{ fields: {} }, 'field-missing'],
    [{ name: 'm' }, 'json-type'],
    [{ name: 'm', fields: { v: 1 }, timestamp: 'noon' }, 'time-syntax'],
    [{ name: 'm', fields: { v: 1 }, timestamp: -1 }, 'time-syntax'],
    [{ name: 'm', fields: { v: 1 }, tags: [] }, 'json-type'],
  ])('%j is rejected', (metric, code) => {
    const decoded = decode('telegraf', { metrics: [metric, { name: 'm', fields: { v: 1 } }] })
    expect(codes(decoded)).toEqual([`0 ${code}`])
    expect(lines(decoded)).toEqual([['metric=m_v', 0, 1]])
  })
})

describe('Prometheus in Kafka', () => {
  it('has its values as texts', () => {
    expect(
      SAMPLE_SEEDS['prometheus-json'].flatMap(({ body }) => lines(decode('prometheus-json', body))),
    ).toEqual([
      ['device=eth0 instance=web-1:9100 metric=node_network_receive_bytes_total', 0, 9_876_543_210],
      ['metric=x', 0, Infinity, 'bad'],
    ])
    expect(codes(decode('prometheus-json', { name: 'm', value: 'many' }))).toEqual(['0 value-syntax'])
  })
})

describe('Metricbeat', () => {
  it('has a metric for each number below its module; what tells apart is a label', () => {
    const [seed] = SAMPLE_SEEDS.metricbeat
    const labels = 'host=web-1 metric=%'
    const place = 'service=system system.filesystem.device_name=/dev/sda1 system.filesystem.mount_point=/'
    const decoded = decode('metricbeat', seed?.body ?? '')
    expect(lines(decoded)).toEqual([
      [`${labels.replace('%', 'system.filesystem.used.pct')} ${place}`, 0, 0.41],
      [`${labels.replace('%', 'system.filesystem.used.bytes')} ${place}`, 0, 17_000_000],
    ])
    expect(decoded.dropped).toBe(1)
  })
})

describe('any JSON', () => {
  it('needs no mapping in its plain form', () => {
    expect(SAMPLE_SEEDS['samples-json'].flatMap(({ body }) => lines(decode('samples-json', body)))).toEqual([
      ['machine=press-1 metric=temperature unit=°C', 0, 21.5],
      ['equipment=acme/hamburg/press-1 metric=temperature', 500, 22],
      ['machine=press-2 metric=temperature', 0, 0, 'stale'],
    ])
  })
  it.each([
    [{ value: 1 }, 'field-missing'],
    [{ metric: 'm' }, 'value-syntax'],
    [{ metric: 'm', value: [1] }, 'value-syntax'],
    [{ metric: 'm', value: 1, quality: 'fine' }, 'quality'],
    [{ metric: 'm', value: 1, timestamp: {} }, 'time-syntax'],
    ['text', 'json-type'],
  ])('%j is rejected', (sample, code) => {
    expect(codes(decode('samples-json', [sample]))).toEqual([`0 ${code}`])
  })
  it('leaves out and counts a value that is a text', () => {
    expect(decode('samples-json', { metric: 'state', value: 'running' })).toEqual({
      series: [],
      rejects: [],
      dropped: 1,
    })
  })

  const readings = readingsMapping.parse({
    items: 'body.points',
    drop: 'sample.kind == "event"',
    at: 'sample.ts',
    labels: { equipment: '"acme/" + sample.cell', line: 'topic.split("/")[1]' },
    values: { temperature: 'sample.t', pressure: 'sample.?p' },
    quality: 'sample.ok ? "good" : "uncertain"',
  })
  it('has another form by a mapping', () => {
    const points = [
      { kind: 'm', cell: 'c1', t: 20, p: 3, ts: AT_MS, ok: true },
      { kind: 'event' },
      { kind: 'm', cell: 'c1', t: 'text', ts: AT_MS / 1_000, ok: true },
      { kind: 'm', cell: 'c2', t: 21, ts: AT_MS, ok: false },
      { kind: 'm' },
    ]
    const decoded = decode('samples-json', { points }, { settings: { readings }, topic: 'plant/l1' })
    expect(lines(decoded)).toEqual([
      ['equipment=acme/c1 line=l1 metric=temperature', 0, 20],
      ['equipment=acme/c1 line=l1 metric=pressure', 0, 3],
      ['equipment=acme/c2 line=l1 metric=temperature', 0, 21, 'uncertain'],
    ])
    expect(codes(decoded)).toEqual(['4 expression-failed'])
    expect(decoded.dropped).toBe(2)
  })
  it('may tell one reading an item by a mapping', () => {
    const one = readingsMapping.parse({
      metric: 'sample.name',
      value: 'sample.v',
      labels: { host: 'sample.h' },
    })
    expect(
      lines(decode('samples-json', [{ name: 'm', v: 1.5, h: 'a' }], { settings: { readings: one } })),
    ).toEqual([['host=a metric=m', 0, 1.5]])
  })
})

describe('CSV', () => {
  const csv = (given: object) => ({ settings: { csv: csvColumns.parse(given) } })
  it('has a metric for each column, by the names of the first line', () => {
    const decoded = decode('samples-csv', SAMPLE_SEEDS['samples-csv'][0]?.body ?? '')
    expect(lines(decoded)).toEqual([
      ['metric=temperature', 0, 21.5],
      ['metric=pressure, bar', 0, 3.2],
      ['metric=temperature', 1_000, Number.NaN, 'bad'],
    ])
    expect(decoded.dropped).toBe(2)
  })
  it('has columns that are labels, another separator and names of the configuration', () => {
    const settings = csv({
      separator: ';',
      columns: ['when', 'machine', 't'],
      time: 'when',
      labels: ['machine'],
    })
    expect(lines(decode('samples-csv', `${AT_MS};"press ""1""";-1.5e1\n`, settings))).toEqual([
      ['machine=press "1" metric=t', 0, -15],
    ])
  })
  it('may have one reading a line', () => {
    const settings = csv({ labels: ['machine'], metric: 'sensor' })
    expect(lines(decode('samples-csv', 'machine,sensor,value\na,t,1\nb,t,2\n', settings))).toEqual([
      ['machine=a metric=t', 0, 1],
      ['machine=b metric=t', 0, 2],
    ])
  })
  it('rejects a line that does not fit, and a table without a column that it needs', () => {
    expect(codes(decode('samples-csv', 'time,t\nnoon,1\n1,2,3\n1795608000,4\n'))).toEqual([
      '0 time-syntax',
      '1 columns-too-many',
    ])
    expect(codes(decode('samples-csv', 'a,b\n1,2\n', csv({ labels: ['machine'] })))).toEqual([
      '0 column-missing',
    ])
  })
})

describe('a message in which nothing can be read', () => {
  it.each<[SampleFormat, string, string]>([
    ['influx', 'bad\n'.repeat(LIMITS.samples_per_message + 1), 'too-many-samples'],
    ['samples-csv', 'bad\n'.repeat(LIMITS.samples_per_message + 2), 'too-many-samples'],
    ['influx', 'bad\n'.repeat(20_000), 'nothing-readable'],
    ['telegraf', `[${'{},'.repeat(20_000)}{}]`, 'nothing-readable'],
  ])('is refused as a whole: %s', (format, body, code) => {
    expect(codes(decode(format, body))).toEqual([`0 ${code}`])
  })
  it('is read to its end where something can be', () => {
    const decoded = decode('influx', `good v=1\n${'bad\n'.repeat(20_000)}good v=2`)
    expect([decoded.series.length, decoded.rejects.length]).toEqual([2, 20_000])
  })
})

describe('labels of the configuration', () => {
  it('go before those of the sender', () => {
    const decoder = sampleDecoder({ format: 'samples-json', labels: { site: 'hamburg' } })
    const body = Buffer.from('{"metric":"m","value":1,"labels":{"site":"elsewhere"}}')
    expect(lines(decoder({ body, headers: {}, topic: '', key: null, at_ms: AT_MS }))).toEqual([
      ['metric=m site=hamburg', 0, 1],
    ])
  })
})
