import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HttpSource, httpSources } from '../../ingest/http/sources.ts'
import { secretProof, type Verification } from '../../ingest/http/verify.ts'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { NOW_MS, type SourceServer, sourceServer } from './source_server.ts'

const SETTINGS = { format: 'alertmanager', labels: {}, expire_after_ms: 3_600_000 } as const
const SECRET = 'shared between two'
const signed: Verification = {
  scheme: 'hmac-sha256',
  secret: SECRET,
  header: 'X-Signature',
  prefix: 'sha256=',
  encoding: 'hex',
}
const SOURCES: readonly HttpSource[] = [
  { name: 'shop', decode: sourceDecoder(SETTINGS), proof: null },
  {
    name: 'plant',
    decode: sourceDecoder({ ...SETTINGS, labels: { site: 'hamburg' } }),
    proof: null,
  },
  { name: 'signed', decode: sourceDecoder(SETTINGS), proof: secretProof(signed) },
  {
    name: 'keyed',
    decode: sourceDecoder(SETTINGS),
    proof: secretProof({ scheme: 'token', secret: SECRET, header: 'x-key', prefix: '', query: 'key' }),
  },
]

const ALERT = JSON.stringify([{ labels: { alertname: 'DiskFull', site: 'elsewhere' } }])

let server: SourceServer
beforeEach(async () => {
  server = await sourceServer((parts) => httpSources(parts, SOURCES))
})
afterEach(() => server.close())

describe('a configured source', () => {
  it('is taken under its name, and answered once it is durable', async () => {
    expect(await server.post('/api/v1/sources/shop', ALERT)).toEqual({
      status: 200,
      body: { accepted: 1, rejected: 0 },
    })
    expect(server.log.records[0]?.alerts).toMatchObject([
      { source: 'shop', labels: { alertname: 'DiskFull' }, starts_at_ms: NOW_MS },
    ])
  })

  it('has the labels of its configuration, whatever the sender says, and their scope', async () => {
    await server.post('/api/v1/sources/plant', ALERT)
    expect(server.log.records[0]?.alerts).toMatchObject([{ labels: { site: 'hamburg' }, scope: 'hamburg' }])
  })

  it('is not answered while the log cannot be reached', async () => {
    server.log.reachable = false
    expect((await server.post('/api/v1/sources/shop', ALERT)).status).toBe(500)
  })

  it('that does not exist is told so', async () => {
    expect(await server.post('/api/v1/sources/none', ALERT)).toMatchObject({
      status: 404,
      body: { error: { code: 'not-found' } },
    })
    expect(server.log.appends).toEqual([])
  })
})

describe('what cannot be read', () => {
  it.each([
    ['no JSON', 'garbage', 400, 'json-syntax'],
    ['nothing', '', 400, 'empty'],
    ['no list of alerts', '"text"', 422, 'json-type'],
    ['an alert without labels', '[{"labels":{}}]', 422, 'labels-empty'],
  ])('%s is refused with a reason and kept in the dead letters', async (_name, body, status, code) => {
    const answer = await server.post('/api/v1/sources/shop', body)
    expect(answer).toMatchObject({
      status,
      body: { accepted: 0, rejected: 1, reasons: [{ ordinal: 0, code }] },
    })
    expect(server.log.letters).toMatchObject([
      { code, source: 'shop', origin: 'http:POST /api/v1/sources/shop#0' },
    ])
  })

  it('does not keep the rest of the body from being taken', async () => {
    const answer = await server.post('/api/v1/sources/shop', '[{"labels":{"a":"b"}},{"labels":{}}]')
    expect(answer).toMatchObject({
      status: 422,
      body: { accepted: 1, rejected: 1, reasons: [{ ordinal: 1 }] },
    })
    expect(server.log.records[0]?.alerts).toHaveLength(1)
  })

  it('is refused before it is read when it is too large', async () => {
    const body = new Uint8Array(LIMITS.http_body_bytes + 1)
    expect((await server.post('/api/v1/sources/shop', body)).status).toBe(413)
  })
})

describe('a source that is verified', () => {
  const signature = (body: string, secret = SECRET) => ({
    'x-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  })

  it('is taken when the signature is of this very body', async () => {
    expect((await server.post('/api/v1/sources/signed', ALERT, signature(ALERT))).status).toBe(200)
  })

  it.each<[string, Record<string, string>]>([
    ['without a signature', {}],
    ['with a signature of another body', signature(`${ALERT} `)],
    ['with a signature by another secret', signature(ALERT, 'a guess')],
    ['with a signature without its prefix', { 'x-signature': signature(ALERT)['x-signature'].slice(7) }],
  ])('is refused %s, and nothing is kept', async (_how, headers) => {
    expect((await server.post('/api/v1/sources/signed', ALERT, headers)).status).toBe(401)
    expect(server.log.appends).toEqual([])
  })

  it('may show a token in a header or in its address', async () => {
    const post = (path: string, headers = {}) => server.post(`/api/v1/sources/keyed${path}`, ALERT, headers)
    expect((await post('', { 'x-key': SECRET })).status).toBe(200)
    expect((await post(`?key=${encodeURIComponent(SECRET)}`)).status).toBe(200)
    expect((await post('?key=guess')).status).toBe(401)
    expect((await post(`?key=a&key=${encodeURIComponent(SECRET)}`)).status).toBe(401)
    expect((await post('')).status).toBe(401)
  })
})
