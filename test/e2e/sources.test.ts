import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
import { tocsin as command } from '../cli/run.ts'
import { Tocsin, until } from '../installation/processes.ts'

const CONFIG = `
history: {enabled: false}
sources:
  - {name: plant, kind: http, format: json, mapping: {labels: {alertname: alert.name, line: alert.line}}}
rules:
  heartbeats:
    - {name: watchdog, match: ['alertname="Watchdog"'], every_ms: 1000, grace_ms: 1000}
    - {name: plant-is-heard, source: plant, every_ms: 1000, grace_ms: 1000, severity: critical}
`

let tocsin: Tocsin
beforeAll(async () => {
  tocsin = await Tocsin.start({ config: CONFIG })
})
afterAll(() => tocsin.remove())

async function post(path: string, json: unknown): Promise<Response> {
  return fetch(tocsin.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  })
}

async function incidents(): Promise<readonly Incident[]> {
  const answer = await fetch(`${tocsin.url}/api/v1/incidents`)
  return ((await answer.json()) as { incidents: Incident[] }).incidents
}

async function heartbeats() {
  const answer = await fetch(`${tocsin.url}/api/v1/heartbeats`)
  return ((await answer.json()) as { heartbeats: { name: string; heard: object[] }[] }).heartbeats
}

const ofHeartbeat = async (name: string) =>
  (await incidents()).find(({ members }) => members.some(({ labels }) => labels['heartbeat'] === name))

const watchdog = [{ labels: { alertname: 'Watchdog', prometheus: 'eu' } }]

describe('heartbeats of a running tocsin', () => {
  it('are missed when they fall silent, of an alert and of a whole source, also after a crash', async () => {
    expect((await post('/api/v2/alerts', watchdog)).status).toBe(200)
    expect((await post('/api/v1/sources/plant', [])).status).toBe(200)
    await until('both are heard', async () => (await heartbeats()).every(({ heard }) => heard.length === 1))
    await tocsin.kill9()
    await tocsin.start()
    const [dog, plant] = await Promise.all([
      until('the watchdog is missed', () => ofHeartbeat('watchdog')),
      until('the plant is missed', () => ofHeartbeat('plant-is-heard')),
    ])
    expect(dog.members.find(({ labels }) => labels['heartbeat'] === 'watchdog')?.labels['prometheus']).toBe(
      'eu',
    )
    expect(plant.severity).toBe('critical')
    expect(await heartbeats()).toMatchObject([
      { name: 'watchdog', heard: [{ labels: { prometheus: 'eu' }, lost: true }] },
      { name: 'plant-is-heard', heard: [{ source: 'plant', lost: true }] },
    ])
  })

  it('are heard again, and open no incident themselves', async () => {
    await post('/api/v2/alerts', watchdog)
    await post('/api/v1/sources/plant', [])
    await until('both have ended', async () =>
      (await incidents()).every(({ members }) => members.every(({ firing }) => !firing)),
    )
    const names = (await incidents()).flatMap(({ members }) =>
      members.map(({ labels }) => labels['alertname']),
    )
    expect(new Set(names)).toEqual(new Set(['HeartbeatLost']))
  })
})

describe('tocsin deadletters', () => {
  const letters = (...args: string[]) => command(['deadletters', ...args, '--url', tocsin.url])

  it('retries after a restart with a mended mapping', async () => {
    expect((await post('/api/v1/sources/plant', [{ name: 'Jam' }, { name: 'Leak' }])).status).toBe(422)
    await tocsin.stop()
    await writeFile(join(tocsin.data_dir, 'tocsin.yaml'), CONFIG.replace('alert.line', 'alert.?line'))
    await tocsin.start()
    expect((await letters('retry', '--dry-run')).stdout).toBe('2 of 2 would pass, with 2 alerts.\n')
    const retried = await letters('retry', '--source', 'plant')
    expect(retried).toMatchObject({ status: 0, stdout: '2 of 2 passed, with 2 alerts.\n' })
    const listed = (await letters('list')).stdout.trimEnd().split('\n')
    expect(listed.map((line) => line.split('  ')[2]?.trim())).toEqual(['retried', 'retried'])
    const shown = await letters('show', listed[0]?.split('  ')[1] ?? '')
    expect(JSON.parse(shown.stdout)).toMatchObject({ source: 'plant', code: 'expression-failed' })
    await until('their incident', async () =>
      (await incidents()).some(({ members }) => members.some(({ labels }) => labels['alertname'] === 'Leak')),
    )
  })
})

describe('tocsin doctor', () => {
  it('tells of each source, and of what is silent', async () => {
    const { stdout } = await command(['doctor', '-c', join(tocsin.data_dir, 'tocsin.yaml')], {
      TOCSIN_LISTEN: new URL(tocsin.url).host,
      TOCSIN_DATA_DIR: tocsin.data_dir,
    })
    expect(stdout).toMatch(
      /^ ok {3}source plant +last heard \d+ s ago, \d+\.\d alerts a minute, 0 rejects beside 2 alerts$/m,
    )
    expect(stdout).toMatch(/^FAIL {2}heartbeat watchdog +1 of 1 are lost/m)
  })
})
