import { type SampleSeed, AT_MS } from './seed.ts'
import { bdSeq, DATATYPE, encodePayload } from './sparkplug_producer.ts'

/** What plants send, as the specifications have it. */

const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): SampleSeed => ({
  body: Buffer.from(JSON.stringify(body)),
  headers,
})

/** A key frame of a network message, as OPC Publisher writes it. */
export const KEYFRAME = {
  MessageId: '27',
  MessageType: 'ua-data',
  PublisherId: 'opc.tcp://opcplc:50000_70FB9F43',
  Messages: [
    {
      DataSetWriterId: 1,
      DataSetWriterName: 'oven',
      SequenceNumber: 27,
      MetaDataVersion: { MajorVersion: 1, MinorVersion: 0 },
      MessageType: 'ua-keyframe',
      Timestamp: '2026-11-25T11:59:21.342Z',
      Payload: {
        On: { Value: true, SourceTimestamp: '2026-11-25T11:59:20.931Z' },
        Temperature: { Value: 233.5, SourceTimestamp: '2026-11-25T11:59:21.331Z' },
        Counter: { Value: { Type: 9, Body: '18446744073709551615' } },
        Broken: { StatusCode: { Symbol: 'BadNoCommunication', Code: 2150694912 } },
        Old: { Value: 4, StatusCode: { Symbol: 'UncertainLastUsableValue', Code: 1083179008 } },
        Serial: { Value: 'A-1' },
        Curve: { Value: [1, 2, 3] },
      },
    },
  ],
}

const HISTORIAN = { mqtt_topic: 'umh/v1/acme/hamburg/bottling/line-3/filler/_historian' }

export const PLANT_SEEDS = {
  sparkplug: [
    {
      body: encodePayload({
        timestamp: AT_MS,
        seq: 0,
        metrics: [
          bdSeq(3),
          { name: 'Node Control/Rebirth', datatype: DATATYPE.Boolean, value: { boolean: false } },
          {
            name: 'Temperature',
            alias: 7,
            timestamp: AT_MS,
            datatype: DATATYPE.Float,
            properties: { engUnit: 'degC', Quality: 192 },
            value: { float: 21.5 },
          },
          { name: 'Offset', alias: 8, datatype: DATATYPE.Int16, value: { int: 0xff_ff } },
          { name: 'Serial', alias: 9, datatype: DATATYPE.String, value: { text: 'A-1' } },
          { name: 'Motor', alias: 10, datatype: DATATYPE.Template, value: { template: 'rpm' } },
        ],
      }),
      headers: { mqtt_topic: 'spBv1.0/plant/NBIRTH/edge' },
    },
  ],
  'opcua-json': [
    json(KEYFRAME),
    json([{ NodeId: 'i=1', DisplayName: 'StepUp', ApplicationUri: 'urn:plc', Value: { Value: 21_713 } }]),
    json({ DataSetWriterId: 'press', MessageType: 'ua-keepalive', SequenceNumber: 7 }),
  ],
  uns: [
    json({ timestamp_ms: AT_MS, temperature: 21, position: { x: 1, y: 2 }, state: 'running' }, HISTORIAN),
    json({ timestamp: '2026-11-25T12:00:00Z', value: 3, unit: 'bar', quality: 'GOOD' }),
  ],
  'mtconnect-shdr': [
    {
      body: Buffer.from(
        '* shdrVersion: 2.0\n2026-11-25T11:59:00.5Z|Xact|12.25|Xload|-3e2|execution|ACTIVE\r\n' +
          '2026-11-25T11:59:01Z|system|WARNING|HTEMP|1|HIGH|Oil temperature high\n|avail|UNAVAILABLE\n',
      ),
    },
  ],
} satisfies Readonly<Record<string, readonly SampleSeed[]>>
