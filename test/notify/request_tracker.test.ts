import { afterAll, beforeEach, expect, it } from 'vitest'
import { incidentUrn } from '../../notify/sinks/request_tracker.ts'
import { makeSink } from '../../notify/sinks/registry.ts'
import type { Sink } from '../../notify/sinks/sink.ts'
import { config } from '../../schemas/config.ts'
import { describeSink, settle, telling, toldOf } from '../contracts/sink.ts'
import { fresh } from '../contracts/wait.ts'
import {
  callRequestTracker,
  createQueue,
  describeWith,
  requestTracker,
  type RequestTrackerAddress,
} from '../services/index.ts'
import { change } from './changes.ts'
import { FaultProxy } from '../installation/fault_proxy.ts'

const NEVER = new AbortController().signal
const CLOSED = new Set(['resolved', 'rejected'])

function tracker(address: RequestTrackerAddress, queue: string, url: string, timeout_ms: number): Sink {
  const entry = config.parse({
    sinks: [
      {
        name: 'rt',
        kind: 'request-tracker',
        url,
        queue,
        username: address.username,
        password: { env: 'RT' },
        timeout_ms,
      },
    ],
  }).sinks[0]
  if (entry === undefined) throw new Error('no sink')
  return makeSink(entry, {
    secret: () => address.password,
    now: Date.now,
    public_url: 'https://tocsin.example.org',
    publisher: () => Promise.reject(new Error('this sink publishes nothing')),
  })
}

async function json(response: Response): Promise<Record<string, unknown>> {
  expect(response.status).toBeLessThan(300)
  return (await response.json()) as Record<string, unknown>
}

/** Every ticket of the queue that refers to the incident, deleted ones too, read one by one and not by the search of the sink. */
async function ticketsOf(
  address: RequestTrackerAddress,
  queue: string,
  incident_id: string,
): Promise<{ id: string; status: string }[]> {
  const query = encodeURIComponent(`Queue = '${queue}'`)
  const { items } = (await json(
    await callRequestTracker(address, 'GET', `tickets?query=${query}&per_page=100`),
  )) as { items: { id: string }[] }
  const tickets = await Promise.all(
    items.map(({ id }) => callRequestTracker(address, 'GET', `ticket/${id}`).then(json)),
  )
  return tickets
    .filter((ticket) =>
      (ticket['_hyperlinks'] as { _url?: string }[]).some((link) => link._url === incidentUrn(incident_id)),
    )
    .map((ticket) => ({ id: String(ticket['id']), status: String(ticket['Status']) }))
}

await describeWith(requestTracker, 'Request Tracker', (address) => {
  describeSink('request-tracker', async () => {
    const queue = await createQueue(address)
    const proxy = await FaultProxy.start(address.url)
    return {
      proxy,
      sink: (url, timeout_ms) => tracker(address, queue, url, timeout_ms),
      copies: async (incident_id) =>
        (await ticketsOf(address, queue, incident_id)).map(({ status }) => ({ closed: CLOSED.has(status) })),
      secrets: [Buffer.from(`${address.username}:${address.password}`).toString('base64')],
      close: () => proxy.close(),
    }
  })

  const started = (async () => {
    const queue = await createQueue(address)
    const proxy = await FaultProxy.start(address.url)
    return { queue, proxy, sink: tracker(address, queue, proxy.url, 30_000) }
  })()
  let incident_id: string
  beforeEach(() => {
    incident_id = fresh('inc')
  })
  afterAll(async () => {
    const { sink, proxy } = await started
    sink.close()
    await proxy.close()
  })

  const create = async (over = {}): Promise<string> => {
    const { sink } = await started
    const result = await sink.deliver('create', telling(change('opened', 1, over, incident_id)), NEVER)
    if (result.kind !== 'ok' || result.external_id === null)
      throw new Error(`not created: ${JSON.stringify(result)}`)
    return result.external_id
  }
  const put = async (id: string, body: object) =>
    json(await callRequestTracker(address, 'PUT', `ticket/${id}`, body))
  const ticket = async (id: string) => json(await callRequestTracker(address, 'GET', `ticket/${id}`))
  const comments = async (id: string): Promise<string[]> => {
    const { items } = (await json(
      await callRequestTracker(
        address,
        'GET',
        `ticket/${id}/attachments?fields=Subject,Content&per_page=100`,
      ),
    )) as { items: { Content: string }[] }
    return items.map(({ Content }) => Content)
  }
  const update = async (id: string, revision: number, over = {}, repeated = false) => {
    const { sink } = await started
    const told = toldOf(change('opened', 1, {}, incident_id))
    return sink.deliver(
      'update',
      telling(change('grown', revision, over, incident_id), { external_id: id, told, repeated }),
      NEVER,
    )
  }
  const lookUp = async () => {
    const { sink } = await started
    return sink.deliver('look-up', telling(change('opened', 1, {}, incident_id)), NEVER)
  }

  it('finds a ticket again whatever operators do to its subject, queue and state', async () => {
    const id = await create()
    const other = await createQueue(address)
    await put(id, { Subject: 'Pump 7, again', Queue: other, Status: 'resolved' })
    expect(await lookUp()).toMatchObject({ kind: 'ok', external_id: id })
  })

  it('finds the ticket into which operators merged it', async () => {
    const id = await create()
    const { queue } = await started
    const other = await json(
      await callRequestTracker(address, 'POST', 'ticket', {
        Queue: queue,
        Subject: 'The whole line stands still',
      }),
    )
    await put(id, { MergeInto: other['id'] })
    expect(await lookUp()).toMatchObject({ kind: 'ok', external_id: String(other['id']) })
    expect(await update(id, 2, { members_total: 3 })).toMatchObject({ kind: 'ok' })
  })

  it('leaves a ticket alone that operators deleted', async () => {
    const id = await create()
    await put(id, { Status: 'deleted' })
    expect(await update(id, 2)).toEqual({ kind: 'gone', code: 'ticket-deleted', status: null })
  })

  it('tells severity, growth, state and the diary in a comment', async () => {
    const id = await create()
    const timeline = [{ at_ms: 2_000, kind: 'commented', actor: 'kim', text: 'Valve is stuck', revision: 2 }]
    await update(id, 2, {
      severity: 'critical',
      members_total: 4,
      state: 'acknowledged',
      assignee: 'root',
      timeline,
    })
    const text = (await comments(id)).at(-1)
    expect(text).toContain('State: open → acknowledged (root)')
    expect(text).toContain('Severity: high → critical')
    expect(text).toContain('3 alerts joined: 4 in all')
    expect(text).toContain('kim: Valve is stuck')
    expect(await ticket(id)).toMatchObject({ Status: 'open', Owner: { id: 'root' } })
  })

  it('writes a comment once, though its answer was lost', async () => {
    const id = await create()
    const { proxy } = await started
    proxy.inject('POST', { kind: 'drop-after' })
    expect(await update(id, 2, { members_total: 2 })).toMatchObject({
      kind: 'retry',
      code: 'connection-lost',
    })
    expect(await update(id, 2, { members_total: 2 }, true)).toMatchObject({ kind: 'ok' })
    expect((await comments(id)).filter((text) => text.includes('1 alert joined'))).toHaveLength(1)
  })

  it('reads a ticket again that somebody changed just then', async () => {
    const id = await create()
    const { proxy, sink } = await started
    proxy.reset()
    proxy.inject('PUT', { kind: 'after', act: () => put(id, { Priority: '50' }) })
    const resolved = change('resolved', 2, { state: 'resolved' }, incident_id)
    expect(
      await sink.deliver(
        'close',
        telling(resolved, { external_id: id, told: toldOf(change('opened', 1)) }),
        NEVER,
      ),
    ).toMatchObject({ kind: 'ok' })
    expect(proxy.seen.filter(({ method }) => method === 'PUT')).toHaveLength(2)
    expect(await ticket(id)).toMatchObject({ Status: 'resolved', Priority: '50' })
  })

  it('does not take 200 for a state that was not taken', async () => {
    const id = await create()
    const { queue, sink } = await started
    const other = await json(
      await callRequestTracker(address, 'POST', 'ticket', { Queue: queue, Subject: 'Spare part' }),
    )
    await put(id, { AddDependsOn: other['id'] })
    const resolved = change('resolved', 2, { state: 'resolved' }, incident_id)
    const result = await sink.deliver(
      'close',
      telling(resolved, { external_id: id, told: toldOf(change('opened', 1)) }),
      NEVER,
    )
    expect(result).toEqual({ kind: 'refused', code: 'status-not-taken', status: 200 })
  })

  it('lets no text of an alert make headers or lines of its own', async () => {
    const id = await create({
      title: 'Pump\r\nBcc: everybody@example.org\n\u202egnp.exe',
      scope: 'a\nIncident:  https://evil.example.org',
    })
    expect((await ticket(id))['Subject']).toBe('[high] Pump Bcc: everybody@example.org gnp.exe')
    const text = (await comments(id)).join('\n')
    expect(text).toContain('Incident:  https://tocsin.example.org/incidents/')
    expect(text.split('\n').filter((each) => each.startsWith('Incident:'))).toHaveLength(1)
  })

  it('takes over a ticket that was made by hand', async () => {
    const { queue, sink } = await started
    const made = await json(
      await callRequestTracker(address, 'POST', 'ticket', { Queue: queue, Subject: 'Somebody called' }),
    )
    const id = String(made['id'])
    await sink.deliver(
      'update',
      telling(change('ticket-linked', 2, {}, incident_id), { external_id: id }),
      NEVER,
    )
    expect(await settle(sink, change('opened', 1, {}, incident_id))).toBe(id)
    expect((await comments(id)).at(-1)).toContain('Why:       First alert with alertname=PumpStalled.')
  })
})
