import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IncidentSummary } from '../../schemas/incident_summary.ts'
import { eventually } from '../contracts/wait.ts'
import { Follower } from './follower.ts'
import { call, startWorld, type World } from './world.ts'

interface Told {
  readonly incidents: readonly IncidentSummary[]
  readonly gone: readonly string[]
}

interface Page {
  readonly incidents: readonly IncidentSummary[]
  readonly changes_cursor: string
}

const follow = (world: World, since = '') => Follower.open(world, since, { view: 'summary' })
const summaries = (follower: Follower) =>
  follower.told<Told>('incidents').flatMap(({ incidents }) => incidents)
const isLive = (follower: Follower) => follower.told('live').length > 0
const comment = (world: World, id: string, text: string) =>
  call(world.url, `/api/v1/incidents/${id}/commands`, {
    method: 'POST',
    json: { kind: 'comment', comment: text },
  })

describe('summaries of incidents', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it('are listed without members and timeline, and name what it is about', async () => {
    const incident = await world.fire({ labels: { alertname: 'Listed', instance: 'db-1' } })
    const { body } = await call(world.url, '/api/v1/incidents?view=summary&q=Listed')
    const [summary] = (body as Page).incidents
    expect(summary).toMatchObject({
      id: incident.id,
      title: incident.title,
      entity: 'db-1',
      entities: 1,
      cause: null,
    })
    expect(summary).not.toHaveProperty('members')
    expect(summary).not.toHaveProperty('timeline')
  })

  it('may fill longer pages than full incidents', async () => {
    const limit = async (query: string) => (await call(world.url, `/api/v1/incidents?${query}`)).status
    expect(await limit('view=summary&limit=2000')).toBe(200)
    expect(await limit('limit=201')).toBe(400)
  })

  it('come once for many changes of one incident, with its newest revision', async () => {
    const follower = await follow(world)
    await eventually('it is live', () => isLive(follower))
    const { id } = await world.fire({ labels: { alertname: 'Busy' } })
    for (let i = 0; i < 20; i++) await comment(world, id, `comment ${i}`)
    const newest = () => summaries(follower).findLast((one) => one.id === id)?.revision
    await eventually('the last revision came', () => newest() === world.live.get(id)?.revision)
    expect(summaries(follower).filter((one) => one.id === id).length).toBeLessThan(20)
    await follower.close()
  })

  it('of everything that changed while a client was away come before it is told to be live', async () => {
    const { body } = await call(world.url, '/api/v1/incidents?view=summary')
    const since = (body as Page).changes_cursor
    const fired = [
      await world.fire({ labels: { alertname: 'Away1' } }),
      await world.fire({ labels: { alertname: 'Away2' } }),
    ]
    const follower = await follow(world, since)
    await eventually('it is live', () => isLive(follower))
    const names = follower.events.map(({ event }) => event)
    expect(names.slice(0, names.indexOf('live'))).toEqual(['incidents'])
    expect(
      summaries(follower)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(fired.map(({ id }) => id).toSorted())
    expect(follower.last_id).toBe(world.live.cursor())
    await follower.close()
  })

  it('a client whose cursor nobody knows is told to read everything again', async () => {
    const follower = await follow(world, 'zz')
    await eventually('it is live', () => isLive(follower))
    expect(follower.told<{ reason: string }>('resync')).toMatchObject([{ reason: 'cursor-unknown' }])
    await follower.close()
  })
})

describe('a quiet stream of summaries', () => {
  it('gives the time now and then, so that a client knows that it still lives', async () => {
    const world = await startWorld({ feed_bounds: { heartbeat_ms: 20 } })
    const follower = await follow(world)
    await eventually('two beats', () => follower.told('beat').length >= 2)
    expect(follower.told<{ now_ms: number }>('beat')[0]?.now_ms).toBeGreaterThan(0)
    await follower.close()
    await world.close()
  })
})
