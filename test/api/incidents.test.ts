import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
import { call, startWorld, type World } from './world.ts'

interface Page {
  readonly incidents: readonly Incident[]
  readonly next_cursor: string | null
  readonly counts: {
    readonly matching: number
    readonly kept: number
    readonly by_state: object
    readonly by_severity: object
  }
}

describe('GET /api/v1/incidents', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
    for (let i = 0; i < 7; i++) {
      await world.fire({
        labels: { alertname: `Alert${i}`, instance: `host-${i}` },
        severity: i % 2 === 0 ? 'critical' : 'low',
        scope: i < 5 ? 'shanghai' : 'berlin',
      })
    }
    const second = [...world.live.all()].find(({ title }) => title.startsWith('Alert1'))
    await call(world.url, `/api/v1/incidents/${second?.id}/commands`, {
      method: 'POST',
      json: { kind: 'acknowledge' },
      headers: { 'x-tocsin-actor': Buffer.from('李雷').toString('latin1') },
    })
  })
  afterAll(() => world.close())

  async function list(query: string): Promise<Page> {
    const { status, body } = await call(world.url, `/api/v1/incidents?${query}`)
    expect({ status, body }).toMatchObject({ status: 200 })
    return body as Page
  }
  const titles = (page: Page) => page.incidents.map(({ title }) => title.split(' ')[0])

  it('puts what needs attention first: open, severe, new', async () => {
    const page = await list('')
    expect(titles(page)).toEqual(['Alert6', 'Alert4', 'Alert2', 'Alert0', 'Alert5', 'Alert3', 'Alert1'])
    expect(page.counts).toEqual({
      matching: 7,
      kept: 7,
      by_state: { open: 6, acknowledged: 1 },
      by_severity: { critical: 4, low: 3 },
    })
    expect(page.next_cursor).toBeNull()
  })

  it('gives every incident exactly once over all pages, in every order', async () => {
    for (const sort of ['attention', 'severity', 'opened', 'updated']) {
      const whole = titles(await list(`sort=${sort}`))
      const pages: (string | undefined)[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Page = await list(`sort=${sort}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
        pages.push(...titles(page))
        cursor = page.next_cursor
      }
      expect(pages).toEqual(whole)
    }
  })

  it.each([
    ['state=acknowledged', ['Alert1']],
    ['state=open&state=acknowledged&scope=berlin', ['Alert6', 'Alert5']],
    ['severity=low,critical&scope=berlin', ['Alert6', 'Alert5']],
    ['severity=low&sort=opened', ['Alert5', 'Alert3', 'Alert1']],
    ['q=HOST-3', ['Alert3']],
    ['q=alert4', ['Alert4']],
    ['q=nothing-has-this', []],
    [`assignee=${encodeURIComponent('李雷')}`, ['Alert1']],
    ['assignee=&severity=low', ['Alert5', 'Alert3']],
    ['scope=nowhere', []],
  ])('%s', async (query, expected) => {
    expect(titles(await list(query))).toEqual(expected)
  })

  it('counts beside a filter as if that filter were left out', async () => {
    const { counts } = await list('state=acknowledged&scope=shanghai')
    expect(counts).toEqual({
      matching: 1,
      kept: 7,
      by_state: { open: 4, acknowledged: 1 },
      by_severity: { low: 1 },
    })
  })

  it('reads one incident, and says which it does not know', async () => {
    const [first] = (await list('limit=1')).incidents
    expect((await call(world.url, `/api/v1/incidents/${first?.id}`)).body).toEqual(first)
    expect(await call(world.url, '/api/v1/incidents/inc_none')).toMatchObject({
      status: 404,
      body: { error: { code: 'incident-unknown', field: 'id' } },
    })
  })
})

describe('the live view', () => {
  it('shows after a start what was folded before, and nothing twice', async () => {
    const world = await startWorld()
    const fired = await world.fire({})
    const { LiveView } = await import('../../api/live_view.ts')
    const later = await LiveView.start({ ...world.parts, closed_max: 10 })
    expect([...later.all()]).toEqual([fired])
    expect(later.cursor()).toBe(world.live.cursor())
    await later.close()
    await world.close()
  })

  it('lets the oldest closed incidents go when there are too many, and counts them', async () => {
    const world = await startWorld({ closed_max: 2 })
    for (let i = 0; i < 4; i++) {
      const { id } = await world.fire({ labels: { alertname: `Alert${i}` } })
      expect(
        (
          await call(world.url, `/api/v1/incidents/${id}/commands`, {
            method: 'POST',
            json: { kind: 'resolve' },
          })
        ).status,
      ).toBe(200)
    }
    const { body } = await call(world.url, '/api/v1/incidents?sort=opened')
    expect((body as Page).incidents.map(({ title }) => title)).toEqual(['Alert3', 'Alert2'])
    expect(body).toMatchObject({ losses: { evicted: 2, unreadable: 0 } })
    await world.close()
  })
})
