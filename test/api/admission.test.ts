import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Admission } from '../../ingest/http/admission.ts'
import type { HttpSource } from '../../ingest/http/sources.ts'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import { RateLimit } from '../../runtime/rate_limit.ts'
import { parseConfig } from '../../runtime/config.ts'
import { call, SECRETS, startWorld, TOKENS, type World } from './world.ts'

const refused: string[] = []

function sourceOf(name: string, limits: object): HttpSource {
  const decode = sourceDecoder({ format: 'alertmanager', labels: {}, expire_after_ms: 60_000 })
  const admission = new Admission({ name, max_body_bytes: 1_000_000, ...limits })
  return { name, decode, proof: null, admission, refused: (code) => refused.push(`${name} ${code}`) }
}

const SOURCES = [
  sourceOf('here', { allow_from: ['127.0.0.0/8', '::1'] }),
  sourceOf('elsewhere', { allow_from: ['10.0.0.0/8', '2001:db8::/32', '192.168.1.7'] }),
  sourceOf('slow', { rate_limit: { requests_per_s: 0.001, burst: 2 } }),
  sourceOf('small', { max_body_bytes: 100 }),
]

let world: World
beforeAll(async () => {
  world = await startWorld({
    sources: SOURCES,
    tokens: TOKENS.map((token) =>
      token.role === 'admin' ? { ...token, rate_limit: { requests_per_s: 0.001, burst: 3 } } : token,
    ),
  })
})
afterAll(() => world.close())

const send = (
  source: string,
  json: unknown = [{ labels: { alertname: 'Down' } }],
  as: keyof typeof SECRETS = 'ingest',
) =>
  call(world.url, `/api/v1/sources/${source}`, {
    method: 'POST',
    json,
    headers: { authorization: `Bearer ${SECRETS[as]}` },
  })

/** In chunks, so that nobody names the size before. */
function sendChunks(path: string, chunks: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${SECRETS.ingest}`, 'content-type': 'application/json' }
    const asked = request(world.url + path, { method: 'POST', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.on('error', reject)
    for (const chunk of chunks) asked.write(chunk)
    asked.end()
  })
}

describe('a source', () => {
  it('takes from the addresses that it allows, and says to whom it does not', async () => {
    expect((await send('here')).status).toBe(200)
    const letters = await world.log.bounds('deadletters')
    expect(await send('elsewhere')).toMatchObject({ status: 403, body: { error: { code: 'address' } } })
    expect(await world.log.bounds('deadletters')).toEqual(letters)
    expect(refused).toContain('elsewhere address')
  })

  it('takes so many requests, and answers when the next may come', async () => {
    expect([(await send('slow')).status, (await send('slow')).status]).toEqual([200, 200])
    const { status, headers, body } = await send('slow')
    expect([status, body]).toMatchObject([429, { error: { code: 'too-many-requests' } }])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(900)
    // Another token has its own.
    expect((await send('slow', undefined, 'admin')).status).toBe(200)
  })

  it('refuses a large body before it is read, whether its size is named or not', async () => {
    const large = JSON.stringify([{ labels: { alertname: 'x'.repeat(200) } }])
    expect((await send('small', JSON.parse(large))).status).toBe(413)
    expect(await sendChunks('/api/v1/sources/small', [large.slice(0, 50), large.slice(50)])).toBe(413)
    expect((await send('small')).status).toBe(200)
  })
})

describe('a token', () => {
  it('sends as often as it may, over all routes that take alerts, and reads as it likes', async () => {
    const as = { headers: { authorization: `Bearer ${SECRETS.admin}` } }
    const statuses: number[] = []
    for (let i = 0; i < 4; i++)
      statuses.push((await call(world.url, '/api/v2/alerts', { method: 'POST', json: [], ...as })).status)
    expect(statuses).toContain(200)
    expect(statuses.at(-1)).toBe(429)
    expect((await call(world.url, '/api/v1/sources', as)).status).toBe(200)
  })
})

describe('a rate limit', () => {
  it('lets through what it says in the long run, and a burst after a quiet time', () => {
    const limit = new RateLimit({ requests_per_s: 10, burst: 5 })
    const passed = (from_ms: number, to_ms: number) => {
      let count = 0
      for (let at_ms = from_ms; at_ms < to_ms; at_ms += 10) if (limit.waitMs('a', at_ms) === 0) count++
      return count
    }
    expect(passed(0, 10_000)).toBeGreaterThanOrEqual(103)
    expect(passed(10_000, 20_000)).toBeLessThanOrEqual(101)
    expect(passed(60_000, 60_100)).toBe(5)
    expect(limit.waitMs('a', 60_100)).toBeLessThanOrEqual(100)
    expect(limit.waitMs('b', 60_100)).toBe(0)
    // A clock that goes back takes nothing away.
    expect(limit.waitMs('b', 0)).toBe(0)
  })
})

it('what is no address is told with its line', () => {
  const text = 'sources:\n  - {name: a, kind: http, allow_from: [10.0.0.0/8, "10.0.0.0/33"]}\n'
  expect(parseConfig(text, {}).problems).toMatchObject([
    {
      line: 2,
      path: 'sources.0.allow_from.1',
      message: expect.stringContaining('expected an address') as string,
    },
  ])
})
