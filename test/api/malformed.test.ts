import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Retryable } from '../../runtime/errors.ts'
import { startWorld, type World } from './world.ts'

interface Case {
  readonly what: string
  readonly method?: string
  readonly path: string
  readonly body?: string
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly status: number
  readonly error: { readonly code: string; readonly message?: string; readonly field?: string }
}

const COMMANDS = '/api/v1/incidents/ID/commands'
const silence = (fields: object) =>
  JSON.stringify({ matchers: ['a=b'], duration_ms: 60_000, comment: 'c', ...fields })

const CASES: readonly Case[] = [
  {
    what: 'no JSON',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":',
    status: 400,
    error: { code: 'json-syntax', message: 'the body is no JSON' },
  },
  {
    what: 'an empty body',
    method: 'POST',
    path: COMMANDS,
    body: '',
    status: 400,
    error: { code: 'json-syntax', message: 'the body is empty' },
  },
  {
    what: 'a forbidden key',
    method: 'POST',
    path: COMMANDS,
    body: '{"__proto__":{"kind":"acknowledge"}}',
    status: 400,
    error: { code: 'json-syntax', message: 'the body is no JSON' },
  },
  {
    what: 'a body of another type',
    method: 'POST',
    path: COMMANDS,
    type: 'text/plain',
    body: '{"kind":"acknowledge"}',
    status: 415,
    error: { code: 'unsupported-media-type' },
  },
  {
    what: 'a form',
    method: 'POST',
    path: COMMANDS,
    type: 'application/x-www-form-urlencoded',
    body: 'kind=acknowledge',
    status: 415,
    error: { code: 'unsupported-media-type' },
  },
  {
    what: 'a body beyond the bound',
    method: 'POST',
    path: COMMANDS,
    body: JSON.stringify({ kind: 'comment', comment: 'x'.repeat(300_000) }),
    status: 413,
    error: { code: 'too-large' },
  },
  {
    what: 'an array',
    method: 'POST',
    path: COMMANDS,
    body: '[]',
    status: 422,
    error: { code: 'invalid-body', field: '', message: 'the body is []: expected object, received array' },
  },
  {
    what: 'null',
    method: 'POST',
    path: COMMANDS,
    body: 'null',
    status: 422,
    error: { code: 'invalid-body', field: '', message: 'the body is null: expected object, received null' },
  },
  {
    what: 'no kind',
    method: 'POST',
    path: COMMANDS,
    body: '{}',
    status: 422,
    error: { code: 'invalid-body', field: 'kind' },
  },
  {
    what: 'an unknown kind',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"explode"}',
    status: 422,
    error: {
      code: 'invalid-body',
      field: 'kind',
      message: `kind is "explode": Invalid discriminator value. Expected 'acknowledge' | 'mitigate' | 'resolve' | 'review' | 'reopen' | 'assign' | 'comment' | 'merge' | 'move' | 'split' | 'link-ticket' | 'shelve' | 'unshelve'`,
    },
  },
  {
    what: 'a command that is no step of an incident',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"silence"}',
    status: 422,
    error: { code: 'invalid-body', field: 'kind' },
  },
  {
    what: 'an unknown field',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"acknowledge","incident_id":"inc_other"}',
    status: 422,
    error: { code: 'invalid-body', field: 'incident_id', message: 'incident_id is not known here' },
  },
  {
    what: 'a missing field',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"comment"}',
    status: 422,
    error: {
      code: 'invalid-body',
      field: 'comment',
      message: 'comment is missing: expected string, received undefined',
    },
  },
  {
    what: 'an empty comment',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"comment","comment":""}',
    status: 422,
    error: {
      code: 'invalid-body',
      field: 'comment',
      message: 'comment is "": Too small: expected string to have >=1 characters',
    },
  },
  {
    what: 'a field of another type',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"assign","assignee":7}',
    status: 422,
    error: {
      code: 'invalid-body',
      field: 'assignee',
      message: 'assignee is 7: expected string, received number',
    },
  },
  {
    what: 'a nested field',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"link-ticket","ticket":{"sink":"rt","external_id":"","url":""}}',
    status: 422,
    error: { code: 'invalid-body', field: 'ticket.external_id' },
  },
  {
    what: 'an unknown incident',
    method: 'POST',
    path: '/api/v1/incidents/inc_none/commands',
    body: '{"kind":"acknowledge"}',
    status: 404,
    error: { code: 'incident-unknown', field: 'id', message: 'no incident "inc_none" is kept here' },
  },
  {
    what: 'a key with spaces',
    method: 'POST',
    path: COMMANDS,
    body: '{"kind":"acknowledge"}',
    headers: { 'idempotency-key': 'a b' },
    status: 400,
    error: { code: 'invalid-parameter', field: 'idempotency-key' },
  },
  {
    what: 'a wait beyond the bound',
    method: 'POST',
    path: `${COMMANDS}?wait_ms=60000`,
    body: '{"kind":"acknowledge"}',
    status: 400,
    error: { code: 'invalid-parameter', field: 'wait_ms' },
  },
  {
    what: 'an unknown state',
    path: '/api/v1/incidents?state=closed',
    status: 400,
    error: {
      code: 'invalid-parameter',
      field: 'state.0',
      message:
        'state.0 is "closed": expected one of "open"|"acknowledged"|"mitigated"|"resolved"|"reviewed"|"merged"',
    },
  },
  {
    what: 'an unknown severity',
    path: '/api/v1/incidents?severity=low,urgent',
    status: 400,
    error: { code: 'invalid-parameter', field: 'severity.1' },
  },
  {
    what: 'an unknown order',
    path: '/api/v1/incidents?sort=title',
    status: 400,
    error: { code: 'invalid-parameter', field: 'sort' },
  },
  {
    what: 'a limit that is no number',
    path: '/api/v1/incidents?limit=many',
    status: 400,
    error: { code: 'invalid-parameter', field: 'limit' },
  },
  {
    what: 'a limit of nothing',
    path: '/api/v1/incidents?limit=0',
    status: 400,
    error: {
      code: 'invalid-parameter',
      field: 'limit',
      message: 'limit is 0: Too small: expected number to be >=1',
    },
  },
  {
    what: 'a misspelt parameter',
    path: '/api/v1/incidents?stat=open',
    status: 400,
    error: { code: 'invalid-parameter', field: 'stat', message: 'stat is not known here' },
  },
  {
    what: 'a text given twice',
    path: '/api/v1/incidents?q=a&q=b',
    status: 400,
    error: { code: 'invalid-parameter', field: 'q' },
  },
  {
    what: 'a cursor that is none',
    path: '/api/v1/incidents?cursor=%00',
    status: 400,
    error: { code: 'invalid-parameter', field: 'cursor' },
  },
  {
    what: 'a cursor of another order',
    path: `/api/v1/incidents?sort=opened&cursor=${Buffer.from('["updated",-1,"inc"]').toString('base64url')}`,
    status: 400,
    error: {
      code: 'invalid-parameter',
      field: 'cursor',
      message: 'cursor is no cursor of a page in the order opened',
    },
  },
  {
    what: 'a path that cannot be decoded',
    path: '/api/v1/incidents/%ff',
    status: 400,
    error: { code: 'bad-request' },
  },
  {
    what: 'an id that is too long',
    path: `/api/v1/incidents/${'x'.repeat(129)}`,
    status: 400,
    error: { code: 'invalid-parameter', field: 'id' },
  },
  {
    what: 'no such path',
    path: '/api/v1/nothing?a=b',
    status: 404,
    error: { code: 'not-found', message: 'there is no GET /api/v1/nothing' },
  },
  {
    what: 'a method that is not there',
    method: 'DELETE',
    path: '/api/v1/incidents',
    status: 404,
    error: { code: 'not-found', message: 'there is no DELETE /api/v1/incidents' },
  },
  {
    what: 'a silence without an end',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ duration_ms: undefined }),
    status: 422,
    error: {
      code: 'invalid-body',
      field: 'ends_at_ms',
      message: 'expected either ends_at_ms or duration_ms',
    },
  },
  {
    what: 'a silence with two ends',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ ends_at_ms: 4e12 }),
    status: 422,
    error: { code: 'invalid-body', field: 'ends_at_ms' },
  },
  {
    what: 'a silence that is over',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ starts_at_ms: 0 }),
    status: 422,
    error: { code: 'invalid-body', field: 'ends_at_ms' },
  },
  {
    what: 'a silence without matchers',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ matchers: [] }),
    status: 422,
    error: { code: 'invalid-body', field: 'matchers' },
  },
  {
    what: 'a matcher that is none',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ matchers: ['a=b', 'what'] }),
    status: 422,
    error: { code: 'invalid-body', field: 'matchers.1', message: 'bad matcher format: what' },
  },
  {
    what: 'a broken regular expression',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ matchers: [{ name: 'a', op: '=~', value: '(' }] }),
    status: 422,
    error: { code: 'invalid-body', field: 'matchers' },
  },
  {
    what: 'an unknown operator',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ matchers: [{ name: 'a', op: '==', value: 'b' }] }),
    status: 422,
    error: { code: 'invalid-body', field: 'matchers.0.op' },
  },
  {
    what: 'a silence of everything',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ matchers: ['a=~".*"'] }),
    status: 422,
    error: {
      code: 'invalid-body',
      field: 'matchers',
      message: 'matcher set 0: at least one matcher must not match the empty string',
    },
  },
  {
    what: 'a silence that is not there',
    method: 'DELETE',
    path: '/api/v1/silences/none',
    status: 404,
    error: { code: 'silence-unknown', field: 'id' },
  },
  {
    what: 'a change of a silence that is not there',
    method: 'POST',
    path: '/api/v1/silences',
    body: silence({ id: 'none' }),
    status: 404,
    error: { code: 'silence-unknown', field: 'id' },
  },
  {
    what: 'what is like an incident, without a history',
    path: '/api/v1/incidents/ID/similar',
    status: 503,
    error: { code: 'history-off' },
  },
  {
    what: 'what is like an incident that is not there',
    path: '/api/v1/incidents/none/similar',
    status: 404,
    error: { code: 'incident-unknown', field: 'id' },
  },
  {
    what: 'more similar incidents than are given',
    path: '/api/v1/incidents/ID/similar?limit=21',
    status: 400,
    error: { code: 'invalid-parameter', field: 'limit' },
  },
  {
    what: 'the analytics of no history',
    path: '/api/v1/analytics/summary',
    status: 503,
    error: { code: 'history-off' },
  },
]

describe('malformed requests', () => {
  let world: World
  let id = ''
  beforeAll(async () => {
    world = await startWorld()
    id = (await world.fire({})).id
  })
  afterAll(() => world.close())

  it.each(CASES)(
    '$what: $status $error.code',
    async ({ method = 'GET', path, body, type, headers, status, error }) => {
      const answer = await fetch(world.url + path.replace('ID', id), {
        method,
        headers: { ...(body !== undefined && { 'content-type': type ?? 'application/json' }), ...headers },
        ...(body !== undefined && { body }),
      })
      const text = await answer.text()
      expect({ status: answer.status, body: JSON.parse(text) as unknown }).toMatchObject({
        status,
        body: { error },
      })
      expect(text).not.toMatch(/\.ts\b|node_modules|at \w+ \(/)
    },
  )

  it('changed nothing', () => {
    expect(world.live.get(id)).toMatchObject({ state: 'open', revision: 1 })
  })
})

describe('faults of the world behind', () => {
  it('asks to come again when the log is away, and keeps a bug to itself', async () => {
    let fault: Error = new Retryable('log-away', 'broker secret-host:9092 refused')
    const world = await startWorld({ parts: { sourcesStatus: () => Promise.reject(fault) } })
    const away = await fetch(`${world.url}/api/v1/sources`)
    expect(away.headers.get('retry-after')).toBe('5')
    expect({ status: away.status, body: await away.json() }).toMatchObject({
      status: 503,
      body: {
        error: { code: 'unavailable', message: 'a part that this needs cannot be reached now (log-away)' },
      },
    })
    fault = new TypeError('cannot read properties of secret')
    const bug = await fetch(`${world.url}/api/v1/sources`)
    expect({ status: bug.status, body: await bug.json() }).toMatchObject({
      status: 500,
      body: { error: { code: 'internal', message: 'an unexpected error' } },
    })
    await world.close()
  })

  it('is not ready while something is missing, and says what', async () => {
    const world = await startWorld({
      parts: {
        readiness: async () => [
          { name: 'log', ok: true, detail: '' },
          { name: 'store', ok: false, detail: 'connecting' },
        ],
      },
    })
    const answer = await fetch(`${world.url}/-/ready`)
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({
      status: 503,
      body: { error: { message: 'not ready: store (connecting)' } },
    })
    expect(await (await fetch(`${world.url}/-/healthy`)).text()).toBe('OK\n')
    await world.close()
  })
})
