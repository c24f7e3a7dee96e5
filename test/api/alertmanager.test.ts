import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { AlertGroup, GettableAlert, GettableSilence } from '../../api/alertmanager/shapes.ts'
import { startWorld, type World } from './world.ts'

async function get<Body>(world: World, path: string): Promise<Body> {
  const response = await fetch(world.url + path)
  expect({ path, status: response.status }).toEqual({ path, status: 200 })
  return (await response.json()) as Body
}

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

async function postAlerts(world: World, ...labels: readonly Record<string, string>[]): Promise<void> {
  const body = JSON.stringify(
    labels.map((one) => ({
      labels: one,
      annotations: { summary: 'a <b>summary</b>' },
      generatorURL: 'http://prometheus.example/graph',
    })),
  )
  const response = await fetch(`${world.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(response.status).toBe(200)
}

function postSilence(world: World, fields: object): Promise<Response> {
  const body = {
    matchers: [{ name: 'instance', value: 'b', isRegex: false }],
    startsAt: inMinutes(0),
    endsAt: inMinutes(60),
    createdBy: 'test',
    comment: 'quiet',
    ...fields,
  }
  return fetch(`${world.url}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

describe('alerts over Alertmanager’s API', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
    await postAlerts(
      world,
      { alertname: 'Latency', instance: 'b', job: 'web', cluster: 'eu' },
      { alertname: 'Latency', instance: 'a', job: 'web', cluster: 'eu' },
      { alertname: 'Latency', instance: 'c', job: 'api', cluster: 'eu' },
      { alertname: 'DiskFull', instance: 'db-1', tier: 'db', cluster: 'us' },
    )
    await postSilence(world, {})
  })
  afterAll(() => world.close())

  it('shows at once what was posted, in the shape and order of Alertmanager', async () => {
    const alerts = await get<GettableAlert[]>(world, '/api/v2/alerts')
    expect(alerts.map(({ fingerprint }) => fingerprint)).toEqual(
      alerts.map(({ fingerprint }) => fingerprint).toSorted(),
    )
    const disk = alerts.find(({ labels }) => labels['alertname'] === 'DiskFull')
    expect(disk).toEqual({
      annotations: { summary: 'a <b>summary</b>' },
      endsAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      generatorURL: 'http://prometheus.example/graph',
      labels: { alertname: 'DiskFull', instance: 'db-1', tier: 'db', cluster: 'us' },
      receivers: [{ name: 'tocsin' }],
      startsAt: expect.any(String) as string,
      status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
      updatedAt: expect.any(String) as string,
    })
  })

  const ALL = ['Latency/a', 'Latency/b', 'Latency/c', 'DiskFull/db-1']
  it.each([
    ['', ALL],
    ['filter=alertname="Latency"', ['Latency/a', 'Latency/b', 'Latency/c']],
    ['filter=alertname=Latency&filter=instance!=a', ['Latency/b', 'Latency/c']],
    ['filter=instance=~"a|c"', ['Latency/a', 'Latency/c']],
    ['filter=tier=""', ['Latency/a', 'Latency/b', 'Latency/c']],
    ['filter=tier!~"d."', ['Latency/a', 'Latency/b', 'Latency/c']],
    ['silenced=false', ['Latency/a', 'Latency/c', 'DiskFull/db-1']],
    ['active=false', ['Latency/b']],
    ['active=0&silenced=no', []],
    ['inhibited=false&unprocessed=false', ALL],
    ['receiver=tocsin', ALL],
    ['receiver=toc', []],
    ['receiver=toc.*', ALL],
    ['receiver_matchers=owner="me"', []],
  ])('alerts?%s', async (query, expected) => {
    const alerts = await get<GettableAlert[]>(world, `/api/v2/alerts?${query}`)
    expect(alerts.map(({ labels }) => `${labels['alertname']}/${labels['instance']}`).toSorted()).toEqual(
      expected.toSorted(),
    )
    const groups = await get<AlertGroup[]>(world, `/api/v2/alerts/groups?${query}`)
    expect(groups.flatMap((group) => group.alerts.map(({ fingerprint }) => fingerprint)).toSorted()).toEqual(
      alerts.map(({ fingerprint }) => fingerprint),
    )
  })

  it('groups by the labels of the rule, the fewest labels first, alerts by job and instance', async () => {
    const groups = await get<AlertGroup[]>(world, '/api/v2/alerts/groups')
    expect(
      groups.map(({ labels, alerts, receiver }) => ({
        labels,
        receiver,
        alerts: alerts.map(({ labels: own }) => own['instance']),
      })),
    ).toEqual([
      { labels: { alertname: 'Latency' }, receiver: { name: 'tocsin' }, alerts: ['c', 'a', 'b'] },
      { labels: { alertname: 'DiskFull', cluster: 'us' }, receiver: { name: 'tocsin' }, alerts: ['db-1'] },
    ])
  })

  it.each([
    ['/api/v2/alerts?filter=what', 'bad matcher format: what'],
    ['/api/v2/alerts/groups?filter=a=~"("', 'error parsing regexp: missing closing ): `^(?:()$`'],
    [
      '/api/v2/alerts?receiver=(',
      'failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`',
    ],
    [
      '/api/v2/receivers?receiver_matchers=x',
      'failed to parse receiver_matchers param: bad matcher format: x',
    ],
    ['/api/v2/silences?filter=,', 'bad matcher format: ,'],
  ])('%s is refused in Alertmanager’s words', async (path, text) => {
    const response = await fetch(world.url + path)
    expect({ status: response.status, text: await response.text() }).toEqual({
      status: 400,
      text: `${JSON.stringify(text)}\n`,
    })
  })

  it('tells status and receivers', async () => {
    const status = await get<{ config: { original: string }; cluster: object; versionInfo: object }>(
      world,
      '/api/v2/status',
    )
    expect(status).toMatchObject({
      cluster: { status: 'disabled', peers: [] },
      versionInfo: { version: '1.2.3' },
    })
    expect(parse(status.config.original)).toEqual({
      global: { resolve_timeout: '300s' },
      route: {
        receiver: 'tocsin',
        routes: [
          { receiver: 'tocsin', matchers: ['tier="db"'], group_by: ['alertname', 'cluster'] },
          { receiver: 'tocsin', group_by: ['alertname'] },
        ],
      },
      receivers: [{ name: 'tocsin' }],
    })
    expect(await get(world, '/api/v2/receivers')).toEqual([{ name: 'tocsin', labels: {} }])
  })
})

describe('silences over Alertmanager’s API', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it('makes, shows, lists, changes and ends one', async () => {
    const made = (await (await postSilence(world, {})).json()) as { silenceID: string }
    const silence = await get<GettableSilence>(world, `/api/v2/silence/${made.silenceID}`)
    expect(silence).toMatchObject({
      id: made.silenceID,
      status: { state: 'active' },
      createdBy: 'test',
      comment: 'quiet',
      matchers: [{ name: 'instance', value: 'b', isRegex: false, isEqual: true }],
    })
    expect(await get(world, '/api/v2/silences?filter=instance="b"')).toEqual([silence])
    expect(await get(world, '/api/v2/silences?filter=instance="c"')).toEqual([])
    const longer = (await (await postSilence(world, { ...silence, endsAt: inMinutes(120) })).json()) as {
      silenceID: string
    }
    expect(longer.silenceID).toBe(made.silenceID)
    const other = (await (
      await postSilence(world, {
        ...silence,
        matchers: [{ name: 'instance', value: 'z', isRegex: false, isEqual: false }],
      })
    ).json()) as { silenceID: string }
    expect(other.silenceID).not.toBe(made.silenceID)
    expect(
      (await get<GettableSilence[]>(world, '/api/v2/silences')).map(({ id, status }) => [id, status.state]),
    ).toEqual([
      [other.silenceID, 'active'],
      [made.silenceID, 'expired'],
    ])
    const ended = await fetch(`${world.url}/api/v2/silence/${other.silenceID}`, { method: 'DELETE' })
    expect({ status: ended.status, text: await ended.text() }).toEqual({ status: 200, text: '' })
    expect(await get(world, '/api/v2/silences?expired=false')).toEqual([])
  })

  it.each([
    [
      { startsAt: '0001-01-01T00:00:00.000Z', endsAt: '0001-01-01T00:00:00.000Z' },
      400,
      'Failed to create silence: start time must be before end time',
    ],
    [
      { startsAt: inMinutes(-20), endsAt: inMinutes(-10) },
      400,
      "Failed to create silence: end time can't be in the past",
    ],
    [
      { matchers: [{ name: 'a', value: '.*', isRegex: true }] },
      400,
      'invalid silence: matcher set 0: at least one matcher must not match the empty string',
    ],
    [
      { matchers: [{ name: '', value: 'b', isRegex: false }] },
      400,
      'invalid silence: invalid label matcher 0 in set 0: invalid label name ""',
    ],
    [{ id: '494271df-3dea-4b02-b977-f18e4b9262dd' }, 404, 'silence not found'],
    [{ matchers: [] }, 422, { code: 612, message: 'matchers in body should have at least 1 items' }],
    [{ matchers: undefined }, 422, { code: 602, message: 'matchers in body is required' }],
    [{ comment: undefined }, 422, { code: 602, message: 'comment in body is required' }],
    [{ endsAt: 'tomorrow' }, 422, { code: 601, message: 'endsAt in body must be of type datetime' }],
  ])('refuses %j', async (fields, status, answer) => {
    const response = await postSilence(world, fields)
    expect({ status: response.status, answer: await response.json() }).toEqual({ status, answer })
  })

  it('knows no silence that was never made', async () => {
    const path = `${world.url}/api/v2/silence/494271df-3dea-4b02-b977-f18e4b9262dd`
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(path, { method })
      expect({ status: response.status, text: await response.text() }).toEqual({ status: 404, text: '' })
    }
    expect((await fetch(`${world.url}/api/v2/silence/no-uuid`)).status).toBe(422)
  })

  it('answers the recorded request that has zero times as Alertmanager did', async () => {
    const recorded = JSON.parse(
      readFileSync(join(import.meta.dirname, '../fixtures/alertmanager/sample-requests.json'), 'utf8'),
    ) as { m: string; u: string; body?: string; st: number; rb: string }[]
    const refused = recorded.filter(
      ({ m, u, body }) => m === 'POST' && u === '/api/v2/silences' && body?.includes('0001-01-01'),
    )
    expect(refused).toHaveLength(1)
    for (const { u, body, st, rb } of refused) {
      const response = await fetch(world.url + u, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: body ?? '',
      })
      expect({ status: response.status, text: await response.text() }).toEqual({ status: st, text: rb })
    }
  })
})

const AMTOOL = '/usr/bin/amtool'

describe.runIf(existsSync(AMTOOL))('amtool', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  function amtool(...args: readonly string[]): Promise<{ code: number | null; out: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(AMTOOL, [`--alertmanager.url=${world.url}`, ...args])
      let out = ''
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
      // On stderr it remarks that its version differs from ours.
      child.stderr.resume()
      child.on('error', reject).on('close', (code) => resolve({ code, out }))
    })
  }
  async function ok(...args: readonly string[]): Promise<string> {
    const { code, out } = await amtool(...args)
    expect({ args, code, out }).toMatchObject({ code: 0 })
    return out
  }

  it('adds an alert and queries it', async () => {
    await ok('alert', 'add', 'alertname=Backup', 'severity=warning', 'node=n1', '--annotation=summary=late')
    expect(await ok('alert', 'query', '-o', 'extended', 'alertname=Backup', 'node=~"n."')).toMatch(
      /node="n1"[\s\S]*summary="late"/,
    )
    expect(await ok('alert', 'query', '-o', 'json', 'alertname=Other')).toBe('[]\n')
  })

  it('adds, queries, updates and expires a silence', async () => {
    const id = (
      await ok('silence', 'add', 'alertname=Backup', '--comment=known', '--author=mei', '--duration=1h')
    ).trim()
    expect(await ok('silence', 'query', '-o', 'extended')).toMatch(/Backup[\s\S]*mei[\s\S]*known/)
    expect(await ok('alert', 'query', '-o', 'simple', '--silenced')).toContain('Backup')
    await ok('silence', 'update', '--duration=48h', id)
    expect(await ok('silence', 'query', '-q', '--within=24h')).toBe('')
    await ok('silence', 'expire', id)
    expect(await ok('silence', 'query', '-q')).toBe('')
    expect(await ok('silence', 'query', '--expired', '-q')).toContain(id)
  })

  it('shows configuration, routes and cluster', async () => {
    expect(await ok('config', 'show')).toContain('receiver: tocsin')
    expect(await ok('config', 'routes', 'show')).toContain('tocsin')
    expect(await ok('config', 'routes', 'test', 'alertname=Backup')).toContain('tocsin')
    expect(await ok('cluster', 'show')).toContain('disabled')
  })
})
