import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../contracts/wait.ts'
import { call, SECRETS, startWorld, TOKENS, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ tokens: TOKENS })
})
afterAll(() => world.close())

/** As Opsgenie's clients ask. */
const ask = (path: string, json?: object, key: string = SECRETS.ingest) =>
  call(world.url, `/v2/alerts${path}`, {
    method: 'POST',
    headers: { authorization: `GenieKey ${key}` },
    ...(json && { json }),
  })
const incidentOf = (alias: string) =>
  [...world.live.all()].find(({ members }) =>
    members.some(({ labels }) => labels['opsgenie_alias'] === alias),
  )
const stateOf = (alias: string, state: string) =>
  eventually(`the incident of ${alias} is ${state}`, () => incidentOf(alias)?.state === state)

describe('the Alert API of Opsgenie', () => {
  it('creates, acknowledges and closes an alert by its alias', async () => {
    expect(await ask('', { message: 'Disk full', alias: 'db 1/disk', priority: 'P1' })).toMatchObject({
      status: 202,
      body: { result: 'Request will be processed', requestId: expect.stringMatching(/\w/) as string },
    })
    await stateOf('db 1/disk', 'open')
    expect(incidentOf('db 1/disk')).toMatchObject({ severity: 'critical', title: 'Disk full' })
    const identifier = `/${encodeURIComponent('db 1/disk')}`
    expect((await ask(`${identifier}/acknowledge?identifierType=alias`, { user: 'ada' })).status).toBe(202)
    await stateOf('db 1/disk', 'acknowledged')
    expect((await ask(`${identifier}/close?identifierType=alias`)).status).toBe(202)
    await stateOf('db 1/disk', 'resolved')
  })

  it('makes up an alias where there is none, and tells it', async () => {
    const { body } = await ask('', { message: 'Nameless' })
    const { alias } = body as { alias: string }
    await stateOf(alias, 'open')
    expect((await ask(`/${alias}/close`, {})).status).toBe(202)
    await stateOf(alias, 'resolved')
  })

  it('refuses what cannot be processed, and strangers', async () => {
    expect(await ask('', { alias: 'x' })).toMatchObject({
      status: 422,
      body: { errors: { body: 'message is missing, not a text' } },
    })
    expect((await ask('', { message: 'x' }, SECRETS.viewer)).status).toBe(403)
    expect((await ask('', { message: 'x' }, 'a-guess')).status).toBe(401)
  })
})
