import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../contracts/wait.ts'
import { call, SECRETS, startWorld, TOKENS, type World } from './world.ts'

describe('changes told over HTTP', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ tokens: TOKENS })
  })
  afterAll(() => world.close())

  const as = (role: keyof typeof SECRETS) => ({ headers: { authorization: `Bearer ${SECRETS[role]}` } })
  const tell = (json: unknown, role: keyof typeof SECRETS = 'ingest') =>
    call(world.url, '/api/v1/change-events', { method: 'POST', json, ...as(role) })

  it('become a cause of the incident that opens soon after', async () => {
    const { status } = await tell({ entity: 'web', text: 'web 7 deployed' })
    expect(status).toBe(200)
    const labels = { alertname: 'Slow', severity: 'high' }
    await call(world.url, '/api/v2/alerts', {
      method: 'POST',
      ...as('ingest'),
      json: ['web', 'mail'].map((service) => ({ labels: { ...labels, service } })),
    })
    await eventually('the deployment is named', async () => {
      const { body } = await call(world.url, '/api/v1/incidents', as('viewer'))
      return JSON.stringify(body).includes('web 7 deployed')
    })
  })

  it('are refused where something is wrong, by the name of the field, and from those who may not tell', async () => {
    const { status, body } = await tell({ entity: '', text: 'x' })
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('entity')])
    expect((await tell({ entity: 'web', text: 'x', when: 1 })).status).toBe(422)
    expect((await tell({ entity: 'web', text: 'x' }, 'viewer')).status).toBe(403)
  })
})
