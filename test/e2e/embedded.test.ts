import { afterEach, describe, expect, it } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
import { Follower } from './follower.ts'
import { type Ask, readHistory } from './history.ts'
import { Load } from './load.ts'
import { pause, Tocsin, until } from './processes.ts'
import { type Received, Receiver } from './receiver.ts'

const SEED = 20_261
const RESTARTS = 6
const TIMEOUT_MS = 240_000

/** Numbers between 0 and 1, the same for the same seed (mulberry32 by Tommy Ettinger, public domain). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Nothing ends by itself while the test runs. */
const config = (webhook_url: string) => `
rules:
  resolve_timeout_ms: 3600000
  growth_interval_ms: 200
history:
  flush_interval_ms: 200
sinks:
  - {name: pager, kind: webhook, url: '${webhook_url}'}
`

interface World {
  readonly receiver: Receiver
  readonly tocsin: Tocsin
  readonly follower: Follower
  readonly load: Load
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A tocsin under load, with a receiver of webhooks and a follower of changes since before the first alert. */
async function underLoad(): Promise<World> {
  const receiver = await Receiver.start(40)
  ends.push(() => receiver.close())
  const tocsin = await Tocsin.start({ config: config(receiver.url) })
  ends.push(() => tocsin.remove())
  const follower = new Follower(tocsin.url)
  ends.push(() => follower.close())
  await until('the follower follows', () => follower.placed)
  const load = new Load(tocsin)
  ends.push(() => load.stop())
  return { receiver, tocsin, follower, load }
}

async function firing(tocsin: Tocsin): Promise<string[]> {
  const alerts = await tocsin.get<{ labels: { instance: string } }[]>('/api/v2/alerts')
  return alerts.map(({ labels }) => labels.instance)
}

/** Every alert in one incident; resolves with the incidents when all of them have been told to the follower and to the webhook. */
async function settledIncidents({ tocsin, load, follower, receiver }: World): Promise<Incident[]> {
  const here = await until('the live view has every alert', async () => {
    const [alerts, incidents] = [await firing(tocsin), await tocsin.incidents()]
    const members = incidents.reduce((sum, { members_total }) => sum + members_total, 0)
    return members === alerts.length && { alerts, incidents }
  })
  expect(new Set(here.alerts).size).toBe(here.alerts.length)
  expect([...load.acknowledged].filter((instance) => !new Set(here.alerts).has(instance))).toEqual([])
  const newest = () => new Map(receiver.received.map(({ incident_id, revision }) => [incident_id, revision]))
  return until('everybody has been told the last revision', async () => {
    const incidents = await tocsin.incidents()
    const told = newest()
    const seen = new Set(follower.changes.map(({ id }) => id))
    return (
      incidents.every(({ id, revision }) => told.get(id) === revision && seen.has(`${id}.${revision}`)) &&
      incidents
    )
  })
}

function upTo(revision: number): number[] {
  return Array.from({ length: revision }, (_, i) => i + 1)
}

function expectNothingMissed(follower: Follower, incidents: readonly Incident[]): void {
  const seen = new Set(follower.changes.map(({ id }) => id))
  const missed = incidents
    .flatMap(({ id, revision }) => upTo(revision).map((n) => `${id}.${n}`))
    .filter((change_id) => !seen.has(change_id))
  expect(follower.resyncs).toBe(0)
  expect(missed).toEqual([])
}

/** Whoever drops what it had by `webhook-id` hears of the beginning of each incident once. */
function expectOneCreation(received: readonly Received[], incidents: readonly Incident[]): void {
  const creations = new Map<string, Set<string>>(incidents.map(({ id }) => [id, new Set()]))
  for (const { kind, incident_id, webhook_id } of received)
    if (kind === 'opened') creations.get(incident_id)?.add(webhook_id)
  expect([...creations.values()].filter(({ size }) => size !== 1)).toEqual([])
}

/** The history has everything that was acknowledged and every change that was told, if not more. */
async function isComplete(ask: Ask, load: Load, incidents: readonly Incident[]): Promise<boolean> {
  const rows = await ask<{ instance: string }>(`SELECT DISTINCT labels['instance'] AS instance FROM alerts`)
  const [changes] = await ask<{ count: number }>(
    'SELECT uniqExact(incident_id, revision) AS count FROM incident_changes',
  )
  const recorded = new Set(rows.map(({ instance }) => instance))
  const expected = incidents.reduce((sum, { revision }) => sum + revision, 0)
  return (
    (changes?.count ?? 0) >= expected && [...load.acknowledged].every((instance) => recorded.has(instance))
  )
}

async function expectExactHistory({ tocsin, load }: World, incidents: readonly Incident[]): Promise<void> {
  const history = await readHistory(tocsin, 'the history is complete', async (ask) => {
    if (!(await isComplete(ask, load, incidents))) return null
    return {
      alerts_twice: await ask(
        `SELECT fingerprint, log_partition, log_position, ordinal FROM alerts GROUP BY ALL HAVING count() > 1`,
      ),
      changes: await ask<{ id: string; revisions: number[] }>(
        `SELECT incident_id AS id, arraySort(groupArray(revision)) AS revisions FROM incident_changes GROUP BY id ORDER BY id`,
      ),
      incidents: await ask(`SELECT id, revision, members_total FROM incidents FINAL ORDER BY id`),
      members: await ask(
        `SELECT incident_id AS id, uniqExact(fingerprint) AS members_total FROM memberships FINAL GROUP BY id ORDER BY id`,
      ),
      alerts_in_two: await ask(
        `SELECT fingerprint FROM memberships GROUP BY fingerprint HAVING uniqExact(incident_id) > 1`,
      ),
    }
  })
  const sorted = incidents.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  expect(history.alerts_twice).toEqual([])
  expect(history.changes).toEqual(sorted.map(({ id, revision }) => ({ id, revisions: upTo(revision) })))
  expect(history.incidents).toEqual(
    sorted.map(({ id, revision, members_total }) => ({ id, revision, members_total })),
  )
  expect(history.members).toEqual(sorted.map(({ id, members_total }) => ({ id, members_total })))
  expect(history.alerts_in_two).toEqual([])
}

describe('an embedded tocsin under load', () => {
  it('loses and doubles nothing when it is killed again and again', { timeout: TIMEOUT_MS }, async () => {
    const world = await underLoad()
    const { tocsin, load, follower, receiver } = world
    const random = numbers(SEED)
    for (let i = 0; i < RESTARTS; i++) {
      const before = load.acknowledged.size
      await until('alerts are acknowledged', () => load.acknowledged.size > before + 200)
      await pause(1_500 * random())
      await tocsin.kill9()
      await tocsin.start()
    }
    await load.stop()
    const incidents = await settledIncidents(world)
    expect(follower.connections).toBeGreaterThan(RESTARTS)
    expectNothingMissed(follower, incidents)
    expectOneCreation(receiver.received, incidents)
    await expectExactHistory(world, incidents)
  })

  it('ends by itself when it is asked to, and has everything that it acknowledged afterwards', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const world = await underLoad()
    const { tocsin, load, follower, receiver } = world
    await until('alerts are acknowledged', () => load.acknowledged.size > 500)
    // Its own bound for a clean end is 9 seconds, and its status is another when that has passed.
    expect(await tocsin.stop()).toBe(0)
    await load.stop()
    await tocsin.start()
    const incidents = await settledIncidents(world)
    expectNothingMissed(follower, incidents)
    expectOneCreation(receiver.received, incidents)
    await expectExactHistory(world, incidents)
  })

  it('starts its ClickHouse again when that dies, and the history has no gap', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const world = await underLoad()
    const { tocsin, load } = world
    const killed = await until('ClickHouse runs', () => tocsin.clickhousePid())
    await until('alerts are acknowledged', () => load.acknowledged.size > 500)
    process.kill(killed, 'SIGKILL')
    const before = load.acknowledged.size
    await until(
      'alerts are acknowledged without ClickHouse or with a new one',
      () => load.acknowledged.size > before + 200,
    )
    const again = await until('ClickHouse runs again', () => tocsin.clickhousePid())
    expect(again).not.toBe(killed)
    const since = load.acknowledged.size
    await until('alerts are acknowledged', () => load.acknowledged.size > since + 200)
    await load.stop()
    await expectExactHistory(world, await settledIncidents(world))
  })
})
