import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../contracts/wait.ts'
import { call, startWorld, type World } from './world.ts'

describe('the topology over HTTP', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const put = (source: string, json: unknown) =>
    call(world.url, `/api/v1/topology/${source}`, { method: 'PUT', json })
  const relationsOf = async (entity: string) => {
    const { body } = await call(world.url, `/api/v1/topology?entity=${entity}`)
    return (body as { relations: unknown[] }).relations
  }

  it('is taken, read, and replaced by what the same source says next', async () => {
    const edges = [{ from: 'shop', to: 'db', kind: 'calls' }]
    const { status, body } = await put('mesh', { edges })
    expect([status, body]).toEqual([200, { source: 'mesh', version: expect.any(String), edges: 1 }])
    const relation = { to: 'db', kind: 'calls', toward: 'dependency', source: 'mesh' }
    await eventually('it is folded', async () => (await relationsOf('shop')).length === 1)
    expect(await relationsOf('shop')).toEqual([relation])
    expect(await relationsOf('db')).toEqual([{ ...relation, to: 'shop', toward: 'dependent' }])
    await put('mesh', { edges: [] })
    await eventually('it is gone', async () => (await relationsOf('shop')).length === 0)
  })

  it('refuses what is none, and says what one looks like', async () => {
    const { status, body } = await put('mesh', { edges: [{ from: 'shop' }] })
    expect(status).toBe(422)
    expect(JSON.stringify(body)).toContain('wrong at edges.0')
    expect((await put('Not A Name', { edges: [] })).status).toBe(400)
  })
})
