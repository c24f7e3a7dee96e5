import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { otlpMetricsIngest } from '../../../ingest/http/otlp_metrics.ts'
import { remoteWriteIngest } from '../../../ingest/http/remote_write.ts'
import { protocolOf } from '../../../ingest/http/sample_protocols.ts'
import type { SampleHttpSource } from '../../../ingest/http/samples.ts'
import { httpSources } from '../../../ingest/http/sources.ts'
import { trialRoute } from '../../../ingest/http/trial.ts'
import { secretProof } from '../../../ingest/http/verify.ts'
import { sampleDecoder } from '../../../ingest/samples/formats.ts'
import { triedSampleSources } from '../../../ingest/samples/trial.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { config } from '../../../schemas/config.ts'
import { LIMITS } from '../../../schemas/limits.ts'
import type { SampleFormat } from '../../../schemas/source_formats.ts'
import { KeptLog } from '../kept_log.ts'
import { AT_MS } from './seed.ts'
import { OTLP_JSON, OTLP_PROTOBUF, REMOTE_WRITE_1, REMOTE_WRITE_2, V2_HEADERS } from './seeds.ts'
import { readingsOf, type SampleServer, sampleServer } from './server.ts'
import { double, message, number, snappy } from './wire.ts'

const clock = { ...systemClock, now: () => AT_MS }
const V1_HEADERS = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' }

let log: KeptLog
let server: SampleServer
beforeEach(async () => {
  log = new KeptLog()
  server = await sampleServer(
    log,
    (parts) => async (scope) => {
      const source = (name: string, format: SampleFormat, proof: SampleHttpSource['proof'] = null) => ({
        ...parts,
        name,
        proof,
        decode: sampleDecoder({ format, labels: { site: 'hamburg' } }),
        protocol: protocolOf(format),
      })
      const proof = secretProof({ scheme: 'token', secret: 's', header: 'x-key', prefix: '', query: null })
      const sources = [
        source('lines', 'influx'),
        source('prom', 'prometheus-remote-write'),
        source('keyed', 'telegraf', proof),
      ]
      scope.register(remoteWriteIngest(parts))
      scope.register(otlpMetricsIngest(parts))
      scope.register(
        trialRoute({ intake: null as never, clock }, new Map(), triedSampleSources(config.parse({}))),
      )
      // None of these sources is one of alerts.
      scope.register(httpSources({ ...parts, intake: null as never, acknowledger: null as never }, sources))
    },
    clock,
  )
})
afterEach(() => server.close())

async function post(path: string, body: Buffer | string, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, {
    method: 'POST',
    body: body as Uint8Array<ArrayBuffer>,
    headers,
  })
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  }
}

const logged = () => readingsOf(log.appends.filter(({ topic }) => topic === 'samples'))

describe('/api/v1/write', () => {
  it('takes remote write 1.0', async () => {
    const { status, body } = await post('/api/v1/write', snappy(REMOTE_WRITE_1), V1_HEADERS)
    expect({ status, body: body.toString() }).toEqual({ status: 204, body: '' })
    expect(logged().map(({ labels, source, value }) => [source, labels['metric'], value])).toEqual([
      ['remote-write', 'node_load1', 0.75],
      ['remote-write', 'node_load1', 1.25],
      ['remote-write', 'up', 0],
    ])
  })

  it('takes remote write 2.0, and tells in headers what was written', async () => {
    const { status, headers } = await post('/api/v1/write', snappy(REMOTE_WRITE_2), V2_HEADERS)
    expect(status).toBe(204)
    expect(headers.get('x-prometheus-remote-write-samples-written')).toBe('1')
    expect(headers.get('x-prometheus-remote-write-histograms-written')).toBe('0')
    expect(headers.get('x-prometheus-remote-write-exemplars-written')).toBe('0')
    expect(logged()).toHaveLength(1)
  })

  it('answers 400 with the reason when something is refused; what is good is durable', async () => {
    const ahead = AT_MS + LIMITS.sample_ahead_ms + 1_000
    const series = (name: string, at_ms: number) =>
      message(
        1,
        message(1, message(1, '__name__'), message(2, name)),
        message(2, double(1, 1), number(2, at_ms)),
      )
    const body = snappy(Buffer.concat([series('good', AT_MS), series('ahead', ahead)]))
    const answer = await post('/api/v1/write', body, V1_HEADERS)
    expect(answer.status).toBe(400)
    expect(answer.body.toString()).toContain('ahead of our clock')
    expect(logged().map(({ labels }) => labels['metric'])).toEqual(['good'])
    expect(log.letters).toMatchObject([
      { source: 'remote-write', code: 'time-ahead', origin: 'http:POST /api/v1/write#1' },
    ])
  })

  it.each([
    [{ ...V1_HEADERS, 'content-type': 'application/json' }, 415],
    [{ ...V1_HEADERS, 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v3.Request' }, 415],
    [{ ...V1_HEADERS, 'content-encoding': 'gzip' }, 415],
    [{ ...V1_HEADERS, 'content-type': 'application/x-protobuf;proto=prometheus.WriteRequest' }, 204],
  ])('with %j is answered %i', async (headers, status) => {
    expect((await post('/api/v1/write', snappy(REMOTE_WRITE_1), headers)).status).toBe(status)
  })

  it('answers 400 to what cannot be read, and keeps it', async () => {
    const answer = await post('/api/v1/write', Buffer.from('garbage'), V1_HEADERS)
    expect(answer.status).toBe(400)
    expect(log.letters).toMatchObject([
      { code: 'compression', payload: Buffer.from('garbage').toString('base64') },
    ])
  })

  it('takes a request of metadata alone', async () => {
    const metadata = message(3, number(1, 2), message(2, 'm'))
    expect((await post('/api/v1/write', snappy(metadata), V1_HEADERS)).status).toBe(204)
    expect(log.calls).toEqual([])
  })

  it('is not answered with success while the log cannot be reached', async () => {
    log.reachable = false
    expect((await post('/api/v1/write', snappy(REMOTE_WRITE_1), V1_HEADERS)).status).toBe(500)
  })
})

describe('/v1/metrics', () => {
  const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' }
  const PROTOBUF_HEADERS = { 'content-type': 'application/x-protobuf' }
  const bad = {
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{}, { asInt: 1 }] } }] }] },
    ],
  }

  it('takes JSON and protobuf, plain and compressed, and answers in kind', async () => {
    const json = await post('/v1/metrics', JSON.stringify(OTLP_JSON), JSON_HEADERS)
    expect([json.status, json.body.toString()]).toEqual([200, '{}'])
    const protobuf = await post('/v1/metrics', gzipSync(OTLP_PROTOBUF), {
      ...PROTOBUF_HEADERS,
      'content-encoding': 'gzip',
    })
    expect([protobuf.status, protobuf.headers.get('content-type'), protobuf.body.length]).toEqual([
      200,
      'application/x-protobuf',
      0,
    ])
    expect(logged()).toHaveLength(18)
  })

  it('tells what was rejected', async () => {
    const { status, body } = await post('/v1/metrics', JSON.stringify(bad), JSON_HEADERS)
    expect(status).toBe(200)
    expect(JSON.parse(body.toString())).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } })
    expect(logged()).toHaveLength(1)
  })

  it('answers 400 with a status to what cannot be read, in the encoding of the request', async () => {
    const json = await post('/v1/metrics', 'garbage', JSON_HEADERS)
    expect([json.status, JSON.parse(json.body.toString())]).toMatchObject([400, { code: 3 }])
    const protobuf = await post('/v1/metrics', Buffer.from('garbage'), PROTOBUF_HEADERS)
    expect(protobuf.status).toBe(400)
    // google.rpc.Status: its code, then its message.
    expect(protobuf.body.subarray(0, 3)).toEqual(Buffer.from([0x08, 3, 0x12]))
  })

  it('takes no other type, and nothing that grows beyond the bound', async () => {
    expect((await post('/v1/metrics', '{}', { 'content-type': 'text/plain' })).status).toBe(415)
    const bomb = gzipSync(Buffer.alloc(LIMITS.http_body_bytes + 1))
    const answer = await post('/v1/metrics', bomb, { ...JSON_HEADERS, 'content-encoding': 'gzip' })
    expect(answer.status).toBe(400)
  })
})

describe('a message that is tried', () => {
  it('shows its series with their scope, and leaves nothing behind', async () => {
    const answer = await post(
      '/api/v1/sources/influx/try?precision=s',
      `m,site=hamburg v=1 ${AT_MS / 1_000}\nbad`,
    )
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      200,
      {
        series: [
          { scope: 'hamburg', readings: [{ at: '2026-11-25T12:00:00.000Z', value: 1, quality: 'good' }] },
        ],
        rejects: [{ ordinal: 1, code: 'line-syntax' }],
        dropped: 0,
      },
    ])
    expect(log.calls).toEqual([])
  })
})

describe('a configured source of readings', () => {
  it('is taken under its name with its labels, by what the address says', async () => {
    const answer = await post(
      `/api/v1/sources/lines?precision=s`,
      `m,host=a v=1,text="t" ${AT_MS / 1_000}\nbad\n`,
    )
    expect(answer.status).toBe(422)
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      accepted: 1,
      rejected: 1,
      reasons: [{ ordinal: 1, code: 'line-syntax' }],
    })
    expect(logged()).toMatchObject([
      { source: 'lines', at_ms: AT_MS, labels: { site: 'hamburg', host: 'a' } },
    ])
  })

  it('may be compressed', async () => {
    const answer = await post('/api/v1/sources/lines', gzipSync('m v=1'), { 'content-encoding': 'gzip' })
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([200, { accepted: 1, rejected: 0 }])
    const broken = await post('/api/v1/sources/lines', 'm v=1', { 'content-encoding': 'gzip' })
    expect([broken.status, JSON.parse(broken.body.toString())]).toMatchObject([
      400,
      { reasons: [{ code: 'compression' }] },
    ])
  })

  it('answers as its format wants', async () => {
    const { status, headers } = await post('/api/v1/sources/prom', snappy(REMOTE_WRITE_2), V2_HEADERS)
    expect([status, headers.get('x-prometheus-remote-write-samples-written')]).toEqual([204, '1'])
    expect(logged()).toMatchObject([{ source: 'prom', labels: { site: 'hamburg' } }])
  })

  it('proves itself as sources of alerts do', async () => {
    const body = '{"name":"m","fields":{"value":1}}'
    expect((await post('/api/v1/sources/keyed', body)).status).toBe(401)
    expect((await post('/api/v1/sources/keyed', body, { 'x-key': 's' })).status).toBe(200)
    expect(logged()).toHaveLength(1)
  })
})
