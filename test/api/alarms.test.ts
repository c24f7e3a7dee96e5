import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../contracts/wait.ts'
import { call, startWorld, type World } from './world.ts'

interface Listed {
  readonly alarms: readonly {
    readonly entity: string
    readonly state: string
    readonly acknowledged_by: string | null
    readonly shelved: { readonly by: string; readonly until_ms: number } | null
    readonly first_out: boolean
  }[]
  readonly counts: Readonly<Record<string, number>>
  readonly total: number
}

describe('alarms of a plant', () => {
  let world: World
  const ids = new Map<string, string>()
  beforeAll(async () => {
    world = await startWorld()
    for (const name of ['plain', 'acked', 'shelved', 'serviced']) {
      const labels = { alertname: `Tank-${name}`, instance: name }
      ids.set(name, (await world.fire({ labels, scope: name, severity: 'high' })).id)
    }
    await world.fire({
      labels: { alertname: 'Tank-plain', instance: 'second' },
      scope: 'plain',
      severity: 'low',
    })
    const command = (name: string, json: object) =>
      call(world.url, `/api/v1/incidents/${ids.get(name)}/commands`, { method: 'POST', json })
    await command('acked', { kind: 'acknowledge' })
    await command('shelved', { kind: 'shelve', until_ms: Date.now() + 3_600_000, comment: 'spare part' })
    const json = { name: 'pump', matchers: ['instance="serviced"'], duration_ms: 60_000, comment: '' }
    await call(world.url, '/api/v1/maintenance', { method: 'POST', json })
    await eventually('all is folded', async () => {
      const { counts } = await list()
      return counts['shelved'] === 1 && counts['out-of-service'] === 1
    })
  })
  afterAll(() => world.close())

  const list = async (query = ''): Promise<Listed> =>
    (await call(world.url, `/api/v1/alarms${query}`)).body as Listed

  it('are in the states of ISA-18.2: unacknowledged first, then most severe', async () => {
    const { alarms, counts, total } = await list()
    expect(alarms.map(({ entity, state }) => [entity, state])).toEqual([
      ['plain', 'UNACK'],
      ['second', 'UNACK'],
      ['acked', 'ACKED'],
    ])
    expect(total).toBe(3)
    expect(counts).toMatchObject({ active: 3, unacked: 2, shelved: 1, 'out-of-service': 1, stale: 0 })
    expect(alarms.map(({ acknowledged_by }) => acknowledged_by)).toEqual([null, null, 'operator'])
  })

  it('say which came first, who put one aside, and until when', async () => {
    const { alarms } = await list('?scope=plain')
    expect(alarms.map(({ first_out }) => first_out)).toEqual([true, false])
    const [shelved] = (await list('?view=shelved')).alarms
    expect(shelved).toMatchObject({ entity: 'shelved', state: 'SHLVD', shelved: { by: 'operator' } })
    expect((await list('?view=out-of-service&q=TANK-SERV')).alarms).toHaveLength(1)
    expect((await list('?view=out-of-service&q=nothing')).alarms).toHaveLength(0)
  })
})
