import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../schemas/change.ts'
import { eventually } from '../contracts/wait.ts'
import { Follower } from './follower.ts'
import { call, startWorld, type World } from './world.ts'

const changesOf = (follower: Follower) => follower.told<Change>('change')
const name = (change: Change) => change.incident.title
const fire = (world: World, i: number) =>
  world.fire({ labels: { alertname: `Alert${i}` }, scope: `scope-${i % 5}` })

describe('GET /api/v1/changes', () => {
  it('tells every change as it happens, with a cursor that resumes after it', async () => {
    const world = await startWorld()
    const follower = await Follower.open(world, '')
    await eventually('it follows', () => follower.last_id !== '')
    for (let i = 0; i < 5; i++) await fire(world, i)
    await eventually('all five came', () => changesOf(follower).length === 5)
    expect(changesOf(follower).map(name)).toEqual(['Alert0', 'Alert1', 'Alert2', 'Alert3', 'Alert4'])
    expect(follower.last_id).toBe(world.live.cursor())
    await follower.close()
    await world.close()
  })

  it('loses and doubles nothing over many reconnects while changes go on', async () => {
    const world = await startWorld()
    const seen: string[] = []
    let last_id = world.live.cursor()
    const total = 120
    const firing = (async () => {
      for (let i = 0; i < total; i++) await fire(world, i)
    })()
    while (seen.length < total) {
      const follower = await Follower.open(world, last_id, {
        how: seen.length % 2 === 0 ? 'header' : 'query',
      })
      const want = 1 + (seen.length % 7)
      await eventually(
        'some more came',
        () => changesOf(follower).length >= Math.min(want, total - seen.length),
      )
      await follower.close()
      seen.push(...changesOf(follower).map(({ id }) => id))
      last_id = follower.last_id
      expect(follower.events.map(({ event }) => event)).not.toContain('resync')
    }
    await firing
    const all = [...world.live.all()].map(({ id }) => `${id}.1`)
    expect(seen.toSorted()).toEqual(all.toSorted())
    await world.close()
  })

  it('joins the list without a gap: what the list shows, and what follows its cursor', async () => {
    const world = await startWorld()
    const firing = (async () => {
      for (let i = 0; i < 40; i++) await fire(world, i)
    })()
    await eventually('some are there', () => [...world.live.all()].length > 10)
    const { body } = await call(world.url, '/api/v1/incidents?limit=200')
    const page = body as { incidents: { id: string }[]; changes_cursor: string }
    const follower = await Follower.open(world, page.changes_cursor, { how: 'query' })
    await firing
    await eventually('the rest came', () => page.incidents.length + changesOf(follower).length === 40)
    const known = new Set([
      ...page.incidents.map(({ id }) => id),
      ...changesOf(follower).map(({ incident_id }) => incident_id),
    ])
    expect(known.size).toBe(40)
    await follower.close()
    await world.close()
  })

  it.each([
    ['of another number of partitions', '0.0', 'cursor-unknown'],
    ['that is none', 'what?', 'cursor-unknown'],
    ['from the future', 'zz.zz.zz', 'cursor-unknown'],
  ])('answers a cursor %s with a resync, and goes on from now', async (_what, cursor, reason) => {
    const world = await startWorld()
    await fire(world, 1)
    const follower = await Follower.open(world, cursor)
    await eventually('it is told', () => follower.events.length === 1)
    expect(follower.events).toMatchObject([{ event: 'resync', id: world.live.cursor() }])
    expect(JSON.parse(follower.events[0]?.data ?? '')).toEqual({ reason, cursor: world.live.cursor() })
    await fire(world, 2)
    await eventually('the next change came', () => changesOf(follower).length === 1)
    await follower.close()
    await world.close()
  })

  it('answers a cursor that is older than what the log keeps with a resync', async () => {
    const world = await startWorld()
    const start = world.live.cursor()
    for (let i = 0; i < 5; i++) await fire(world, i)
    const written = (await world.log.bounds('incidents')).findIndex(({ next }) => next > 0)
    await world.log.trim('incidents', written, 1)
    const follower = await Follower.open(world, start)
    await eventually('it is told', () => follower.events.length === 1)
    expect(JSON.parse(follower.events[0]?.data ?? '')).toMatchObject({ reason: 'cursor-too-old' })
    await follower.close()
    await world.close()
  })

  it('answers a cursor that is too far behind with a resync', async () => {
    const world = await startWorld({ feed_bounds: { replay_entries_max: 3 } })
    const start = world.live.cursor()
    for (let i = 0; i < 5; i++) await fire(world, i)
    const follower = await Follower.open(world, start)
    await eventually('it is told', () => follower.events.length === 1)
    expect(JSON.parse(follower.events[0]?.data ?? '')).toMatchObject({ reason: 'too-far-behind' })
    await follower.close()
    await world.close()
  })

  it('lets a client that does not read go, and serves the others', async () => {
    const world = await startWorld({ feed_bounds: { buffer_bytes_max: 1_000_000 } })
    const stuck = await stuckClient(world)
    const reader = await Follower.open(world, world.live.cursor())
    const blobs = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`blob${i}`, 'x'.repeat(4_000)]))
    let fired = 0
    for (; !stuck.response.writableEnded; fired++)
      await world.fire({ labels: { alertname: `Alert${fired}`, ...blobs }, scope: `scope-${fired % 5}` })
    stuck.socket.resume()
    await eventually('the stuck one was told', () =>
      /event: resync\nid: \S+\ndata: \{"reason":"too-slow"/.test(stuck.text()),
    )
    await world.fire({ labels: { alertname: 'after' } })
    await eventually('the reader has all', () => changesOf(reader).length === fired + 1)
    expect(stuck.text()).not.toContain('"after"')
    stuck.socket.destroy()
    await reader.close()
    await world.close()
  }, 60_000)

  it('says that it is alive while nothing happens', async () => {
    const world = await startWorld({ feed_bounds: { heartbeat_ms: 20 } })
    const response = await fetch(`${world.url}/api/v1/changes`)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    for (let chunks = 0; chunks < 3; chunks++)
      text += Buffer.from((await reader.read()).value ?? []).toString()
    expect(text).toMatch(/id: 0\.0\.0\n\n(?::\n\n)+$/)
    await reader.cancel()
    await world.close()
  })

  it('refuses more followers than it is made for', async () => {
    const world = await startWorld({ feed_bounds: { clients_max: 1 } })
    const follower = await Follower.open(world, '')
    const answer = await call(world.url, '/api/v1/changes')
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    expect(answer.headers.get('retry-after')).toBe('5')
    await follower.close()
    await world.close()
  })
})

/** A client that sends its request, reads the first event and then no more, with the server's response to it. */
async function stuckClient(
  world: World,
): Promise<{ socket: Socket; response: ServerResponse; text: () => string }> {
  const { hostname, port } = new URL(world.url)
  const answering = Promise.withResolvers<ServerResponse>()
  world.app.server.once('request', (_request, response) => answering.resolve(response))
  const followed = Promise.withResolvers<void>()
  let text = ''
  const socket = connect(Number(port), hostname)
  socket.on('data', (chunk) => {
    text += chunk.toString()
    followed.resolve()
  })
  socket.write(`GET /api/v1/changes HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
  await followed.promise
  socket.pause()
  return { socket, response: await answering.promise, text: () => text }
}
