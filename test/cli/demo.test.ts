import { hash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { story } from '../../cli/demo/story.ts'
import type { Incident } from '../../schemas/incident.ts'
import { freePort } from '../services/index.ts'
import { Tocsin } from '../installation/processes.ts'
import { tocsin } from './run.ts'

const FAST = ['--speed', '5000']
const RULES = `history: {enabled: false}
rules:
  grouping:
    - {name: by-namespace, match: ['namespace!=""'], group_by: [namespace], idle_timeout_ms: 600000}
    - {name: by-alertname, group_by: [alertname]}
`

describe('the story', () => {
  it('is the same for the same seed and another for another', () => {
    expect(story(7)).toEqual(story(7))
    expect(JSON.stringify(story(8))).not.toBe(JSON.stringify(story(7)))
  })

  it.each([1, 2, 42])('of seed %i is that of about 400 alerts with the labels of real ones', (seed) => {
    const told = story(seed)
    const sent = told.steps.flatMap(({ alerts }) => alerts)
    const distinct = new Map(sent.map(({ condition }) => [JSON.stringify(condition.labels), condition]))
    expect(distinct.size).toBe(told.alerts)
    expect(told.alerts).toBeGreaterThan(380)
    for (const { labels, annotations } of distinct.values()) {
      expect(Object.keys(labels).length).toBeGreaterThanOrEqual(8)
      expect(Object.keys(labels).length).toBeLessThanOrEqual(15)
      expect(annotations['summary']).toBeTruthy()
    }
  })

  it('repeats what fires every minute, and says once that it ended', () => {
    const { steps } = story(1)
    const heard = new Map<object, { fired: number[]; ended: number[] }>()
    for (const { at_ms, alerts } of steps) {
      for (const { condition, resolved } of alerts) {
        const times = heard.get(condition) ?? { fired: [], ended: [] }
        heard.set(condition, times)
        times[resolved ? 'ended' : 'fired'].push(at_ms)
      }
    }
    for (const { fired, ended } of heard.values()) {
      expect(fired.slice(1).every((at_ms, i) => at_ms - (fired[i] ?? 0) === 60_000)).toBe(true)
      expect(ended.length).toBeLessThanOrEqual(1)
      expect(ended[0] ?? Infinity).toBeGreaterThan(fired.at(-1) ?? 0)
    }
    expect([...heard.values()].filter(({ ended }) => ended.length === 1).length).toBeGreaterThan(100)
  })
})

describe('tocsin demo', () => {
  let running: Tocsin
  beforeAll(async () => {
    running = await Tocsin.start({ config: RULES })
  })
  afterAll(() => running.remove())

  it('makes three incidents of one outage, one drifting furnace and one failed job that somebody has', async () => {
    const { status, stdout, stderr } = await tocsin(['demo', '--url', running.url, ...FAST])
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(stdout).toMatch(/^412 alerts \(\d+ notifications\) → 3 incidents \(99\.3 % fewer\)\n/)
    expect(stdout).toContain(`Look at them: ${running.url}/`)
    expect(stderr).toContain('db-1 cannot write any more')
    expect(stderr).not.toContain('\r')
    const of = (one: Incident) => [one.scope, one.group, one.state, one.members_total]
    expect((await running.incidents()).map(of)).toEqual(
      expect.arrayContaining([
        [expect.stringContaining('shop-eu-1'), { namespace: 'shop' }, 'open', 388],
        [expect.stringContaining('plant-1'), { alertname: 'FurnaceTemperatureDrift' }, 'open', 21],
        [expect.stringContaining('shop-eu-1'), { namespace: 'billing' }, 'acknowledged', 3],
      ]),
    )
  })

  it('tells the same story again without doing anything twice', async () => {
    const before = await running.incidents()
    const { status, stdout } = await tocsin(['demo', '--url', running.url, ...FAST])
    expect(status).toBe(0)
    expect(stdout).toContain('→ 3 incidents')
    expect((await running.incidents()).map(({ id }) => id).toSorted()).toEqual(
      before.map(({ id }) => id).toSorted(),
    )
  })

  it.each([
    [['--speed', '0'], '--speed 0: expected a number above 0, at most 100000'],
    [['--speed', 'fast'], '--speed fast: expected a number above 0, at most 100000'],
    [['--seed', ''], '--seed : expected a number above 0, at most 4294967295'],
    [['--url', 'localhost:7600'], '--url localhost:7600: expected an address such as http://127.0.0.1:7600'],
  ])('refuses %j', async (options, told) => {
    const { status, stderr } = await tocsin(['demo', '--url', running.url, ...options])
    expect({ status, stderr }).toEqual({ status: 2, stderr: `tocsin: ${told}\n` })
  })

  it('says what to start when nothing answers', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const { status, stderr } = await tocsin(['demo', '--url', url])
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `tocsin: no Tocsin answers at ${url} (ECONNREFUSED): run \`tocsin start\` first, or name its address with --url\n`,
    })
  })

  it('says so when something else answers', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const { status, stderr } = await tocsin(['demo', '--url', url])
    other.close()
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `tocsin: ${url} is not ready (/-/ready answers 404): try again when \`tocsin start\` has said that it is ready\n`,
    })
  })
})

describe('tocsin demo with a token', () => {
  const token = 'tcs_demo'
  let running: Tocsin
  beforeAll(async () => {
    const sha256 = hash('sha256', token, 'hex')
    running = await Tocsin.start({
      config: `${RULES}api: {tokens: [{name: demo, role: admin, sha256: '${sha256}'}]}\n`,
    })
  })
  afterAll(() => running.remove())

  it('names the remedy without one', async () => {
    const { status, stderr } = await tocsin(['demo', '--url', running.url])
    expect(status).toBe(2)
    expect(stderr).toContain(
      `${running.url} refuses PUT /api/v1/topology/demo: set TOCSIN_TOKEN to a token of the role admin`,
    )
  })

  it('sends it', async () => {
    const { status, stdout, stderr } = await tocsin(['demo', '--url', running.url, ...FAST], {
      TOCSIN_TOKEN: token,
    })
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(stdout).toContain('→ 3 incidents')
    expect(stdout + stderr).not.toContain(token)
  })
})
