import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RawSeries, SampleMessage } from '../../../ingest/samples/format.ts'
import { type SparkplugStep, stepSparkplug } from '../../../ingest/samples/sparkplug.ts'
import { SparkplugDraft, SparkplugRows } from '../../../ingest/samples/sparkplug_rows.ts'
import { bdSeq, DATATYPE, encodePayload, type Metric, type Payload } from './sparkplug_producer.ts'

const NOW = 1_780_000_000_000

/** A host that keeps its state in memory and what must be durable aside. */
class Host {
  readonly stored = new Map<string, Buffer>()
  private rows = new SparkplugRows()
  at_ms = NOW

  hear(topic: string, payload: Payload | Buffer, extra: Partial<SampleMessage> = {}): SparkplugStep {
    const body = Buffer.isBuffer(payload) ? payload : encodePayload(payload)
    const draft = new SparkplugDraft(this.rows)
    const step = stepSparkplug(draft, {
      body,
      headers: {},
      topic: `spBv1.0/plant/${topic}`,
      key: null,
      at_ms: this.at_ms,
      ...extra,
    })
    draft.change(step.change)
    for (const [row, value] of draft.rows()) this.stored.set(row, value)
    this.rows.apply(draft)
    return step
  }

  restart(): void {
    this.rows = new SparkplugRows()
    for (const [key, value] of this.stored) this.rows.load(key, value)
  }
}

const temperature: Metric = {
  name: 'Temperature',
  alias: 7,
  datatype: DATATYPE.Double,
  properties: { engUnit: 'degC' },
  value: { double: 21.5 },
}
const pressed: Metric = { name: 'Pressed', alias: 8, datatype: DATATYPE.Boolean, value: { boolean: false } }
const nbirth = (session: number, seq = 0): Payload => ({
  timestamp: NOW,
  seq,
  metrics: [
    bdSeq(session),
    { name: 'Node Control/Rebirth', datatype: DATATYPE.Boolean, value: { boolean: false } },
  ],
})
const dbirth = (seq: number): Payload => ({ timestamp: NOW, seq, metrics: [temperature, pressed] })
const ddata = (seq: number, ...metrics: Metric[]): Payload => ({ timestamp: NOW + 1_000, seq, metrics })
const hot = (value: number, more: Partial<Metric> = {}): Metric => ({
  alias: 7,
  value: { double: value },
  ...more,
})

function born(): Host {
  const host = new Host()
  host.hear('NBIRTH/edge', nbirth(1))
  host.hear('DBIRTH/edge/oven', dbirth(1))
  return host
}

const readingsOf = ({ decoded }: SparkplugStep, metric: string) =>
  decoded.series.filter(({ labels }) => labels['metric'] === metric).flatMap(({ readings }) => readings)

describe('births and data', () => {
  it('a birth names what later messages tell by alias, with its place and unit', () => {
    const host = born()
    const { decoded, rebirth, is_gap } = host.hear('DDATA/edge/oven', ddata(2, hot(22.25)))
    expect(decoded).toEqual({
      series: [
        {
          labels: { metric: 'Temperature', equipment: 'plant/edge/oven', unit: 'degC' },
          readings: [{ at_ms: NOW + 1_000, value: 22.25, quality: 'good' }],
        },
      ],
      rejects: [],
      dropped: 0,
    })
    expect([rebirth, is_gap]).toEqual([null, false])
  })

  it('a birth tells the first values, and leaves out how the sender itself is controlled', () => {
    const host = new Host()
    expect(host.hear('NBIRTH/edge', nbirth(1)).decoded).toEqual({ series: [], rejects: [], dropped: 2 })
    const step = host.hear('DBIRTH/edge/oven', dbirth(1))
    expect(readingsOf(step, 'Temperature')).toEqual([{ at_ms: NOW, value: 21.5, quality: 'good' }])
    expect(readingsOf(step, 'Pressed')).toEqual([{ at_ms: NOW, value: 0, quality: 'good' }])
  })

  it('a node has metrics of its own, and data may name a metric that has no alias', () => {
    const host = new Host()
    const load: Metric = { name: 'CPU/load', datatype: DATATYPE.Float, value: { float: 0.5 } }
    host.hear('NBIRTH/edge', { ...nbirth(1), metrics: [bdSeq(1), load] })
    const step = host.hear('NDATA/edge', ddata(1, { name: 'CPU/load', value: { float: 0.75 } }))
    expect(step.decoded.series).toEqual([
      {
        labels: { metric: 'CPU/load', equipment: 'plant/edge' },
        readings: [{ at_ms: NOW + 1_000, value: 0.75, quality: 'good' }],
      },
    ])
  })

  it.each([
    ['Int8', { int: 0xff }, -1],
    ['Int8', { int: 0xff_ff_ff_fe }, -2],
    ['Int16', { int: 0x80_00 }, -32_768],
    ['Int32', { int: 0xff_ff_ff_ff }, -1],
    ['Int32', { long: 0xff_ff_ff_ffn }, -1],
    ['Int64', { long: -5n }, -5],
    ['UInt8', { int: 255 }, 255],
    ['UInt32', { int: 0xff_ff_ff_ff }, 4_294_967_295],
    ['UInt64', { long: 2n ** 53n }, 2 ** 53],
    ['Float', { float: 1.5 }, 1.5],
    ['Boolean', { boolean: true }, 1],
    ['Boolean', { int: 1 }, 1],
  ] as const)('%s of %o is %d', (type, value, expected) => {
    const host = new Host()
    const metric = { name: 'n', alias: 1, datatype: DATATYPE[type], value }
    const step = host.hear('NBIRTH/edge', { seq: 0, metrics: [metric] })
    expect(readingsOf(step, 'n').map((reading) => reading.value)).toEqual([expected])
  })

  it('texts, templates and files are left out and counted, in births and in data', () => {
    const host = new Host()
    const metrics: Metric[] = [
      { name: 'serial', alias: 1, datatype: DATATYPE.String, value: { text: 'A-1' } },
      { name: 'motor', alias: 2, datatype: DATATYPE.Template, value: { template: 'rpm' } },
      { name: 'file', alias: 3, datatype: 18, value: { bytes: new Uint8Array(9) } },
    ]
    expect(host.hear('NBIRTH/edge', { seq: 0, metrics }).decoded).toMatchObject({ series: [], dropped: 3 })
    const changed = host.hear('NDATA/edge', ddata(1, { alias: 1, value: { text: 'A-2' } }))
    expect(changed.decoded).toEqual({ series: [], rejects: [], dropped: 1 })
  })

  it('qualities: null is bad, 0 bad, 192 good, 500 stale, 64 uncertain', () => {
    const host = born()
    const step = host.hear(
      'DDATA/edge/oven',
      ddata(
        2,
        hot(1, { is_null: true }),
        ...[0, 192, 500, 64].map((Quality) => hot(Quality, { properties: { Quality } })),
      ),
    )
    expect(readingsOf(step, 'Temperature').map(({ value, quality }) => [value, quality])).toEqual([
      [Number.NaN, 'bad'],
      [0, 'bad'],
      [192, 'good'],
      [500, 'stale'],
      [64, 'uncertain'],
    ])
  })

  it('what fills a gap of the past is apart, and changes no last value', () => {
    const host = born()
    const step = host.hear(
      'DDATA/edge/oven',
      ddata(2, hot(30), hot(5, { is_historical: true, timestamp: NOW - 60_000 })),
    )
    expect(step.decoded.series.map(({ historical, readings }) => [historical, readings[0]?.value])).toEqual([
      [undefined, 30],
      [true, 5],
    ])
    const [stale] = readingsOf(host.hear('DDEATH/edge/oven', { seq: 3 }), 'Temperature')
    expect(stale).toMatchObject({ value: 30, quality: 'stale' })
  })

  it.each([
    ['ms', NOW + 5],
    ['ns', (NOW + 5) * 1_000_000],
    ['s', (NOW + 5_000) / 1_000],
  ])('times in %s are known by their size', (unit, timestamp) => {
    const [reading] = readingsOf(
      born().hear('DDATA/edge/oven', ddata(2, hot(1, { timestamp }))),
      'Temperature',
    )
    expect(reading?.at_ms).toBeCloseTo(unit === 's' ? NOW + 5_000 : NOW + 5, 0)
  })

  it('a bridge to Kafka may have the topic in the key', () => {
    const host = new Host()
    const key = Buffer.from('spBv1.0/plant/NBIRTH/edge')
    const metrics = [{ ...temperature, alias: 1 }]
    const step = host.hear('x', { seq: 0, metrics }, { topic: 'sparkplug', key })
    expect(readingsOf(step, 'Temperature')).toHaveLength(1)
  })
})

describe('what is missing', () => {
  it('data before any birth is rejected, and a rebirth asked for once in a while', () => {
    const host = new Host()
    const first = host.hear('DDATA/edge/oven', ddata(4, hot(1)))
    expect(first.decoded.rejects).toMatchObject([{ code: 'unknown-alias' }])
    expect(first.rebirth).toEqual({ group: 'plant', node: 'edge' })
    expect(host.hear('DDATA/edge/oven', ddata(5, hot(1))).rebirth).toBeNull()
    host.at_ms += 10_000
    expect(host.hear('DDATA/edge/oven', ddata(6, hot(1))).rebirth).not.toBeNull()
  })

  it('a gap in the numbers asks for a rebirth until it comes, and values are uncertain meanwhile', () => {
    const host = born()
    const lost = host.hear('DDATA/edge/oven', ddata(9, hot(1)))
    expect([lost.is_gap, lost.rebirth]).toEqual([true, { group: 'plant', node: 'edge' }])
    expect(readingsOf(lost, 'Temperature')).toMatchObject([{ quality: 'uncertain' }])
    expect(readingsOf(host.hear('DDATA/edge/oven', ddata(10, hot(2))), 'Temperature')).toMatchObject([
      { quality: 'uncertain' },
    ])
    host.at_ms += 10_000
    expect(host.hear('DDATA/edge/oven', ddata(11, hot(2)))).toMatchObject({
      is_gap: false,
      rebirth: { group: 'plant', node: 'edge' },
    })
    host.hear('NBIRTH/edge', nbirth(1))
    host.hear('DBIRTH/edge/oven', dbirth(1))
    expect(readingsOf(host.hear('DDATA/edge/oven', ddata(2, hot(3))), 'Temperature')).toMatchObject([
      { quality: 'good' },
    ])
  })

  it('the number after 255 is 0, and what the broker repeats is no gap', () => {
    const host = new Host()
    host.hear('NBIRTH/edge', { ...nbirth(1, 254), metrics: [bdSeq(1), temperature] })
    expect(host.hear('NDATA/edge', ddata(255, hot(1))).is_gap).toBe(false)
    expect(host.hear('NDATA/edge', ddata(0, hot(1))).is_gap).toBe(false)
    expect(host.hear('NDATA/edge', ddata(255, hot(1)), { headers: { 'mqtt-dup': 'true' } }).is_gap).toBe(
      false,
    )
    expect(host.hear('NDATA/edge', ddata(1, hot(1))).is_gap).toBe(false)
  })

  it('an alias that no birth defined is rejected, and the rest of the message is taken', () => {
    const host = born()
    const step = host.hear('DDATA/edge/oven', ddata(2, hot(1), { alias: 99, value: { int: 1 } }))
    expect(readingsOf(step, 'Temperature')).toHaveLength(1)
    expect(step.decoded.rejects).toMatchObject([{ ordinal: 1, code: 'unknown-alias' }])
    expect(step.rebirth).not.toBeNull()
  })

  it('a device of which only the node was born is unknown', () => {
    const host = new Host()
    host.hear('NBIRTH/edge', nbirth(1))
    expect(host.hear('DDATA/edge/oven', ddata(1, hot(1))).decoded.rejects).toMatchObject([
      { code: 'unknown-alias' },
    ])
  })
})

describe('deaths', () => {
  it('the death of a node makes everything of it stale, with the last values', () => {
    const host = born()
    host.hear('DDATA/edge/oven', ddata(2, hot(80)))
    host.at_ms += 60_000
    const step = host.hear('NDEATH/edge', { metrics: [bdSeq(1)] })
    expect(step.decoded.series.map(({ labels, readings }) => [labels['metric'], readings[0]])).toEqual([
      ['Temperature', { at_ms: NOW + 60_000 + 1_000, value: 80, quality: 'stale' }],
      ['Pressed', { at_ms: NOW + 60_000 + 1_000, value: 0, quality: 'stale' }],
    ])
    const after = host.hear('DDATA/edge/oven', ddata(3, hot(81)))
    expect(after.decoded.rejects).toMatchObject([{ code: 'unknown-alias' }])
  })

  it('the death of a session that has been followed by another is old news', () => {
    const host = born()
    host.hear('NBIRTH/edge', nbirth(2))
    expect(host.hear('NDEATH/edge', { metrics: [bdSeq(1)] }).decoded.series).toEqual([])
    expect(host.hear('NDEATH/edge', { metrics: [bdSeq(2)] }).decoded.series).toEqual([])
  })

  it('a new session makes devices of the old one stale until they are born again, and is not older than that', () => {
    const host = born()
    host.at_ms += 5_000
    const [stale] = readingsOf(host.hear('NBIRTH/edge', nbirth(2)), 'Temperature')
    expect(stale).toMatchObject({ quality: 'stale' })
    const [again] = readingsOf(host.hear('DBIRTH/edge/oven', dbirth(1)), 'Temperature')
    expect(again?.quality).toBe('good')
    expect(again?.at_ms).toBeGreaterThan(stale?.at_ms ?? Infinity)
  })

  it('the death of a device leaves the others', () => {
    const host = born()
    host.hear('DBIRTH/edge/press', dbirth(2))
    const step = host.hear('DDEATH/edge/oven', { seq: 3 })
    expect(new Set(step.decoded.series.map(({ labels }) => labels['equipment']))).toEqual(
      new Set(['plant/edge/oven']),
    )
    expect(readingsOf(host.hear('DDATA/edge/press', ddata(4, hot(9))), 'Temperature')).toHaveLength(1)
  })
})

describe('a restart', () => {
  it('knows the births of before, and how far the numbers were', () => {
    const host = born()
    host.hear('DDATA/edge/oven', ddata(2, hot(50)))
    host.restart()
    const step = host.hear('DDATA/edge/oven', ddata(3, hot(51)))
    expect(step).toMatchObject({ is_gap: false, rebirth: null })
    expect(readingsOf(step, 'Temperature')).toMatchObject([{ value: 51, quality: 'good' }])
  })

  it('has the values of births for what dies', () => {
    const host = born()
    host.restart()
    const step = host.hear('NDEATH/edge', { metrics: [bdSeq(1)] })
    expect(readingsOf(step, 'Temperature')).toMatchObject([{ value: 21.5, quality: 'stale' }])
    host.restart()
    expect(host.hear('DDATA/edge/oven', ddata(3, hot(51))).decoded.rejects).toHaveLength(1)
  })
})

describe('odd payloads', () => {
  it.each([
    ['no protobuf', Buffer.from('hello'), 'protobuf'],
    ['a metric that ends beyond the payload', Buffer.from([0x12, 0x7f, 0x0a]), 'protobuf'],
    ['compressed', encodePayload({ uuid: 'SPBV1.0_COMPRESSED' }), 'compressed'],
  ])('%s is refused', (_, body, code) => {
    expect(new Host().hear('NBIRTH/edge', body).decoded.rejects).toMatchObject([{ ordinal: 0, code }])
  })

  it.each(['NDATA', 'XDATA/edge', 'DDATA/edge', 'NDATA/edge/oven/more', 'NBIRTH/'])(
    '%s is no topic',
    (topic) => {
      expect(new Host().hear(topic, {}).decoded.rejects).toMatchObject([{ code: 'topic-unknown' }])
    },
  )

  it('commands and states of hosts say nothing', () => {
    const host = new Host()
    expect(host.hear('NCMD/edge', {}).decoded).toEqual({ series: [], rejects: [] })
    expect(host.hear('', Buffer.from('{}'), { topic: 'spBv1.0/STATE/scada' }).decoded.rejects).toEqual([])
  })

  it('a birth with too many metrics defines none', () => {
    const metrics = Array.from({ length: 10_001 }, (_, i) => ({ name: `m${i}`, value: { int: i } }))
    expect(new Host().hear('NBIRTH/edge', { seq: 0, metrics }).decoded).toMatchObject({
      series: [],
      rejects: [{ code: 'too-many-metrics' }],
    })
  })

  it('names such as __proto__ are names', () => {
    const host = new Host()
    const step = host.hear('NBIRTH/__proto__', {
      seq: 0,
      metrics: [{ name: '__proto__', value: { int: 1 } }],
    })
    expect(step.decoded.series[0]?.labels).toEqual({ metric: '__proto__', equipment: 'plant/__proto__' })
  })

  const anyTopic = fc.constantFrom(
    'NBIRTH/e',
    'NDATA/e',
    'NDEATH/e',
    'DBIRTH/e/d',
    'DDATA/e/d',
    'DDEATH/e/d',
    'x',
  )
  const anyMetric: fc.Arbitrary<Metric> = fc.record(
    {
      name: fc.oneof(fc.constantFrom('a', 'bdSeq', ''), fc.string({ unit: 'binary' })),
      alias: fc.nat({ max: 4 }),
      timestamp: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      datatype: fc.nat({ max: 40 }),
      is_historical: fc.boolean(),
      is_null: fc.boolean(),
      properties: fc.dictionary(fc.constantFrom('Quality', 'engUnit', 'x'), fc.oneof(fc.string(), fc.nat())),
      value: fc.oneof(
        fc.record({ int: fc.nat() }),
        fc.record({ long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }) }),
        fc.record({ double: fc.double() }),
        fc.record({ text: fc.string() }),
      ),
    },
    { requiredKeys: [] },
  )
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({ seq: fc.nat({ max: 300 }), metrics: fc.array(anyMetric, { maxLength: 6 }) })
      .map(encodePayload),
  )

  it('whatever comes ends as readings, rejects or nothing, also after restarts in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyTopic, anyBody, fc.boolean()), { maxLength: 20 }), (messages) => {
        const host = new Host()
        for (const [topic, body, restarts] of messages) {
          const step = host.hear(topic, body)
          for (const series of step.decoded.series) expectSound(series)
          for (const { code, reason } of step.decoded.rejects) expect(code && reason).toBeTruthy()
          if (restarts) host.restart()
        }
      }),
      { numRuns: 300 },
    )
  })

  function expectSound({ labels, readings }: RawSeries): void {
    expect(labels['metric']).toBeTruthy()
    expect(labels['equipment']).toMatch(/^plant\/e(?:\/d)?$/)
    for (const { at_ms, value } of readings) {
      expect(Number.isFinite(at_ms)).toBe(true)
      expect(typeof value).toBe('number')
    }
  }
})
