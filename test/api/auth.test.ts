import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secretProof } from '../../ingest/http/verify.ts'
import { TABLES } from '../../analytics/tables/catalogue.ts'
import { call, SECRETS, startWorld, TOKENS, type World } from './world.ts'

type Who = keyof typeof SECRETS | 'nobody' | 'a stranger'
const EVERYBODY: readonly Who[] = ['nobody', 'a stranger', 'ingest', 'viewer', 'responder', 'admin']

/** Method, path, and who may. The requests are well-formed enough to get past authorisation, not to do anything. */
const MATRIX: readonly (readonly [method: string, path: string, allowed: readonly Who[]])[] = [
  ['GET', '/', EVERYBODY],
  ['GET', '/incidents/inc_1', EVERYBODY],
  ['GET', '/api/v1/session', EVERYBODY],
  ['DELETE', '/api/v1/session', EVERYBODY],
  ['GET', '/-/healthy', EVERYBODY],
  ['GET', '/-/ready', EVERYBODY],
  ['GET', '/metrics', ['viewer', 'responder', 'admin']],
  ['GET', '/api/openapi.json', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/incidents', ['viewer', 'responder', 'admin']],
  ['HEAD', '/api/v1/incidents', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/incidents/inc_1', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/incidents/inc_1/similar', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/incidents/inc_1/topology', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v1/incidents/inc_1/commands', ['responder', 'admin']],
  ['GET', '/api/v1/alarms', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/silences', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v1/silences', ['responder', 'admin']],
  ['POST', '/api/v1/silences/preview', ['viewer', 'responder', 'admin']],
  ['DELETE', '/api/v1/silences/none', ['responder', 'admin']],
  ['GET', '/api/v1/maintenance', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v1/maintenance', ['responder', 'admin']],
  ['DELETE', '/api/v1/maintenance/none', ['responder', 'admin']],
  ['GET', '/api/v1/rules', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/topology', ['viewer', 'responder', 'admin']],
  ['PUT', '/api/v1/topology/mesh', ['admin']],
  ['GET', '/api/v1/deliveries', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/heartbeats', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/deadletters', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/deadletters/none', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v1/deadletters/retry', ['responder', 'admin']],
  ['GET', '/api/v1/series', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/series/evidence', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v1/series/accept', ['responder', 'admin']],
  ['GET', '/api/v1/sources', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/analytics/summary', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/analytics/metrics', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v1/analytics/metrics/recurrence', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v1/analytics/import', ['admin']],
  ['DELETE', '/api/v1/analytics/scopes/gone', ['admin']],
  ['GET', '/api/v1/analytics/survival', ['viewer', 'responder', 'admin']],
  ...TABLES.map(
    ({ name }) =>
      ['GET', `/api/v1/analytics/${name}`, ['viewer', 'responder', 'admin']] as (typeof MATRIX)[number],
  ),
  ['GET', '/api/v2/status', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v2/alerts', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v2/alerts/groups', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v2/receivers', ['viewer', 'responder', 'admin']],
  ['GET', '/api/v2/silences', ['viewer', 'responder', 'admin']],
  ['POST', '/api/v2/silences', ['responder', 'admin']],
  ['GET', '/api/v2/silence/494271df-3dea-4b02-b977-f18e4b9262dd', ['viewer', 'responder', 'admin']],
  ['DELETE', '/api/v2/silence/494271df-3dea-4b02-b977-f18e4b9262dd', ['responder', 'admin']],
  ['POST', '/api/v2/alerts', ['ingest', 'admin']],
  ['POST', '/api/v1/change-events', ['ingest', 'admin']],
  ['POST', '/api/v1/events', ['ingest', 'admin']],
  ['POST', '/api/v1/sources/plant/try', ['responder', 'admin']],
  ['POST', '/v1/logs', ['ingest', 'admin']],
  ['POST', '/v2/alerts', ['ingest', 'admin']],
  ['POST', '/v2/alerts/disk/close', ['ingest', 'admin']],
  ['POST', '/v2/alerts/disk/acknowledge', ['ingest', 'admin']],
  ['POST', '/api/v1/sources/plant', ['ingest', 'admin']],
]

function credentials(who: Who): Record<string, string> {
  if (who === 'nobody') return {}
  return { authorization: `Bearer ${who === 'a stranger' ? 'a-guess' : SECRETS[who]}` }
}

describe('a sender that knows no tokens', () => {
  let world: World
  beforeAll(async () => {
    const decode = () => ({ alerts: [], rejects: [] })
    const proof = {
      scheme: 'token',
      secret: 'of the source',
      header: 'x-key',
      prefix: '',
      query: null,
    } as const
    const sources = [
      { name: 'keyed', decode, proof: secretProof(proof) },
      { name: 'open', decode, proof: null },
    ]
    world = await startWorld({ tokens: TOKENS, sources })
  })
  afterAll(() => world.close())

  const post = async (name: string, headers: Record<string, string>) =>
    (await fetch(`${world.url}/api/v1/sources/${name}`, { method: 'POST', headers, body: 'x' })).status

  it('may use the secret of its source instead, and no other source', async () => {
    expect(await post('keyed', { 'x-key': 'of the source' })).toBe(200)
    expect(await post('keyed', { 'x-key': 'a guess' })).toBe(401)
    expect(await post('keyed', credentials('ingest'))).toBe(401)
    expect(await post('open', { 'x-key': 'of the source' })).toBe(401)
  })

  it('may give a token as the password of a login', async () => {
    const login = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
    expect(await post('open', login(`anybody:${SECRETS.ingest}`))).toBe(200)
    expect(await post('open', login(`anybody:${SECRETS.viewer}`))).toBe(403)
    expect(await post('open', login(`${SECRETS.ingest}:guess`))).toBe(401)
    expect(await post('open', login(SECRETS.ingest))).toBe(401)
  })
})

describe('with tokens', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ tokens: TOKENS })
  })
  afterAll(() => world.close())

  it.each(MATRIX)('%s %s', async (method, path, allowed) => {
    for (const who of EVERYBODY) {
      const response = await fetch(world.url + path, { method, headers: credentials(who) })
      const refused = response.status === 401 || response.status === 403
      const status = who === 'nobody' || who === 'a stranger' ? 401 : 403
      expect({ who, refused: refused && response.status }).toEqual({
        who,
        refused: !allowed.includes(who) && status,
      })
      await response.arrayBuffer()
    }
  })

  it('covers every route', async () => {
    const { body } = await call(world.url, '/api/openapi.json', { headers: credentials('viewer') })
    const paths = Object.keys((body as { paths: object }).paths)
    const covered = new Set(
      MATRIX.map(([, path]) =>
        path
          .replace('inc_1', '{id}')
          .replace('metrics/recurrence', 'metrics/{name}')
          .replace('scopes/gone', 'scopes/{scope}')
          .replace('maintenance/none', 'maintenance/{name}')
          .replace('topology/mesh', 'topology/{source}')
          .replace('sources/plant', 'sources/{name}')
          .replace('alerts/disk', 'alerts/{identifier}')
          .replace(/\/none$/, '/{id}')
          .replace(/494271df.*/, '{silenceID}'),
      ),
    )
    // Events of PagerDuty's senders carry their key in the body: test/api/pagerduty.test.ts.
    const keyed = new Set(['/v2/enqueue', '/v2/change/enqueue'])
    const files = new Set(['/status.css', '/status.svg', '/event_stream.js'])
    expect(paths.filter((path) => !covered.has(path) && !files.has(path) && !keyed.has(path))).toEqual([
      '/api/v1/changes',
    ])
  })

  it('guards the changes like everything else', async () => {
    expect((await fetch(`${world.url}/api/v1/changes`)).status).toBe(401)
    expect((await fetch(`${world.url}/api/v1/changes`, { headers: credentials('ingest') })).status).toBe(403)
  })

  it('says how to get in, and which role is missing', async () => {
    const nobody = await call(world.url, '/api/v1/incidents')
    expect(nobody.headers.get('www-authenticate')).toBe('Bearer realm="tocsin"')
    expect(nobody.body).toMatchObject({
      error: { code: 'unauthenticated', message: 'this installation needs a token' },
    })
    expect(
      (await call(world.url, '/api/v1/incidents', { headers: credentials('ingest') })).body,
    ).toMatchObject({
      error: {
        code: 'forbidden',
        message: 'this needs the role viewer or responder or admin; the token the-ingest has the role ingest',
      },
    })
  })

  it.each([
    'Basic dXNlcjpwYXNz',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    `Token ${SECRETS.admin}`,
    `Bearer ${SECRETS.admin}x`,
    `Bearer ${SECRETS.admin.slice(1)}`,
  ])('refuses "%s"', async (authorization) => {
    expect((await fetch(`${world.url}/api/v1/incidents`, { headers: { authorization } })).status).toBe(401)
  })

  it('acts in the name of the token, whatever the request says', async () => {
    const { id } = await world.fire({})
    const answer = await call(world.url, `/api/v1/incidents/${id}/commands`, {
      method: 'POST',
      json: { kind: 'acknowledge' },
      headers: { ...credentials('responder'), 'x-tocsin-actor': 'somebody else' },
    })
    expect(answer).toMatchObject({ status: 200, body: { change: { actor: 'the-responder' } } })
  })

  it('tells nobody without a token which paths there are', async () => {
    expect((await fetch(`${world.url}/api/v1/nowhere`)).status).toBe(401)
    expect(await call(world.url, '/api/v1/nowhere', { headers: credentials('ingest') })).toMatchObject({
      status: 404,
      body: { error: { code: 'not-found', message: 'there is no GET /api/v1/nowhere' } },
    })
  })
})

/** fetch chooses some headers itself; this sends what it is given. */
function raw(
  world: World,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(world.url + path, { method, headers }, (response) => {
      let body = ''
      response
        .on('data', (chunk: Buffer) => (body += chunk.toString()))
        .on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.on('error', reject).end()
  })
}

describe('without tokens', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it.each([
    ['127.0.0.1:7600', 200],
    ['localhost', 200],
    ['LOCALHOST:80', 200],
    ['tocsin.localhost:7600', 200],
    ['[::1]:7600', 200],
    ['192.168.1.7', 200],
    ['evil.example.com', 403],
    ['evil.example.com:7600', 403],
    ['127.0.0.1.evil.example.com', 403],
    ['localhost.evil.example.com', 403],
    ['127.0.0.1@evil.example.com', 403],
  ])('the host %s is answered %i', async (host, status) => {
    const answer = await raw(world, 'GET', '/api/v1/incidents', { host })
    const { error } = JSON.parse(answer.body) as { error?: { code: string; field: string } }
    expect({ status: answer.status, code: error?.code, field: error?.field }).toEqual({
      status,
      ...(status === 403 && { code: 'host-not-allowed', field: 'host' }),
    })
  })

  it.each<[string, Record<string, string>, boolean]>([
    ['a program', {}, true],
    ['its own page', { 'sec-fetch-site': 'same-origin' }, true],
    ['an address typed in', { 'sec-fetch-site': 'none' }, true],
    ['another site', { 'sec-fetch-site': 'cross-site' }, false],
    ['a sister site', { 'sec-fetch-site': 'same-site' }, false],
    ['its own origin', { origin: 'http://localhost:7600' }, true],
    ['its origin behind a proxy', { origin: 'https://tocsin.example.org' }, true],
    ['another port', { origin: 'http://localhost:8080' }, false],
    ['another origin', { origin: 'https://evil.example.com' }, false],
    ['a sandboxed frame', { origin: 'null' }, false],
  ])('a change by %s', async (_who, headers, passes) => {
    for (const [method, path] of [
      ['POST', '/api/v1/silences'],
      ['DELETE', '/api/v2/silence/494271df-3dea-4b02-b977-f18e4b9262dd'],
      ['POST', '/api/v2/alerts'],
    ] as const) {
      const { status, body } = await raw(world, method, path, { host: 'localhost:7600', ...headers })
      expect({ path, refused: status === 403 && body.includes('"code":"cross-site"') }).toEqual({
        path,
        refused: !passes,
      })
    }
  })

  it('sends headers that keep browsers from guessing, framing and sharing', async () => {
    for (const path of ['/', '/api/v1/incidents', '/nowhere', '/api/v2/status']) {
      const { headers } = await fetch(world.url + path)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'self';.*frame-ancestors 'none'/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  })
})
