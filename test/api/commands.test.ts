import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Change } from '../../schemas/change.ts'
import { decodeRecord } from '../../schemas/codec.ts'
import type { LogRecord } from '../../schemas/record.ts'
import { call, startWorld, type World } from './world.ts'

interface Answer {
  readonly command_id: string
  readonly revision: number
  readonly change: Change | null
}

/** Every command in the alerts log, as it was written. */
async function written(world: World): Promise<Extract<LogRecord, { kind: 'command' }>[]> {
  const records: LogRecord[] = []
  const bounds = await world.log.bounds('alerts')
  const tail = await world.log.tail(
    'alerts',
    bounds.map(() => 0),
    (_partition, entries) => {
      for (const entry of entries) records.push(decodeRecord(entry.value))
    },
  )
  const total = bounds.reduce((sum, { next }) => sum + next, 0)
  while (records.length < total) await new Promise((resolve) => setTimeout(resolve, 5))
  await tail.close()
  return records.filter((record) => record.kind === 'command')
}

describe('POST /api/v1/incidents/:id/commands', () => {
  let world: World
  let n = 0
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const fresh = () => world.fire({ labels: { alertname: `Case${n++}`, instance: 'host' } })
  const post = (id: string, json: unknown, headers: Record<string, string> = {}) =>
    call(world.url, `/api/v1/incidents/${id}/commands`, { method: 'POST', json, headers })

  it('shelves what fires until a time, and takes it down again', async () => {
    const { id, members } = await fresh()
    const until_ms = Date.now() + 60_000
    const shelve = { kind: 'shelve', until_ms, comment: 'known', fingerprint: members[0]?.fingerprint }
    expect(await post(id, shelve)).toMatchObject({
      status: 200,
      body: { change: { kind: 'shelved', incident: { suppressed: true } } },
    })
    expect(await post(id, { kind: 'unshelve' })).toMatchObject({
      status: 200,
      body: { change: { kind: 'unshelved', incident: { suppressed: false } } },
    })
    expect(await post(id, { kind: 'unshelve' })).toMatchObject({
      status: 409,
      body: { error: { code: 'not-possible' } },
    })
    expect(await post(id, { ...shelve, until_ms: until_ms + 25 * 3_600_000 })).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('at most 86400 s') } },
    })
  })

  it('carries an incident through its whole life, each step answered by its change', async () => {
    const { id, revision } = await fresh()
    const steps = [
      [{ kind: 'acknowledge' }, 'acknowledged', 'acknowledged'],
      [{ kind: 'assign', assignee: 'mei' }, 'assigned', 'acknowledged'],
      [{ kind: 'comment', comment: 'looking <b>into</b> it' }, 'commented', 'acknowledged'],
      [
        { kind: 'link-ticket', ticket: { sink: 'rt', external_id: '42', url: 'https://rt.example.org/42' } },
        'ticket-linked',
        'acknowledged',
      ],
      [{ kind: 'mitigate', comment: 'restarted' }, 'mitigated', 'mitigated'],
      [{ kind: 'resolve' }, 'resolved', 'resolved'],
      [{ kind: 'review', comment: 'done' }, 'reviewed', 'reviewed'],
      [{ kind: 'reopen' }, 'reopened', 'open'],
    ] as const
    let last = revision
    for (const [body, told, state] of steps) {
      const { status, body: answer } = await post(id, body, { 'x-tocsin-actor': 'mei' })
      expect({ status, answer }).toMatchObject({
        status: 200,
        answer: { change: { kind: told, actor: 'mei', incident: { id, state } } },
      })
      expect((answer as Answer).revision).toBeGreaterThan(last)
      last = (answer as Answer).revision
      expect(world.live.get(id)?.revision).toBe(last)
    }
    expect(world.live.get(id)).toMatchObject({
      assignee: 'mei',
      tickets: [{ external_id: '42' }],
      reopened: 1,
    })
  })

  it('merges one incident into another', async () => {
    const [child, parent] = [await fresh(), await fresh()]
    expect(await post(child.id, { kind: 'merge', into: parent.id })).toMatchObject({
      status: 200,
      body: { change: { kind: 'merged', incident: { merged_into: parent.id, state: 'merged' } } },
    })
  })

  it('refuses what the state does not allow, at once and without writing it', async () => {
    const { id } = await fresh()
    const before = (await written(world)).length
    expect(await post(id, { kind: 'review' })).toMatchObject({
      status: 409,
      body: {
        error: {
          code: 'not-possible',
          message: 'review is not possible while the incident is open; it is from resolved',
        },
      },
    })
    expect(await post(id, { kind: 'merge', into: id })).toMatchObject({
      status: 409,
      body: { error: { message: 'an incident cannot be merged into itself' } },
    })
    expect(await post(id, { kind: 'merge', into: 'inc_none' })).toMatchObject({
      status: 409,
      body: { error: { message: 'no incident inc_none is known in scope default' } },
    })
    expect(await written(world)).toHaveLength(before)
  })

  it('carries out a request once, however often it is repeated with its key', async () => {
    const { id } = await fresh()
    const key = { 'idempotency-key': 'shift-7/comment-1' }
    const first = await post(id, { kind: 'comment', comment: 'once' }, key)
    const again = await Promise.all([1, 2, 3].map(() => post(id, { kind: 'comment', comment: 'once' }, key)))
    expect(first).toMatchObject({ status: 200, body: { command_id: 'shift-7/comment-1' } })
    for (const answer of again) expect(answer.body).toEqual(first.body)
    expect(world.live.get(id)?.timeline.filter(({ kind }) => kind === 'commented')).toHaveLength(1)
  })

  it('answers a repeated request that has changed the state as it did the first time', async () => {
    const { id } = await fresh()
    const key = { 'idempotency-key': 'ack-1' }
    const first = await post(id, { kind: 'acknowledge' }, key)
    expect(first.status).toBe(200)
    expect((await post(id, { kind: 'acknowledge' }, key)).body).toEqual(first.body)
    expect(await post(id, { kind: 'acknowledge' })).toMatchObject({ status: 409 })
  })

  it('refuses a key that stood for another request', async () => {
    const [a, b] = [await fresh(), await fresh()]
    const key = { 'idempotency-key': 'reused' }
    expect((await post(a.id, { kind: 'acknowledge' }, key)).status).toBe(200)
    const refusal = {
      status: 409,
      body: { error: { code: 'idempotency-key-reused', field: 'idempotency-key' } },
    }
    expect(await post(b.id, { kind: 'acknowledge' }, key)).toMatchObject(refusal)
    expect(await post(a.id, { kind: 'resolve' }, key)).toMatchObject(refusal)
  })

  it('names who acts', async () => {
    const { id } = await fresh()
    expect((await post(id, { kind: 'acknowledge' })).body).toMatchObject({ change: { actor: 'operator' } })
    expect(await post(id, { kind: 'resolve' }, { 'x-tocsin-actor': 'a\tb' })).toMatchObject({
      status: 400,
      body: { error: { field: 'x-tocsin-actor' } },
    })
  })

  it('answers 202 while the correlator is away; the command is in the log', async () => {
    const away = await startWorld()
    const { id } = await away.fire({})
    await away.stopCorrelator()
    const answer = await call(away.url, `/api/v1/incidents/${id}/commands?wait_ms=10`, {
      method: 'POST',
      json: { kind: 'acknowledge' },
    })
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted' } })
    const { command_id } = answer.body as Answer
    expect((await written(away)).map(({ command }) => command)).toEqual([
      { id: command_id, actor: 'operator', body: { kind: 'acknowledge', incident_id: id } },
    ])
    await away.close()
  })
})
