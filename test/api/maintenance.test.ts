import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, startWorld, type World } from './world.ts'

describe('maintenance over HTTP', () => {
  let world: World
  beforeAll(async () => void (world = await startWorld()))
  afterAll(() => world.close())

  const post = (body: object) =>
    call(world.url, '/api/v1/maintenance', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const list = async () =>
    ((await call(world.url, '/api/v1/maintenance')).body as { maintenance: object[] }).maintenance

  it('suppresses what fires in every scope until it is ended, and shows the window', async () => {
    const labels = { alertname: 'Down', site: 'hall-1' }
    const fired = await Promise.all(
      ['default', 'other', 'third'].map((scope) => world.fire({ labels, scope })),
    )
    const opened = await post({
      name: 'hall-1',
      matchers: ['site=hall-1'],
      duration_ms: 60_000,
      comment: 'power is off',
    })
    expect(opened).toMatchObject({ status: 200, body: { name: 'hall-1' } })
    expect(await list()).toMatchObject([{ window: { name: 'hall-1', kind: 'once' }, active: true }])
    for (const { id } of fired) expect(world.live.get(id)?.suppressed).toBe(true)
    const { body } = await call(world.url, '/api/v2/alerts?filter=site=hall-1')
    expect(body).toMatchObject(
      fired.map(() => ({ status: { state: 'suppressed', mutedBy: ['hall-1'], silencedBy: [] } })),
    )
    expect((await call(world.url, '/api/v1/maintenance/hall-1', { method: 'DELETE' })).status).toBe(200)
    expect(await list()).toEqual([])
    for (const { id } of fired) expect(world.live.get(id)?.suppressed).toBe(false)
  })

  it('refuses what mutes everything, what is over, and what is not there', async () => {
    const good = { name: 'x', matchers: ['a=b'], duration_ms: 60_000 }
    const codeOf = ({ body }: { body: unknown }) => (body as { error: { code: string; field: string } }).error
    expect(codeOf(await post({ ...good, matchers: ['a=~".*"'] }))).toMatchObject({ field: 'matchers' })
    expect(codeOf(await post({ ...good, starts_at_ms: 0 }))).toMatchObject({ field: 'ends_at_ms' })
    expect(codeOf(await call(world.url, '/api/v1/maintenance/none', { method: 'DELETE' }))).toMatchObject({
      code: 'maintenance-unknown',
    })
  })
})
