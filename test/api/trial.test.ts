import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const attempt = (name: string, json: unknown) =>
  call(world.url, `/api/v1/sources/${name}/try`, { method: 'POST', json })

describe('a message that is tried', () => {
  it('shows its alerts as they would be, and what would be rejected', async () => {
    const body = {
      alerts: [
        { status: 'firing', labels: { alertname: 'Down', site: 'hamburg', severity: 'page', host: 'a' } },
        { status: 'firing', labels: {} },
        { status: 'firing', labels: { a: 'x'.repeat(300_000) }, startsAt: '1960-01-01T00:00:00Z' },
      ],
    }
    expect(await attempt('alertmanager-webhook', body)).toMatchObject({
      status: 200,
      body: {
        alerts: [
          {
            ordinal: 0,
            fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
            scope: 'hamburg',
            severity: 'critical',
            entity: 'a',
            source: 'alertmanager-webhook',
          },
        ],
        rejects: [
          { ordinal: 1, code: 'labels-empty' },
          { ordinal: 2, code: 'time-range' },
        ],
        acknowledgements: [],
        dropped: 0,
      },
    })
  })

  it('leaves nothing behind', async () => {
    const before = await Promise.all([world.log.bounds('alerts'), world.log.bounds('deadletters')])
    await attempt('pagerduty', { routing_key: 'k', event_action: 'acknowledge', dedup_key: 'd' })
    await attempt('pagerduty', {})
    expect(await Promise.all([world.log.bounds('alerts'), world.log.bounds('deadletters')])).toEqual(before)
  })

  it('of an unknown source is told so', async () => {
    expect(await attempt('nothing', {})).toMatchObject({
      status: 404,
      body: { error: { code: 'not-found' } },
    })
  })
})
