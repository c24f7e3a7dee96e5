import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSink } from '../../notify/sinks/registry.ts'
import type { Sink } from '../../notify/sinks/sink.ts'
import { config } from '../../schemas/config.ts'
import { describeSink, telling, toldOf } from '../contracts/sink.ts'
import { change } from './changes.ts'
import { FaultProxy } from '../installation/fault_proxy.ts'

const KEY = Buffer.from('0123456789abcdef0123456789abcdef')
const PATH = '/hook/canary-path-7d1f'
const NEVER = new AbortController().signal

interface Event {
  readonly specversion: string
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A receiver that drops what it has had by `webhook-id`, as Standard Webhooks asks of receivers. */
class Receiver {
  readonly events = new Map<
    string,
    { readonly event: Event; readonly body: string; readonly headers: IncomingHttpHeaders }
  >()
  private readonly server = createServer((incoming, outgoing) => {
    void incoming.toArray().then((chunks: Buffer[]) => {
      const body = Buffer.concat(chunks).toString()
      const id = String(incoming.headers['webhook-id'])
      if (!this.events.has(id))
        this.events.set(id, { event: JSON.parse(body) as Event, body, headers: incoming.headers })
      outgoing.writeHead(204).end()
    })
  })
  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }
  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((done) => this.server.close(done))
  }
  copies(incident_id: string): { closed: boolean }[] {
    const types = [...this.events.values()]
      .filter(({ event }) => event.subject === incident_id)
      .map(({ event }) => event.type)
    return types
      .filter((type) => type.endsWith('.opened'))
      .map(() => ({ closed: /\.(?:resolved|merged)$/.test(types.at(-1) ?? '') }))
  }
}

function webhook(base_url: string, timeout_ms: number, public_targets_only = false): Sink {
  const { sinks } = config.parse({
    sinks: [
      {
        name: 'hook',
        kind: 'webhook',
        url: base_url + PATH,
        secret: { env: 'HOOK' },
        timeout_ms,
        public_targets_only,
      },
    ],
  })
  const [entry] = sinks
  if (entry === undefined) throw new Error('no sink')
  return makeSink(entry, {
    secret: () => `whsec_${KEY.toString('base64')}`,
    now: Date.now,
    public_url: 'https://tocsin.example.org',
    publisher: () => Promise.reject(new Error('this sink publishes nothing')),
  })
}

describeSink('webhook', async () => {
  const receiver = new Receiver()
  const proxy = await FaultProxy.start(await receiver.start())
  return {
    proxy,
    sink: webhook,
    copies: async (incident_id) => receiver.copies(incident_id),
    secrets: [PATH, KEY.toString('base64')],
    close: async () => {
      await proxy.close()
      await receiver.close()
    },
  }
})

describe('an event', () => {
  const receiver = new Receiver()
  let proxy: FaultProxy
  let sink: Sink
  beforeAll(async () => {
    proxy = await FaultProxy.start(await receiver.start())
    sink = webhook(proxy.url, 5_000)
  })
  afterAll(async () => {
    sink.close()
    await proxy.close()
    await receiver.close()
  })
  const received = (change_id: string) => {
    const found = receiver.events.get(`${change_id}.hook`)
    if (found === undefined) throw new Error(`${change_id} was not received`)
    return found
  }

  it('is a CloudEvent whose signature receivers can verify', async () => {
    const opened = change('opened', 1)
    await sink.deliver('create', telling(opened), NEVER)
    const { event, body, headers } = received(opened.id)
    expect(event).toMatchObject({
      specversion: '1.0',
      id: opened.id,
      source: 'https://tocsin.example.org',
      type: 'io.tocsin.incident.opened',
      subject: opened.incident_id,
      time: '1970-01-01T00:00:01.000Z',
      datacontenttype: 'application/json',
      data: {
        incident_id: opened.incident_id,
        severity: 'high',
        title: 'PumpStalled on pump-7',
        members_total: 1,
        link: `https://tocsin.example.org/incidents/${opened.incident_id}`,
      },
    })
    expect(headers['content-type']).toMatch(/^application\/cloudevents\+json/)
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`,
    )
    expect(Math.abs(Date.now() / 1_000 - Number(headers['webhook-timestamp']))).toBeLessThan(300)
  })

  it('has one id for one revision, however often it is sent', async () => {
    const opened = change('opened', 5)
    for (const _ of [1, 2, 3]) await sink.deliver('create', telling(opened), NEVER)
    expect([...receiver.events.keys()].filter((id) => id.startsWith(opened.id))).toEqual([
      `${opened.id}.hook`,
    ])
  })

  it.each([
    ['create', change('grown', 11), 'opened'],
    ['create', change('resolved', 12, { state: 'resolved' }), 'resolved'],
    ['update', change('acknowledged', 13, { state: 'acknowledged' }), 'acknowledged'],
    ['close', change('reviewed', 14, { state: 'reviewed' }), 'resolved'],
    ['close', change('merged', 15, { state: 'merged', merged_into: 'inc_b' }), 'merged'],
    ['reopen', change('grown', 16), 'reopened'],
  ] as const)('of %s and change %# says what happened', async (action, of, kind) => {
    await sink.deliver(
      action,
      telling(of, { told: action === 'create' ? null : toldOf(change('opened', 1)) }),
      NEVER,
    )
    expect(received(of.id).event.type).toBe(`io.tocsin.incident.${kind}`)
  })

  it.each([
    [404, { kind: 'refused', code: 'http-404', status: 404 }],
    [410, { kind: 'gone', code: 'http-410', status: 410 }],
    [408, { kind: 'retry', code: 'http-408' }],
    [202, { kind: 'ok' }],
  ])('answered by %d ends so', async (status, expected) => {
    proxy.inject('POST', { kind: 'answer', status })
    expect(await sink.deliver('create', telling(change('opened', 20)), NEVER)).toMatchObject(expected)
  })

  it('does not go to an address that is not public, when only those are allowed', async () => {
    const careful = webhook(proxy.url, 5_000, true)
    expect(await careful.deliver('create', telling(change('opened', 30)), NEVER)).toEqual({
      kind: 'refused',
      code: 'target-not-public',
      status: null,
    })
    careful.close()
  })

  it('is never sent with a secret that is none', () => {
    const { sinks } = config.parse({
      sinks: [{ name: 'hook', kind: 'webhook', url: 'https://example.org', secret: { env: 'HOOK' } }],
    })
    const [entry] = sinks
    if (entry === undefined) throw new Error('no sink')
    expect(() =>
      makeSink(entry, {
        secret: () => 'hunter2',
        now: Date.now,
        public_url: '',
        publisher: () => Promise.reject(new Error('nothing')),
      }),
    ).toThrow(expect.objectContaining({ code: 'sink-secret' }))
  })
})
