import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, SECRETS, startWorld, TOKENS, type World } from './world.ts'

interface Session {
  readonly login: string
  readonly role: string | null
  readonly actor: string | null
  readonly version: string | null
}

async function logIn(world: World, token: string, headers: Record<string, string> = {}) {
  const answer = await call(world.url, '/api/v1/session', { method: 'POST', json: { token }, headers })
  const set = answer.headers.get('set-cookie')
  return { ...answer, set, cookie: set?.split(';', 1)[0] ?? '' }
}

describe('a session where tokens are configured', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ tokens: TOKENS })
  })
  afterAll(() => world.close())

  const session = async (headers: Record<string, string> = {}) =>
    (await call(world.url, '/api/v1/session', { headers })).body as Session
  const comment = (id: string, headers: Record<string, string>) =>
    call(world.url, `/api/v1/incidents/${id}/commands`, {
      method: 'POST',
      json: { kind: 'comment', comment: 'from a browser' },
      headers,
    })

  it('is needed, and nothing is told before', async () => {
    expect(await session()).toEqual({
      login: 'needed',
      role: null,
      actor: null,
      version: null,
      site_time_zone: null,
    })
  })

  it('begins with a token, in a cookie that neither scripts nor other sites can use', async () => {
    const { status, body, set, cookie } = await logIn(world, SECRETS.responder)
    expect(status).toBe(200)
    expect(body).toMatchObject({ login: 'done', role: 'responder', actor: 'the-responder' })
    expect(set).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; /)
    expect(set).not.toContain(SECRETS.responder)
    expect(await session({ cookie })).toMatchObject({ role: 'responder', actor: 'the-responder' })
    expect((await call(world.url, '/api/v1/incidents', { headers: { cookie } })).status).toBe(200)
  })

  it('keeps to https where it began there', async () => {
    const origin = 'https://tocsin.example.org'
    expect((await logIn(world, SECRETS.viewer, { origin })).set).toMatch(/; Secure$/)
    expect((await logIn(world, SECRETS.viewer)).set).not.toContain('Secure')
  })

  it('does not begin with a token that nobody has', async () => {
    const { status, body, set } = await logIn(world, 'a-guess')
    expect([status, set]).toEqual([401, null])
    expect(body).toMatchObject({ error: { code: 'unauthenticated' } })
    expect(await session({ cookie: 'tocsin_session=YS1ndWVzcw' })).toMatchObject({ login: 'needed' })
  })

  it('lets commands through only with the origin of this installation', async () => {
    const { id } = await world.fire({})
    const { cookie } = await logIn(world, SECRETS.responder)
    const refused = { error: { code: 'cross-site' } }
    expect((await comment(id, { cookie })).body).toMatchObject(refused)
    expect((await comment(id, { cookie, origin: 'https://elsewhere.example' })).body).toMatchObject(refused)
    expect((await comment(id, { cookie, origin: world.url })).status).toBe(200)
    expect((await comment(id, { cookie, origin: 'https://tocsin.example.org' })).status).toBe(200)
    expect(world.live.get(id)?.timeline.at(-1)).toMatchObject({ actor: 'the-responder' })
  })

  it('allows what its role allows', async () => {
    const { id } = await world.fire({})
    const { cookie } = await logIn(world, SECRETS.viewer)
    const { status, body } = await comment(id, { cookie, origin: world.url })
    expect(status).toBe(403)
    expect(body).toMatchObject({ error: { code: 'forbidden' } })
  })

  it('a token in the header goes before the cookie', async () => {
    const { cookie } = await logIn(world, SECRETS.viewer)
    expect(await session({ cookie, authorization: `Bearer ${SECRETS.admin}` })).toMatchObject({
      role: 'admin',
    })
  })

  it('ends when it is asked to', async () => {
    const { headers, status } = await call(world.url, '/api/v1/session', { method: 'DELETE' })
    expect(status).toBe(204)
    expect(headers.get('set-cookie')).toMatch(/^tocsin_session=; .*Max-Age=0$/)
  })
})

describe('a session where no tokens are configured', () => {
  it('is not needed, and is of whoever it says it is', async () => {
    const world = await startWorld()
    const read = (headers: Record<string, string>) => call(world.url, '/api/v1/session', { headers })
    expect((await read({})).body).toMatchObject({ login: 'none', role: 'admin', actor: 'operator' })
    const name = Buffer.from('Zoë 王').toString('latin1')
    expect((await read({ 'x-tocsin-actor': name })).body).toMatchObject({ actor: 'Zoë 王' })
    await world.close()
  })
})
