import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
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

const ofHeartbeat = async (name: string) =>
  (await incidents()).find(({ members }) => members.some(({ labels }) => labels['heartbeat'] === name))

const watchdog = [{ labels: { alertname: 'Watchdog', prometheus: 'eu' } }]

describe('heartbeats of a running tocsin', () => {
  it('are missed when they fall silent, of an alert and of a whole source, also after a crash', async () => {
    expect((await post('/api/v2/alerts', watchdog)).status).toBe(200)
    expect((await post('/api/v1/sources/plant', [])).status).toBe(200)
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
    const answer = await fetch(`${tocsin.url}/api/v1/heartbeats`)
    expect(await answer.json()).toMatchObject({
      heartbeats: [
        { name: 'watchdog', heard: [{ labels: { prometheus: 'eu' }, lost: true }] },
        { name: 'plant-is-heard', heard: [{ source: 'plant', lost: true }] },
      ],
    })
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
