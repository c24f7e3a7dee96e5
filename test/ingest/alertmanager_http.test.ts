import { execFile } from 'node:child_process'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { alertmanagerIngest } from '../../ingest/http/alertmanager.ts'
import { Intake } from '../../ingest/intake.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { systemClock } from '../../runtime/clock.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { cases } from '../fixtures/cases.ts'
import { KeptLog } from './kept_log.ts'
import { DEFAULTS, RESOLVE_TIMEOUT_MS } from './settings.ts'

/** When Alertmanager gave its answers; some depend on the time. */
const AT_MS = Date.UTC(2026, 10, 23, 19, 27, 39)

interface Answer {
  readonly status: number
  readonly content_type?: string | undefined
  readonly body: string
  readonly retry_after?: string | undefined
}

let log: KeptLog
let app: FastifyInstance
let port: number

beforeEach(async () => {
  log = new KeptLog()
  const intake = new Intake({
    log,
    config: DEFAULTS,
    observer: { accepted: () => {}, rejected: () => {} },
    tracing: noTraces,
  })
  app = Fastify()
  await app.register(
    alertmanagerIngest({
      intake,
      clock: { ...systemClock, now: () => AT_MS },
      resolve_timeout_ms: RESOLVE_TIMEOUT_MS,
    }),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
})
afterEach(() => app.close())

function post(
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<Answer> {
  const bytes = Buffer.from(body as string)
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/api/v2/alerts',
      headers: { ...headers, 'content-length': bytes.length },
    }
    const sent = request(options, (response) => {
      const { statusCode: status = 0, headers: told } = response
      // Fastify names the charset of JSON, which is always UTF-8.
      const content_type = told['content-type']?.replace('; charset=utf-8', '')
      text(response).then(
        (answer) => resolve({ status, content_type, body: answer, retry_after: told['retry-after'] }),
        reject,
      )
    })
    sent.on('error', reject).end(bytes)
  })
}

interface PostCase {
  readonly name: string
  readonly input: {
    readonly body: string
    readonly content_type: string | null
    readonly accept?: string
    readonly latin1?: boolean
  }
  readonly expected: Answer
}

/** Where we answer otherwise, and why. */
const OTHERWISE: Readonly<Record<string, { readonly status: number; readonly body: string | RegExp }>> = {
  'trailing text': { status: 400, body: /because / },
  // Alertmanager breaks the connection.
  'array of null': { status: 422, body: '{"code":602,"message":"0 in body is required"}' },
  'good and null': { status: 422, body: '{"code":602,"message":"1 in body is required"}' },
  // The words show Go's types in full.
  'array of numbers': { status: 400, body: /because json: cannot unmarshal number into Go value of type / },
  'array of strings': { status: 400, body: /because json: cannot unmarshal string into Go value of type / },
  'array of arrays': { status: 400, body: /because json: cannot unmarshal array into Go value of type / },
  // Years before 1970 are mistakes in units.
  "startsAt '0000-01-01T00:00:00Z'": {
    status: 400,
    body: /^"startsAt is -\d+ ms from the epoch, outside of/,
  },
  "startsAt '1969-12-31T23:59:59Z'": {
    status: 400,
    body: /^"startsAt is -1000 ms from the epoch, outside of/,
  },
  'content type garbage': { status: 400, body: /parsing Content-Type header from \\"a\/b\/c;;\\" failed/ },
  'application/*': { status: 415, body: /unsupported media type \\"application\/\*\\"/ },
}
/** Syntax errors are told in our parser's words. */
const SYNTAX = /because (?:invalid character|unexpected EOF)/
const SYNTAX_ANSWER = /^\{"code":400,"message":"parsing alerts body from \\"\\" failed, because ./

describe('answers as Alertmanager 0.34', () => {
  it.each((cases('post-alerts') as readonly PostCase[]).map((one) => [one.name, one] as const))(
    '%s',
    async (name, { input, expected }) => {
      const body = input.latin1 ? Buffer.from(input.body, 'latin1') : input.body
      const headers = {
        ...(input.content_type !== null && { 'content-type': input.content_type }),
        ...(input.accept && { accept: input.accept }),
      }
      const answer = await post(body, headers)
      const wanted = OTHERWISE[name] ?? {
        ...expected,
        body: SYNTAX.test(expected.body) ? SYNTAX_ANSWER : expected.body.trimEnd(),
      }
      const pattern = wanted.body instanceof RegExp && wanted.body.test(answer.body) ? wanted.body : null
      expect({ status: answer.status, body: String(pattern ?? answer.body.trimEnd()) }).toEqual({
        status: wanted.status,
        body: String(wanted.body),
      })
      expect(answer.content_type).toBe(wanted.status === 200 ? undefined : 'application/json')
    },
  )

  it('keeps the valid alerts of a batch, durable before the answer, and tells the others with their reasons', async () => {
    const answer = await post(
      '[{"labels":{"a":""}},{"labels":{"alertname":"good","gone":""}},{"labels":{"":"x"}}]',
    )
    expect(answer).toMatchObject({
      status: 400,
      body: '"at least one label pair required\\ninvalid label set: invalid name \\"\\""\n',
    })
    expect(log.records.flatMap(({ alerts }) => alerts.map(({ labels }) => labels))).toEqual([
      { alertname: 'good' },
    ])
    expect(log.letters).toMatchObject([
      {
        code: 'labels-empty',
        origin: 'http:POST /api/v2/alerts#0',
        payload: '{"labels":{"a":""}}',
        at_ms: AT_MS,
        source: 'alertmanager',
      },
      { code: 'label-name', origin: 'http:POST /api/v2/alerts#2' },
    ])
  })

  it('takes nothing of a body that is refused, and keeps the body as a dead letter', async () => {
    await post('[{"labels":{"alertname":"good"}},{}]')
    expect(log.records).toEqual([])
    expect(log.letters).toMatchObject([
      { code: 'labels-missing', payload: '[{"labels":{"alertname":"good"}},{}]' },
    ])
  })
})

const alertOf = (alert: object): string => JSON.stringify([{ labels: { alertname: 'x' }, ...alert }])
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, 'v']))

describe('bounds, each told with the field, its size and the bound', () => {
  it.each([
    ['labels', { labels: many(65) }, '65 labels are more than 64'],
    [
      'name of a label',
      { labels: { ['n'.repeat(257)]: 'v' } },
      `the name of label "${'n'.repeat(64)}…" has 257 characters, more than 256`,
    ],
    [
      'value of a label',
      { labels: { a: 'v'.repeat(4_097) } },
      'the value of label "a" has 4097 characters, more than 4096',
    ],
    ['annotations', { annotations: many(65) }, '65 annotations are more than 64'],
    [
      'name of an annotation',
      { annotations: { ['n'.repeat(257)]: 'v' } },
      `the name of annotation "${'n'.repeat(64)}…" has 257 characters, more than 256`,
    ],
    [
      'value of an annotation',
      { annotations: { a: 'v'.repeat(16_385) } },
      'the value of annotation "a" has 16385 characters, more than 16384',
    ],
    [
      'generatorURL',
      { generatorURL: `http://${'x'.repeat(2_042)}` },
      'generatorURL has 2049 characters, more than 2048',
    ],
    [
      'scope',
      { labels: { tenant: 't'.repeat(200), site: 's'.repeat(56) } },
      'the scope that the labels name has 257 characters, more than 256',
    ],
    [
      'time',
      { startsAt: '2026-11-23T16:00:00Z', endsAt: '9999-12-31T00:00:00Z' },
      'endsAt is 253402214400000 ms from the epoch, outside of 0 (year 1970) to 7258118400000 (year 2200)',
    ],
  ])('%s', async (_what, alert, reason) => {
    expect(await post(alertOf(alert))).toMatchObject({ status: 400, body: `${JSON.stringify(reason)}\n` })
    expect(log.records).toEqual([])
    expect(log.letters).toMatchObject([{ reason }])
  })

  it('size of an alert', async () => {
    const annotations = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [name, '中'.repeat(5_000)]),
    )
    const answer = await post(alertOf({ annotations }))
    expect(answer.status).toBe(400)
    expect(answer.body).toMatch(/^"the alert takes 75\d\d\d bytes, more than 65536"\n$/)
    expect(log.letters).toMatchObject([{ code: 'alert-bytes', truncated: true }])
  })

  it('a body at the bounds is taken', async () => {
    const labels = { ...many(62), ['n'.repeat(256)]: 'v'.repeat(4_096), tenant: 't'.repeat(256) }
    expect(await post(alertOf({ labels }))).toMatchObject({ status: 200, body: '' })
  })

  it('alerts of one request', async () => {
    const body = `[${Array.from({ length: LIMITS.alerts_per_request + 1 }, () => '{"labels":{"a":"b"}}').join(',')}]`
    expect(await post(body)).toMatchObject({
      status: 413,
      body: expect.stringContaining('50001 alerts in one request are more than 50000'),
    })
  })

  it('the body, before it is read', async () => {
    // The connection may be closed while the rest of the body is still on its way.
    const closed = (error: NodeJS.ErrnoException) => ['ECONNRESET', 'EPIPE'].includes(error.code ?? '')
    const answer = await post(Buffer.alloc(LIMITS.http_body_bytes + 1, ' ')).catch((error: unknown) => {
      if (error instanceof Error && closed(error)) return { status: 413, body: '{"code":413' }
      throw error
    })
    expect(answer).toMatchObject({ status: 413, body: expect.stringContaining('{"code":413') })
    expect(log.appends).toEqual([])
  })
})

describe('an unreachable log', () => {
  it('answers 503 with Retry-After, and takes the alerts once it is back', async () => {
    log.reachable = false
    expect(await post(alertOf({}))).toMatchObject({
      status: 503,
      retry_after: '1',
      body: expect.stringContaining('"code":503'),
    })
    log.reachable = true
    expect(await post(alertOf({}))).toMatchObject({ status: 200 })
    expect(log.records).toHaveLength(1)
  })
})

describe('amtool', () => {
  const run = promisify(execFile)

  it('adds an alert', async (context) => {
    const added = await run('amtool', [
      `--alertmanager.url=http://127.0.0.1:${port}`,
      'alert',
      'add',
      'alertname=disk',
      'severity=critical',
      '--annotation=summary=full',
    ]).catch((error: unknown) => error)
    if (added instanceof Error && 'code' in added && added.code === 'ENOENT')
      return context.skip('amtool is not installed')
    expect(added).toMatchObject({ stdout: '', stderr: '' })
    expect(log.records.flatMap(({ alerts }) => alerts)).toMatchObject([
      {
        labels: { alertname: 'disk', severity: 'critical' },
        annotations: { summary: 'full' },
        severity: 'critical',
        scope: 'default',
      },
    ])
  })
})
