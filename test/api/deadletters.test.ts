import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HttpSource } from '../../ingest/http/sources.ts'
import { sourceDecoder, type SourceDecoder } from '../../ingest/source_decoder.ts'
import { EXPIRE_AFTER_MS } from '../../schemas/source_formats.ts'
import { call, startWorld, type World } from './world.ts'

const decoderOf = (labels: Record<string, string>, alerts?: string): SourceDecoder =>
  sourceDecoder({
    format: 'json',
    labels: {},
    expire_after_ms: EXPIRE_AFTER_MS,
    mapping: { ...(alerts !== undefined && { alerts }), labels, annotations: {} },
  })

const BROKEN = decoderOf({ alertname: '"JobFailed"', job: 'alert.name', host: 'alert.host' }, 'body.jobs')
const MENDED = decoderOf({ alertname: '"JobFailed"', job: 'alert.name', host: 'alert.?host' }, 'body.jobs')
const NO_LIST = decoderOf({ alertname: '"JobFailed"' }, 'body.list')

const broken: HttpSource = { name: 'jobs', decode: BROKEN, proof: null }
const refusing: HttpSource = { name: 'whole', decode: NO_LIST, proof: null }
const secret: HttpSource = { name: 'secret', decode: BROKEN, proof: null, has_secrets: true }

const after = new Map<string, SourceDecoder>([
  ['jobs', MENDED],
  ['whole', MENDED],
  ['secret', MENDED],
])

let world: World
beforeAll(async () => {
  world = await startWorld({ sources: [broken, refusing, secret], retry_sources: after })
})
afterAll(() => world.close())

const send = (source: string, json: unknown) =>
  call(world.url, `/api/v1/sources/${source}`, { method: 'POST', json })
const retry = async (json: unknown) => {
  const { status, body } = await call(world.url, '/api/v1/deadletters/retry', { method: 'POST', json })
  expect(status).toBe(200)
  return body
}
interface Listing {
  readonly total: number
  readonly letters: readonly {
    readonly id: string
    readonly retriable: boolean
    readonly retried_at_ms: number | null
  }[]
}
const list = async (query: string) => (await call(world.url, `/api/v1/deadletters?${query}`)).body as Listing
const firing = () =>
  [...world.live.all()].flatMap(({ members }) => members.map(({ labels }) => labels['job'] ?? '')).toSorted()

describe('dead letters', () => {
  it('are read again when the mapping was mended: what is wanted is taken, once, and what was taken before is not', async () => {
    const jobs = [
      { name: 'a', host: 'h' },
      { name: 'b' },
      { name: 'c' },
      { name: 'x'.repeat(5_000), host: 'h', bad: true },
      {},
    ]
    expect(await send('jobs', { jobs })).toMatchObject({ status: 422, body: { rejected: 3 } })
    const before = await world.log.bounds('alerts')
    expect(await retry({ source: 'jobs', dry_run: true })).toMatchObject({
      dry_run: true,
      passed: 2,
      rejected: 1,
      alerts: 2,
      letters: [
        { outcome: 'rejected', reason: expect.stringContaining('No such key: name') as string },
        { outcome: 'passed' },
        { outcome: 'passed' },
      ],
    })
    expect(await world.log.bounds('alerts')).toEqual(before)
    expect(await retry({ source: 'jobs' })).toMatchObject({ passed: 2, rejected: 1, alerts: 2 })
    await expect.poll(() => firing().map((job) => job.slice(0, 1))).toEqual(['a', 'b', 'c', 'x'])
    const appended = await world.log.bounds('alerts')
    expect(await retry({ source: 'jobs' })).toMatchObject({ passed: 0, rejected: 1, alerts: 0 })
    expect(await world.log.bounds('alerts')).toEqual(appended)
    expect(
      (await list('source=jobs')).letters.filter(({ retried_at_ms }) => retried_at_ms !== null),
    ).toHaveLength(2)
  })

  it('that were a message as a whole give all of its alerts', async () => {
    expect(await send('whole', { jobs: [{ name: 'd' }, { name: 'e' }] })).toMatchObject({ status: 422 })
    expect(await retry({ source: 'whole' })).toMatchObject({ passed: 1, rejected: 0, alerts: 2 })
    await expect.poll(() => firing()).toEqual(expect.arrayContaining(['d', 'e']))
    expect(await retry({ source: 'whole' })).toMatchObject({ passed: 0, alerts: 0, letters: [] })
  })

  it('retried at the same time by two are retried once', async () => {
    await send('whole', { jobs: [{ name: 'f' }] })
    const both = await Promise.all([retry({ source: 'whole' }), retry({ source: 'whole' })])
    expect(both.map((one) => (one as { alerts: number }).alerts).toSorted((a, b) => a - b)).toEqual([0, 1])
  })

  it('can be chosen by their ids and codes', async () => {
    await send('whole', { jobs: [{ name: 'g' }] })
    await send('whole', { jobs: [{ name: 'h' }] })
    const newest = (await list('source=whole')).letters.find(({ retried_at_ms }) => retried_at_ms === null)
    expect(await retry({ ids: [newest?.id], dry_run: true })).toMatchObject({ passed: 1 })
    expect(await retry({ source: 'whole', code: 'no-such-code' })).toMatchObject({ passed: 0 })
  })

  it('say so when their message was not kept: it holds a secret, or is too large', async () => {
    await send('secret', { jobs: [{}] })
    expect(await retry({ source: 'secret' })).toMatchObject({
      passed: 0,
      not_retriable: 1,
      letters: [{ outcome: 'not-kept' }],
    })
    await send('jobs', { jobs: [{ name: 'big', note: 'y'.repeat(300_000) }] })
    const large = (await list('source=jobs')).letters.find(({ retriable }) => !retriable)
    expect(large).toMatchObject({ truncated: true })
  })

  it('show what was received, without what proves who sent it', async () => {
    await call(world.url, '/api/v1/sources/whole', {
      method: 'POST',
      json: { jobs: [] },
      headers: { 'x-team': 'shop', 'x-api-key': 'hush', authorization: 'Bearer hush' },
    })
    const [{ id } = { id: '' }] = (await list('source=whole&limit=1')).letters
    const { status, body } = await call(world.url, `/api/v1/deadletters/${id}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      payload: '{"jobs":[]}',
      message: { headers: { 'x-team': 'shop' }, ordinals: null },
    })
    expect(JSON.stringify(body)).not.toContain('hush')
    expect((await call(world.url, `/api/v1/deadletters/${'0'.repeat(32)}`)).status).toBe(404)
  })
})
