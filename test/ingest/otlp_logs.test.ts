import { gzipSync } from 'node:zlib'
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
    ['protobuf', 'x', { 'content-type': 'application/x-protobuf' }, 415],
    ['no gzip', 'x', { 'content-encoding': 'gzip' }, 400],
    ['another compression', 'x', { 'content-encoding': 'zstd' }, 400],
    ['a bomb', gzipSync(Buffer.alloc(LIMITS.http_body_bytes + 1)), { 'content-encoding': 'gzip' }, 400],
  ])('refuses %s for good', async (_what, body, headers, status) => {
    expect(await post(body, headers)).toMatchObject({ status, body: { code: 3 } })
  })
})
