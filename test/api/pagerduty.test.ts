import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../contracts/wait.ts'
import { call, SECRETS, startWorld, TOKENS, type World } from './world.ts'

/** The life of an event through the real pipeline: route, log, correlator, live view. */

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const enqueue = (event: object, url = world.url) =>
  call(url, '/v2/enqueue', { method: 'POST', json: { routing_key: 'a-team', ...event } })
const trigger = (dedup_key: string, over: object = {}) => ({
  event_action: 'trigger',
  dedup_key,
  payload: { summary: `Disk of ${dedup_key} full`, source: 'db-1', severity: 'error' },
  ...over,
})
const incidentOf = (dedup_key: string) =>
  [...world.live.all()].find(({ members }) => members.some(({ labels }) => labels['dedup_key'] === dedup_key))
const stateOf = (dedup_key: string, state: string) =>
  eventually(`the incident of ${dedup_key} is ${state}`, () => incidentOf(dedup_key)?.state === state)

describe('events', () => {
  it('open, acknowledge and resolve an incident by their dedup key', async () => {
    expect(await enqueue(trigger('life'))).toMatchObject({
      status: 202,
      body: { status: 'success', message: 'Event processed', dedup_key: 'life' },
    })
    await stateOf('life', 'open')
    expect(await enqueue({ event_action: 'acknowledge', dedup_key: 'life' })).toMatchObject({ status: 202 })
    await stateOf('life', 'acknowledged')
    expect(await enqueue({ event_action: 'acknowledge', dedup_key: 'life' })).toMatchObject({ status: 202 })
    expect(await enqueue({ event_action: 'resolve', dedup_key: 'life' })).toMatchObject({ status: 202 })
    await stateOf('life', 'resolved')
    const incident = incidentOf('life')
    expect(incident?.members[0]?.labels).toMatchObject({ instance: 'db-1', severity: 'error' })
    expect(incident?.timeline.map(({ kind }) => kind)).not.toContain('command-refused')
    expect(incident?.severity).toBe('high')
  })

  it('are acknowledged right after they were triggered', async () => {
    await enqueue(trigger('at-once'))
    expect((await enqueue({ event_action: 'acknowledge', dedup_key: 'at-once' })).status).toBe(202)
    await stateOf('at-once', 'acknowledged')
  })

  it('are given a dedup key that resolves them where they bring none', async () => {
    const { dedup_key: _, ...nameless } = trigger('nameless')
    const { body } = await enqueue(nameless)
    const { dedup_key } = body as { dedup_key: string }
    expect(dedup_key).toMatch(/^[0-9a-f]{32}$/)
    await stateOf(dedup_key, 'open')
    await enqueue({ event_action: 'resolve', dedup_key })
    await stateOf(dedup_key, 'resolved')
  })

  it('that end or acknowledge nothing are taken and do nothing', async () => {
    const before = [...world.live.all()].length
    expect((await enqueue({ event_action: 'resolve', dedup_key: 'never' })).status).toBe(202)
    expect((await enqueue({ event_action: 'acknowledge', dedup_key: 'never' })).status).toBe(202)
    expect([...world.live.all()]).toHaveLength(before)
  })

  it('of a change are incidents of severity info', async () => {
    const answer = await call(world.url, '/v2/change/enqueue', {
      method: 'POST',
      json: { routing_key: 'a-team', payload: { summary: 'Deployed 1.2', source: 'ci' } },
    })
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'success', message: 'Change event processed' },
    })
    const found = () => [...world.live.all()].find(({ title }) => title.startsWith('Deployed 1.2'))
    await eventually('the change is seen', () => found() !== undefined)
    expect(found()?.severity).toBe('info')
  })
})

describe('what is refused', () => {
  it('is told in the form of PagerDuty', async () => {
    expect(await enqueue({ event_action: 'trigger' })).toMatchObject({
      status: 400,
      body: {
        status: 'invalid event',
        message: 'Event object is invalid',
        errors: ["'payload' is missing or blank"],
      },
    })
    const response = await fetch(`${world.url}/v2/enqueue`, { method: 'POST', body: 'garbage' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ status: 'invalid event' })
  })

  it('is what is larger than 512 KB', async () => {
    const large = trigger('large', { client: 'x'.repeat(524_288) })
    expect(await enqueue(large)).toMatchObject({ status: 413, body: { status: 'invalid event' } })
    expect((await enqueue(trigger('just', { client: 'x'.repeat(524_000) }))).status).toBe(202)
  })
})

describe('with tokens', () => {
  let guarded: World
  beforeAll(async () => {
    guarded = await startWorld({ tokens: TOKENS })
  })
  afterAll(() => guarded.close())

  it('the routing key is the token', async () => {
    const as = (routing_key: string) => enqueue({ ...trigger('guarded'), routing_key }, guarded.url)
    expect((await as(SECRETS.ingest)).status).toBe(202)
    for (const stranger of ['a-team', SECRETS.viewer, SECRETS.responder])
      expect(await as(stranger)).toMatchObject({ status: 400, body: { errors: ['Invalid routing key'] } })
  })

  it('nothing of a stranger is kept', async () => {
    const before = await guarded.log.bounds('deadletters')
    await enqueue({ event_action: 'nonsense' }, guarded.url)
    await enqueue(trigger('stranger'), guarded.url)
    expect(await guarded.log.bounds('deadletters')).toEqual(before)
    await enqueue({ event_action: 'nonsense', routing_key: SECRETS.ingest }, guarded.url)
    expect(await guarded.log.bounds('deadletters')).not.toEqual(before)
  })
})
