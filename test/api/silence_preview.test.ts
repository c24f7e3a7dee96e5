import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../contracts/wait.ts'
import { call, startWorld, type World } from './world.ts'

describe('what a silence would mute', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
    for (const [i, instance] of ['db-1', 'db-2', 'web-1'].entries())
      await world.fire({ labels: { alertname: 'DiskFull', instance }, scope: `scope-${i}` })
  })
  afterAll(() => world.close())

  const preview = (matchers: readonly unknown[]) =>
    call(world.url, '/api/v1/silences/preview', { method: 'POST', json: { matchers } })

  it('is counted by the matchers that would decide it, with examples', async () => {
    const { status, body } = await preview([
      'instance=~"db-.*"',
      { name: 'alertname', op: '=', value: 'DiskFull' },
    ])
    expect(status).toBe(200)
    expect(body).toMatchObject({ firing: 2, muted: 0, of: 3 })
    const { examples } = body as { examples: { entity: string }[] }
    expect(examples.map(({ entity }) => entity).toSorted()).toEqual(['db-1', 'db-2'])
  })

  it('tells apart what is muted already, and a silence tells how many it mutes', async () => {
    const made = await call(world.url, '/api/v1/silences', {
      method: 'POST',
      json: { matchers: ['instance="db-1"'], duration_ms: 60_000, comment: 'known' },
    })
    const { silence_id } = made.body as { silence_id: string }
    await eventually('it holds', async () => {
      const { body } = await preview(['instance=~"db-.*"'])
      return (body as { muted: number }).muted === 1
    })
    const { body } = await call(world.url, '/api/v1/silences?hits=true')
    expect(body).toMatchObject({ silences: [{ id: silence_id, hits: 1 }] })
    expect((await call(world.url, '/api/v1/silences')).body).not.toMatchObject({ silences: [{ hits: 1 }] })
  })

  it.each([
    [['instance=~"("'], 'matchers.0'],
    [['instance=~".*"'], 'matchers'],
    [['nonsense'], 'matchers.0'],
  ])('%j is refused with what is wrong', async (matchers, field) => {
    const { status, body } = await preview(matchers)
    expect(status).toBe(422)
    expect(body).toMatchObject({ error: { code: 'invalid-body', field } })
  })
})
