import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DecodedSamples, SampleMessage } from '../../../ingest/samples/format.ts'
import { sampleDecoder } from '../../../ingest/samples/formats.ts'
import type { SampleFormat } from '../../../schemas/source_formats.ts'
import { KEYFRAME } from './plant_seeds.ts'

const NOW = Date.UTC(2026, 10, 25, 12)

function decode(format: SampleFormat, body: unknown, extra: Partial<SampleMessage> = {}): DecodedSamples {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return sampleDecoder({ format, labels: {} })({
    body: bytes,
    headers: {},
    topic: 'topic',
    key: null,
    at_ms: NOW,
    ...extra,
  })
}

/** `equipment metric = value (quality) at time`, for each reading. */
const told = ({ series }: DecodedSamples) =>
  series.flatMap(({ labels: { metric, equipment, ...more }, readings }) =>
    readings.map(({ at_ms, value, quality }) => ({
      what: `${equipment ?? ''} ${metric}`,
      value,
      quality,
      at: new Date(at_ms).toISOString(),
      ...more,
    })),
  )

const PLACE = 'opc.tcp:__opcplc:50000_70FB9F43/oven'

describe('OPC UA PubSub in JSON', () => {
  it('a key frame: values with their status and times; texts and arrays are left out and counted', () => {
    const decoded = decode('opcua-json', KEYFRAME)
    expect(told(decoded)).toEqual([
      { what: `${PLACE} On`, value: 1, quality: 'good', at: '2026-11-25T11:59:20.931Z' },
      { what: `${PLACE} Temperature`, value: 233.5, quality: 'good', at: '2026-11-25T11:59:21.331Z' },
      { what: `${PLACE} Counter`, value: 2 ** 64, quality: 'good', at: '2026-11-25T11:59:21.342Z' },
      { what: `${PLACE} Broken`, value: 0, quality: 'bad', at: '2026-11-25T11:59:21.342Z' },
      { what: `${PLACE} Old`, value: 4, quality: 'stale', at: '2026-11-25T11:59:21.342Z' },
    ])
    expect(decoded).toMatchObject({ rejects: [], dropped: 2 })
  })

  it('a delta frame tells what changed, and nothing of the rest', () => {
    const [message] = KEYFRAME.Messages
    const delta = { ...message, MessageType: 'ua-deltaframe', Payload: { Temperature: 234 } }
    expect(told(decode('opcua-json', { ...KEYFRAME, Messages: [delta] }))).toEqual([
      { what: `${PLACE} Temperature`, value: 234, quality: 'good', at: '2026-11-25T11:59:21.342Z' },
    ])
  })

  it('a keep-alive is a sign of life of its writer', () => {
    const alive = { DataSetWriterId: 1, MessageType: 'ua-keepalive', Timestamp: '2026-11-25T11:59:00Z' }
    expect(told(decode('opcua-json', { PublisherId: 'plc', Messages: [alive] }))).toEqual([
      { what: 'plc/1 ua-keepalive', value: 1, quality: 'good', at: '2026-11-25T11:59:00.000Z' },
    ])
  })

  it('the compatibility mode: arrays of network messages, writers by name, status as an object', () => {
    const body = [
      {
        PublisherId: 'plc',
        DataSetWriterGroup: 'g',
        Messages: [
          {
            DataSetWriterId: 'press',
            Status: { Symbol: 'Uncertain', Code: 0x40_00_00_00 },
            Payload: { a: { Type: 'Double', Body: 1.5 }, b: { Type: 'Double', Body: 'NaN' } },
          },
        ],
      },
    ]
    expect(told(decode('opcua-json', body))).toMatchObject([
      { what: 'plc/g/press a', value: 1.5, quality: 'uncertain' },
      { what: 'plc/g/press b', value: Number.NaN },
    ])
  })

  it('one data set message alone, and the fields alone', () => {
    const set = { DataSetWriterName: 'oven', Timestamp: '2026-11-25T11:00:00Z', Payload: { t: 1 } }
    expect(told(decode('opcua-json', set))).toMatchObject([
      { what: 'oven t', at: '2026-11-25T11:00:00.000Z' },
    ])
    expect(told(decode('opcua-json', { t: 1, u: 2 }))).toMatchObject([{ what: ' t' }, { what: ' u' }])
  })

  it('samples of older publishers: one value of one node', () => {
    const item = {
      NodeId: 'nsu=http://microsoft.com/Opc/OpcPlc/;s=StepUp',
      DisplayName: 'StepUp',
      ApplicationUri: 'urn:plc',
      Value: { Value: 21713, SourceTimestamp: '2026-11-25T11:52:42.132Z' },
      ExtensionFields: { PublisherId: 'p', DataSetWriterId: '1000' },
    }
    expect(told(decode('opcua-json', [item, item]))).toMatchObject([
      { what: 'p/1000 StepUp', value: 21713, at: '2026-11-25T11:52:42.132Z' },
      { what: 'p/1000 StepUp' },
    ])
  })

  it('metadata is no reading, events are left out, and one bad message leaves the others', () => {
    expect(decode('opcua-json', { MessageType: 'ua-metadata', MetaData: { Fields: [] } }).series).toEqual([])
    const event = { DataSetWriterId: 1, MessageType: 'ua-event', Payload: { Severity: 100 } }
    expect(decode('opcua-json', { Messages: [event] })).toMatchObject({ series: [], dropped: 1 })
    const mixed = [
      7,
      { DataSetWriterId: 1, Payload: { t: 1 } },
      { Messages: [{ Timestamp: 'noon', Payload: {} }] },
    ]
    expect(decode('opcua-json', mixed)).toMatchObject({
      series: [{ labels: { metric: 't' } }],
      rejects: [
        { ordinal: 0, code: 'json-type' },
        { ordinal: 2, code: 'time-syntax' },
      ],
    })
  })
})

describe('Unified Namespace', () => {
  const at = { timestamp_ms: NOW - 1_000 }
  const when = '2026-11-25T11:59:59.000Z'
  const HISTORIAN = 'umh/v1/acme/hamburg/bottling/line-3/filler/_historian'

  it('the levels before the contract are the place, those behind it the measure', () => {
    const decoded = decode('uns', { ...at, value: 7.5 }, { topic: `${HISTORIAN}/axis/x` })
    expect(told(decoded)).toEqual([
      { what: 'acme/hamburg/bottling/line-3/filler axis.x', value: 7.5, quality: 'good', at: when },
    ])
  })

  it('several values in one payload, in groups, without their texts', () => {
    const payload = { ...at, temperature: 21, position: { x: 1, y: true }, state: 'running' }
    const decoded = decode('uns', payload, { topic: HISTORIAN })
    expect(told(decoded).map(({ what, value }) => [what.split(' ')[1], value])).toEqual([
      ['temperature', 21],
      ['position.x', 1],
      ['position.y', 1],
    ])
    expect(decoded.dropped).toBe(1)
  })

  it.each([
    ['in the key', 'umh.messages', 'umh.v1.acme.hamburg._historian.temperature'],
    ['in topic and key together', 'umh.v1.acme', 'hamburg._historian.temperature'],
    ['in the topic', 'umh.v1.acme.hamburg._historian.temperature', null],
  ])('from Kafka, where the path is %s', (_, topic, key) => {
    const decoded = decode('uns', { ...at, value: 1 }, { topic, key: key === null ? null : Buffer.from(key) })
    expect(told(decoded)).toMatchObject([{ what: 'acme/hamburg temperature' }])
  })

  it('without a contract the last level is the measure, and the payload may be the value alone', () => {
    const topic = 'acme/hamburg/line-3/oven/temperature'
    expect(told(decode('uns', '21.5', { topic }))).toMatchObject([
      { what: 'acme/hamburg/line-3/oven temperature', value: 21.5, at: new Date(NOW).toISOString() },
    ])
    const full = { timestamp: '2026-11-25T11:00:00Z', value: 3, unit: 'bar', quality: 'BAD' }
    expect(told(decode('uns', full, { topic }))).toMatchObject([
      { value: 3, unit: 'bar', quality: 'bad', at: '2026-11-25T11:00:00.000Z' },
    ])
    expect(told(decode('uns', { ts: NOW / 1_000, speed: 4 }, { topic: 'acme/oven' }))).toMatchObject([
      { what: 'acme/oven speed', at: new Date(NOW).toISOString() },
    ])
  })

  it('null is bad, a text is left out, a bad time is refused', () => {
    const topic = 'a/b'
    expect(told(decode('uns', { value: null }, { topic }))).toMatchObject([{ quality: 'bad', value: 0 }])
    expect(decode('uns', { value: 'on' }, { topic })).toMatchObject({ series: [], dropped: 1 })
    expect(decode('uns', { value: 1, time: 'noon' }, { topic }).rejects).toMatchObject([
      { code: 'time-syntax' },
    ])
  })
})

describe('MTConnect SHDR', () => {
  const key = Buffer.from('hamburg/line-3/mill-1')

  it('values that are numbers are readings, others are left out and counted', () => {
    const decoded = decode(
      'mtconnect-shdr',
      '2026-11-25T11:59:00.5Z|Xact|12.25|Xload|-3e2|execution|ACTIVE',
      { key },
    )
    expect(told(decoded)).toEqual([
      { what: 'hamburg/line-3/mill-1 Xact', value: 12.25, quality: 'good', at: '2026-11-25T11:59:00.500Z' },
      { what: 'hamburg/line-3/mill-1 Xload', value: -300, quality: 'good', at: '2026-11-25T11:59:00.500Z' },
    ])
    expect(decoded).toMatchObject({ dropped: 1, rejects: [] })
  })

  it('conditions are 0, 1 and 2; UNAVAILABLE is stale', () => {
    const lines = [
      '2026-11-25T11:59:00Z|system|NORMAL||||',
      '2026-11-25T11:59:01Z|system|WARNING|HTEMP|1|HIGH|Oil temperature high',
      '2026-11-25T11:59:02Z|system|fault|HTEMP|1|HIGH|Oil temperature high',
      '2026-11-25T11:59:03Z|system|UNAVAILABLE||||',
      '2026-11-25T11:59:03Z|Xact|UNAVAILABLE|Yact|1',
    ]
    expect(
      told(decode('mtconnect-shdr', lines.join('\r\n'))).map(({ what, value, quality, ...rest }) => [
        what,
        value,
        quality,
        'kind' in rest ? rest.kind : null,
      ]),
    ).toEqual([
      ['topic system', 0, 'good', 'condition'],
      ['topic system', 1, 'good', 'condition'],
      ['topic system', 2, 'good', 'condition'],
      ['topic system', 0, 'stale', 'condition'],
      ['topic Xact', 0, 'stale', null],
      ['topic Yact', 1, 'good', null],
    ])
  })

  it('lines for the agent say nothing; a key may name its device; times may be missing or relative', () => {
    const lines = [
      '* PING',
      '* shdrVersion: 2.0',
      '|mill-2:Xact|1',
      '1234.5|Xact|2',
      '2026-11-25T11:00:00Z@60.0|Xavg|3',
    ]
    expect(
      told(decode('mtconnect-shdr', lines.join('\n'), { key })).map(({ what, at }) => [what, at]),
    ).toEqual([
      ['mill-2 Xact', new Date(NOW).toISOString()],
      ['hamburg/line-3/mill-1 Xact', new Date(NOW).toISOString()],
      ['hamburg/line-3/mill-1 Xavg', '2026-11-25T11:00:00.000Z'],
    ])
  })

  it.each([
    ['a word', 'hello', 'line-syntax'],
    ['a key without a value', '|a|1|b', 'line-syntax'],
    ['a value without a key', '|a|1||2', 'line-syntax'],
    ['a condition without a key', '||FAULT|1|2|HIGH|hot', 'line-syntax'],
    ['no time', 'yesterday|a|1', 'time-syntax'],
  ])('%s is refused, and the other lines are taken', (_, line, code) => {
    const { series, rejects } = decode('mtconnect-shdr', `|ok|1\n${line}\n|ok|2`)
    expect(series).toHaveLength(2)
    expect(rejects).toMatchObject([{ ordinal: 1, code, payload: line }])
  })
})

describe('places that the configuration names otherwise', () => {
  const equipment = { 'acme/hamburg': 'hh', 'acme/hamburg/line-3': 'hh/bottling/3', '': 'world' }
  const placeOf = (topic: string) =>
    sampleDecoder({ format: 'uns', labels: { site: 'hamburg' }, equipment })({
      body: Buffer.from('1'),
      headers: {},
      topic,
      key: null,
      at_ms: NOW,
    }).series[0]?.labels

  it.each([
    ['acme/hamburg/line-3/oven/t', 'hh/bottling/3/oven'],
    ['acme/hamburg/line-31/t', 'hh/line-31'],
    ['acme/hamburg/t', 'hh'],
    ['other/x/t', 'world/other/x'],
  ])('%s lies in %s', (topic, place) => {
    expect(placeOf(topic)).toEqual({ metric: 't', equipment: place, site: 'hamburg' })
  })
})

describe.each(['opcua-json', 'uns', 'mtconnect-shdr', 'sparkplug'] as const)('%s', (format) => {
  const sound = ({ series, rejects }: DecodedSamples): void => {
    for (const { labels, readings } of series) {
      for (const value of Object.values(labels)) expect(value).not.toBe('')
      for (const { at_ms, value } of readings)
        expect([typeof at_ms, typeof value]).toEqual(['number', 'number'])
      expect(readings.every(({ at_ms }) => !Number.isNaN(at_ms))).toBe(true)
    }
    for (const { code, reason } of rejects) expect(code && reason).toBeTruthy()
  }

  it('never throws for any JSON, line, topic or key', () => {
    const anything = fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ ...KEYFRAME, Messages: value })),
      fc
        .jsonValue()
        .map((value) =>
          JSON.stringify({ timestamp_ms: 1, value, Payload: value, NodeId: value, Value: value }),
        ),
      fc.string({ unit: fc.constantFrom('|', 'a', '1', 'NORMAL', '\n', ':', '.', '*', '@', 'Z') }),
    )
    const key = fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)))
    fc.assert(
      fc.property(
        anything,
        fc.string({ unit: fc.constantFrom('/', 'a', '_', '.', 'umh', '\ud800') }),
        key,
        (body, topic, k) => {
          expect(() => sound(decode(format, body, { topic, key: k }))).not.toThrow()
        },
      ),
      { numRuns: 300 },
    )
  })
})
