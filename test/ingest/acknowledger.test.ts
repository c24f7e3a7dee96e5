import { beforeEach, describe, expect, it } from 'vitest'
import { Acknowledger } from '../../ingest/acknowledger.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { decodeRecord } from '../../schemas/codec.ts'
import { alertFingerprint, partitionOf } from '../../schemas/ids.ts'
import { KeptLog } from './kept_log.ts'
import { DEFAULTS } from './settings.ts'

const IDENTITY = { dedup_key: 'disk', site: 'hamburg' }
const FINGERPRINT = alertFingerprint('hamburg', IDENTITY)
const PARTITION = partitionOf('hamburg', 4)
const SHARD = `correlate/alerts/${PARTITION}`
/** Of the newest alert that this process took in. */
const APPENDED = 7

let store: MemoryStore
let log: KeptLog
let sleeps: number
let onSleep: () => Promise<void>

beforeEach(() => {
  store = new MemoryStore()
  log = new KeptLog(4)
  sleeps = 0
  onSleep = async () => {}
})

/** What the correlator commits once it has folded everything before `position`. */
async function folded(position: number, alert: object, state: string): Promise<void> {
  const { version } = await store.claim(SHARD, 'token')
  const rows = new Map([
    [`a/${FINGERPRINT}`, JSON.stringify({ firing: true, dismissed: false, incident_id: 'inc_1', ...alert })],
    ['i/inc_1', JSON.stringify({ incident: { state } })],
  ])
  const put = new Map([...rows].map(([key, text]) => [key, Buffer.from(text)]))
  await store.commit(SHARD, { token: 'token', version, position, put, delete: new Set() })
}

function settle() {
  const clock = {
    now: () => 0,
    token: () => 'token',
    sleep: async () => {
      sleeps++
      await onSleep()
    },
  }
  const intake = { appended: () => new Map([[PARTITION, APPENDED]]) }
  const acknowledger = new Acknowledger({ log, store, clock, config: DEFAULTS, intake })
  return acknowledger.settle([{ ordinal: 3, identity: IDENTITY, by: 'ada' }], (ordinal) => `id-${ordinal}`)
}
const commands = () => log.appends.map(({ partition, value }) => ({ partition, record: decodeRecord(value) }))

describe('an acknowledgement', () => {
  it('becomes a command on the incident of its alert, in the partition of its scope', async () => {
    await folded(APPENDED + 1, {}, 'open')
    expect(await settle()).toEqual([])
    expect(commands()).toEqual([
      {
        partition: PARTITION,
        record: {
          kind: 'command',
          command: { id: 'id-3', actor: 'ada', body: { kind: 'acknowledge', incident_id: 'inc_1' } },
        },
      },
    ])
  })

  it('waits until what this process took in before is folded', async () => {
    await folded(APPENDED, { firing: false }, 'open')
    onSleep = async () => {
      if (sleeps === 5) await folded(APPENDED + 1, {}, 'open')
    }
    expect(await settle()).toEqual([])
    expect(commands()).toHaveLength(1)
  })

  it('is to be sent again when the correlator stays behind', async () => {
    await folded(APPENDED, {}, 'open')
    await expect(settle()).rejects.toMatchObject({ code: 'correlator-behind' })
    expect(commands()).toEqual([])
  })

  it.each(['acknowledged', 'mitigated', 'resolved'])('of what is %s asks for nothing', async (state) => {
    await folded(APPENDED + 1, {}, state)
    expect(await settle()).toEqual([])
    expect(commands()).toEqual([])
  })

  it.each([
    ['has ended', { firing: false }],
    ['an operator dismissed', { dismissed: true }],
  ])('of an alert that %s is rejected', async (_what, alert) => {
    await folded(APPENDED + 1, alert, 'open')
    expect(await settle()).toMatchObject([{ ordinal: 3, code: 'acknowledge-unknown' }])
    expect(commands()).toEqual([])
  })
})
