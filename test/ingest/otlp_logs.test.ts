import { gzipSync } from 'node:zlib'
import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { otlpLogsIngest } from '../../ingest/http/otlp_logs.ts'
import { FORMATS } from '../../ingest/sources/formats.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { OTLP_LOGS } from './format_seeds.ts'
import { NOW_MS, type SourceServer, sourceServer } from './source_server.ts'

/** The example with these records in place of its own. */
function logs(...logRecords: readonly unknown[]): object {
  return {
    resourceLogs: OTLP_LOGS.resourceLogs.map(({ resource, scopeLogs }) => ({
      resource,
      scopeLogs: scopeLogs.map(({ scope }) => ({ scope, logRecords })),
    })),
  }
}
const decode = (body: object) =>
  FORMATS['otlp-logs'](
    { body: Buffer.from(JSON.stringify(body)), headers: {}, at_ms: NOW_MS },
    { expire_after_ms: 3_600_000 },
  )
const severityOf = (record: object) => decode(logs(record)).alerts[0]?.labels['severity'] ?? 'left out'

describe('a log record', () => {
  it('of an error is an alert that is over by itself', () => {
    expect(decode(OTLP_LOGS)).toEqual({
      alerts: [
        {
          ordinal: 0,
          labels: {
            alertname: 'TimeoutError',
            severity: 'error',
            service: 'checkout',
            pod: 'checkout-7d9',
            exception: 'TimeoutError',
            logger: 'payments',
          },
          annotations: {
            summary: 'Payment of order 4711 failed',
            trace_id: '5b8efff798038103d269b633813fc60c',
            span_id: 'eee19b7ec3c1b174',
          },
          generator_url: '',
          starts_at_ms: Date.UTC(2026, 10, 25, 11, 58, 0, 157),
          start_assumed: true,
          ends_at_ms: null,
        },
      ],
      rejects: [],
    })
  })

  it.each([
    [{ severityNumber: 1 }, 'left out'],
    [{ severityNumber: 16 }, 'left out'],
    [{ severityNumber: 17 }, 'error'],
    [{ severityNumber: 20 }, 'error'],
    [{ severityNumber: 21 }, 'fatal'],
    [{ severityNumber: 24 }, 'fatal'],
    [{ severityNumber: 0, severityText: 'Error' }, 'error'],
    [{ severityText: 'CRITICAL' }, 'fatal'],
    [{ severityText: 'warn' }, 'left out'],
    [{}, 'left out'],
  ])('%j is %s', (record, severity) => {
    expect(severityOf(record)).toBe(severity)
  })

  it('of the same kind is the same alert, whatever it says', () => {
    const [first, second] = decode(
      logs(
        { severityNumber: 17, body: { stringValue: 'order 1' }, traceId: 'a' },
        {
          severityNumber: 18,
          body: { kvlistValue: { values: [{ key: 'order', value: { intValue: '2' } }] } },
        },
      ),
    ).alerts
    expect(second?.labels).toEqual(first?.labels)
    expect(second?.annotations['summary']).toBe('{"order":"2"}')
  })

  it('that cannot be read is rejected, and the others are taken', () => {
    const { alerts, rejects, dropped } = decode(
      logs(17, { severityNumber: 17 }, { severityNumber: 17, attributes: {} }, { severityNumber: 9 }),
    )
    expect(alerts).toMatchObject([{ ordinal: 1 }])
    expect(rejects).toMatchObject([
      { ordinal: 0, code: 'json-type' },
      { ordinal: 2, code: 'json-type' },
    ])
    expect(dropped).toBe(1)
  })
})

describe('POST /v1/logs', () => {
  let server: SourceServer
  beforeEach(async () => {
    server = await sourceServer(otlpLogsIngest)
  })
  afterEach(() => server.close())
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    server.post('/v1/logs', typeof body === 'string' ? body : Uint8Array.from(body), headers)

  it('takes what an exporter sends, plain and compressed', async () => {
    const text = JSON.stringify(OTLP_LOGS)
    expect(await post(text)).toEqual({ status: 200, body: {} })
    expect(await post(gzipSync(text), { 'content-encoding': 'gzip' })).toEqual({ status: 200, body: {} })
    expect(server.log.records.map(({ alerts }) => alerts[0]?.source)).toEqual(['otlp-logs', 'otlp-logs'])
  })

  it('tells how many records were rejected', async () => {
    expect(await post(JSON.stringify(logs({ severityNumber: 17 }, 'text')))).toEqual({
      status: 200,
      body: {
        partialSuccess: {
          rejectedLogRecords: '1',
          errorMessage: 'the log record is a string, not an object',
        },
      },
    })
  })

  it.each<[string, string | Buffer, Record<string, string>, number]>([
    ['no JSON', 'garbage', {}, 400],
    ['another document', '{"resourceSpans":[]}', {}, 400],
    ['another type', 'x', { 'content-type': 'text/plain' }, 415],
    ['no gzip', 'x', { 'content-encoding': 'gzip' }, 400],
    ['another compression', 'x', { 'content-encoding': 'zstd' }, 400],
    ['a bomb', gzipSync(Buffer.alloc(LIMITS.http_body_bytes + 1)), { 'content-encoding': 'gzip' }, 400],
  ])('refuses %s for good', async (_what, body, headers, status) => {
    expect(await post(body, headers)).toMatchObject({ status, body: { code: 3 } })
  })
})

type Logs = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0]

/** Records as the SDK of OpenTelemetry hands them to its exporters. */
function recordsOf(...over: object[]): Logs {
  return over.map((one) => ({
    resource: resourceFromAttributes({ 'service.name': 'checkout', 'k8s.pod.name': 'checkout-7d9' }),
    instrumentationScope: { name: 'payments' },
    hrTime: [1_795_607_880, 157_000_000],
    hrTimeObserved: [1_795_607_881, 0],
    severityNumber: 17,
    body: { order: 4711, lines: ['a', 1.5, true], deep: { x: 'y' } },
    attributes: { 'exception.type': 'TimeoutError', n: -3 },
    spanContext: {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      traceFlags: 1,
    },
    droppedAttributesCount: 0,
    eventName: undefined,
    ...one,
  })) as unknown as Logs
}
const bytesOf = (found: Uint8Array | undefined): Buffer => Buffer.from(found ?? [])
const protobuf = (records: Logs) => bytesOf(ProtobufLogsSerializer.serializeRequest(records))
const read = (body: Buffer, headers: Record<string, string> = {}) =>
  FORMATS['otlp-logs']({ body, headers, at_ms: NOW_MS }, { expire_after_ms: 3_600_000 })
const PROTOBUF = { 'content-type': 'application/x-protobuf' }

describe('protobuf', () => {
  it('tells the same as JSON', () => {
    const records = recordsOf(
      {},
      { severityNumber: 9 },
      { severityNumber: 21, eventName: 'payment.lost', body: 'text' },
      { severityNumber: 0, severityText: 'Error', attributes: {}, body: undefined, spanContext: undefined },
    )
    const told = read(protobuf(records), PROTOBUF)
    expect(told).toEqual(read(bytesOf(JsonLogsSerializer.serializeRequest(records)), {}))
    expect(told.alerts).toHaveLength(3)
    // The exporter of the Collector to Kafka says nothing of the type.
    expect(read(protobuf(records))).toEqual(told)
  })

  it('that is broken anywhere is refused or read, and never more', () => {
    const whole = protobuf(recordsOf({}, {}))
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
        (length, changes) => {
          const body = Buffer.from(whole.subarray(0, length))
          for (const [at, byte] of changes) if (at < length) body[at] = byte
          const { alerts, rejects, dropped = 0 } = read(body, PROTOBUF)
          expect(alerts.length + rejects.length + dropped).toBeLessThanOrEqual(4)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('nested without end is refused', () => {
    const nested = (depth: number): Buffer => {
      let value = Buffer.alloc(0)
      const put = (tag: number, inner: Buffer) => {
        const length: number[] = []
        for (let rest = inner.length; ; rest = Math.floor(rest / 128)) {
          length.push(rest < 128 ? rest : (rest % 128) | 0x80)
          if (rest < 128) break
        }
        return Buffer.concat([Buffer.from([tag, ...length]), inner])
      }
      for (let i = 0; i < depth; i++) value = put(0x2a, put(0x0a, value))
      return put(0x0a, put(0x12, put(0x12, put(0x2a, value))))
    }
    expect(read(nested(2_000), PROTOBUF).rejects).toMatchObject([{ code: 'protobuf-depth' }])
    expect(read(nested(20), PROTOBUF).rejects).toEqual([])
  })

  it('is answered in protobuf: taken, taken in part, refused', async () => {
    const server = await sourceServer(otlpLogsIngest)
    const post = async (body: Buffer, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${server.url}/v1/logs`, {
        method: 'POST',
        body: Uint8Array.from(body),
        headers: { ...PROTOBUF, ...headers },
      })
      expect(answer.headers.get('content-type')).toBe('application/x-protobuf')
      return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) }
    }
    const taken = await post(gzipSync(protobuf(recordsOf({}))), { 'content-encoding': 'gzip' })
    expect([taken.status, taken.bytes.length]).toEqual([200, 0])
    expect(server.log.records[0]?.alerts[0]?.labels['service']).toBe('checkout')
    const part = await post(protobuf(recordsOf({}, { hrTime: [9e12, 0] })))
    expect(part.status).toBe(200)
    expect(ProtobufLogsSerializer.deserializeResponse(part.bytes)).toMatchObject({
      partialSuccess: { rejectedLogRecords: 1 },
    })
    const refused = await post(Buffer.from('x'))
    // google.rpc.Status: code 3, then its message.
    expect([refused.status, ...refused.bytes.subarray(0, 3)]).toEqual([400, 0x08, 3, 0x12])
    await server.close()
  })
})
