import type { DecodedSamples } from '../../ingest/samples/format.ts'
import { stepSparkplug } from '../../ingest/samples/sparkplug.ts'
import { SparkplugDraft, SparkplugRows } from '../../ingest/samples/sparkplug_rows.ts'
import { DATATYPE, encodePayload } from '../../test/ingest/samples/sparkplug_producer.ts'
import { type LoadReading, readings } from './sample_bodies.ts'

/** What plants send: one message tells the values of one machine. */

const json = (body: unknown): Buffer => Buffer.from(JSON.stringify(body))
const timeOf = ([first]: readonly LoadReading[]): number => first?.at_ms ?? 0
const nameOf = (i: number): string => `Zone ${i % 10}/Temperature ${i}`

export const opcuaJson = (part: readonly LoadReading[]): Buffer =>
  json({
    MessageId: '1',
    MessageType: 'ua-data',
    PublisherId: 'opc.tcp://plc:50000',
    Messages: [
      {
        DataSetWriterId: 1,
        DataSetWriterName: 'oven',
        MessageType: 'ua-keyframe',
        Payload: Object.fromEntries(
          part.map(({ value, at_ms }, i) => [
            nameOf(i),
            { Value: value, SourceTimestamp: new Date(at_ms).toISOString() },
          ]),
        ),
      },
    ],
  })

export const uns = (part: readonly LoadReading[]): Buffer =>
  json({
    timestamp_ms: timeOf(part),
    ...Object.fromEntries(part.map(({ value }, i) => [nameOf(i), value])),
  })

export const mtconnectShdr = (part: readonly LoadReading[]): Buffer =>
  Buffer.from(
    `${new Date(timeOf(part)).toISOString()}|${part.map(({ value }, i) => `${nameOf(i)}|${value}`).join('|')}\n`,
  )

/** Data by alias. */
export const sparkplugData = (part: readonly LoadReading[]): Buffer =>
  encodePayload({
    timestamp: timeOf(part),
    metrics: part.map(({ value, at_ms }, i) => ({ alias: i, timestamp: at_ms, value: { double: value } })),
  })

/** Reads data of one device by the births of its node and itself, as a source does that has heard them. */
export function sparkplugReader(batch: number): (body: Buffer) => DecodedSamples {
  const rows = new SparkplugRows()
  const hear = (type: string, device: string, body: Buffer): DecodedSamples => {
    const draft = new SparkplugDraft(rows)
    const topic = `spBv1.0/plant/${type}/edge${device}`
    const step = stepSparkplug(draft, { body, headers: {}, topic, key: null, at_ms: Date.now() })
    draft.change(step.change)
    rows.apply(draft)
    return step.decoded
  }
  const metrics = readings(0, batch, 0).map(({ value }, i) => ({
    name: nameOf(i),
    alias: i,
    datatype: DATATYPE.Double,
    value: { double: value },
  }))
  hear('NBIRTH', '', encodePayload({ seq: 0 }))
  hear('DBIRTH', '/oven', encodePayload({ metrics }))
  return (body) => hear('DDATA', '/oven', body)
}
