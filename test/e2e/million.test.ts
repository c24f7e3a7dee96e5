import { afterAll, beforeAll, expect, it } from 'vitest'
import type { DeliveryRow } from '../../notify/delivery.ts'
import { type Expected, expectedGroups, keyOf } from '../reference/groups.ts'
import { alertsOfProof, callRequestTracker, describeWith } from '../services/index.ts'
import { readHistory } from '../installation/history.ts'
import { Ledger } from '../installation/ledger.ts'
import { GROUP_BY, Stream, type StreamMessage } from './million_stream.ts'
import { RULES, startWorld, type World } from './million_world.ts'
import { Tocsin } from '../installation/processes.ts'

const DISTINCT = 20_000
const TIMEOUT_MS = 3_600_000

/** Two workers take everything, while one of them and the broker are killed. */
async function undergone({ installation }: World, stream: Stream): Promise<readonly DeliveryRow[]> {
  const { workers, services } = installation
  expect(await installation.produce(stream.firing())).toBe(stream.total)
  await Promise.all([installation.startWorker(), installation.startWorker()])
  await installation.taken(0.3)
  await workers[0]?.kill9()
  await workers[0]?.start()
  await installation.taken(0.6)
  await services.kafka.kill9()
  await services.kafka.restart()
  // A resolution that overtakes a statement in another partition would not be the last word.
  await installation.taken(1)
  expect(await installation.produce(stream.resolving())).toBe(DISTINCT)
  return installation.drained()
}

type Labels = Readonly<Record<string, string>>

interface Group {
  /** Key of its grouping labels. */
  readonly group: string
  readonly state: string
  readonly alerts: Iterable<string>
}

/** Groups with their members and final states, as text to compare. */
function groupsOf(incidents: Iterable<Group>): string[] {
  return [...incidents]
    .map(({ group, state, alerts }) => JSON.stringify([group, state, [...alerts].sort()]))
    .sort()
}

function groupsExpected({ groups }: Expected): string[] {
  return groupsOf([...groups].map(([group, { alerts, state }]) => ({ group, alerts, state })))
}

const TITLE = `${alertsOfProof()} alerts through two workers, one of them and the broker killed`
await describeWith(startWorld, TITLE, (world) => {
  const { installation } = world
  const stream = new Stream(alertsOfProof(), DISTINCT)
  const expected = expectedGroups(stream.statements(), GROUP_BY)
  let deliveries: readonly DeliveryRow[] = []
  let ledger: Ledger

  beforeAll(async () => {
    deliveries = await undergone(world, stream)
    ledger = await Ledger.read(installation.services.kafka.brokers, installation.topic_prefix, (topic) =>
      installation.lag.ends(topic),
    )
  }, TIMEOUT_MS)
  afterAll(() => world.remove(), TIMEOUT_MS)

  const finalRevisions = () =>
    Object.fromEntries([...ledger.incidents].map(([id, { revision }]) => [id, revision]))

  it('puts every alert into exactly one incident, with those that share its labels, and resolves all', () => {
    expect(groupsOf(ledger.incidents.values())).toEqual(groupsExpected(expected))
    const homes = [...ledger.incidents.values()].reduce((sum, { alerts }) => sum + alerts.size, 0)
    expect(homes).toBe(DISTINCT)
    expect(ledger.unassigned).toEqual([])
  })

  it('publishes what the alerts log comes to by a replay, byte for byte', () => {
    expect(ledger.gaps).toEqual([])
    expect(ledger.contradictions).toEqual([])
    expect(ledger.differences()).toEqual([])
  })

  it('has every statement in the history once', async () => {
    const rows = await installation.ask<{ labels: Record<string, string>; statements: number }>(
      `SELECT any(labels) AS labels, sum(statements) AS statements
       FROM alert_statements LEFT ANY JOIN (SELECT DISTINCT fingerprint, labels FROM alerts) AS told USING fingerprint
       GROUP BY fingerprint`,
    )
    const recorded = new Map(rows.map(({ labels, statements }) => [keyOf(labels), statements]))
    const wrong = [...expected.occurrences].filter(([alert, count]) => recorded.get(alert) !== count)
    expect(wrong).toEqual([])
    expect(recorded.size).toBe(DISTINCT)
    expect([...recorded.values()].reduce((sum, count) => sum + count, 0)).toBe(stream.total + DISTINCT)
  })

  it('has every change, summary and membership in the history', async () => {
    const changes = await installation.ask<{ id: string }>('SELECT id FROM incident_changes')
    expect(changes.map(({ id }) => id).sort()).toEqual([...ledger.changes.keys()].sort())
    const summaries = await installation.ask<{ id: string; revision: number; state: string }>(
      'SELECT id, revision, state FROM incidents FINAL',
    )
    expect(Object.fromEntries(summaries.map(({ id, revision }) => [id, revision]))).toEqual(finalRevisions())
    expect(summaries.filter(({ state }) => state !== 'resolved')).toEqual([])
    const members = await installation.ask<{
      incident_id: string
      labels: Record<string, string>
      ended_at: string | null
    }>('SELECT incident_id, labels, ended_at FROM memberships FINAL')
    const told = [...ledger.incidents].flatMap(([id, { alerts }]) =>
      [...alerts].map((alert) => `${id} ${alert}`),
    )
    expect(members.map(({ incident_id, labels }) => `${incident_id} ${keyOf(labels)}`).sort()).toEqual(
      told.sort(),
    )
    expect(members.filter(({ ended_at }) => ended_at === null)).toEqual([])
  })

  it('tells the webhook of every incident once that it opened, and last its last revision', () => {
    const { taken, refused } = world.receiver
    expect(refused).toBeGreaterThan(0)
    const opened = Map.groupBy(
      taken.filter(({ kind }) => kind === 'opened'),
      ({ incident_id }) => incident_id,
    )
    const creations = [...opened].map(([id, tellings]) => [
      id,
      new Set(tellings.map(({ webhook_id }) => webhook_id)).size,
    ])
    expect(Object.fromEntries(creations)).toEqual(
      Object.fromEntries([...ledger.incidents.keys()].map((id) => [id, 1])),
    )
    const last = Object.fromEntries(taken.map(({ incident_id, revision }) => [incident_id, revision]))
    expect(last).toEqual(finalRevisions())
    const pager = deliveries.filter(({ sink }) => sink === 'pager')
    expect(Object.fromEntries(pager.map(({ incident_id, told }) => [incident_id, told?.revision]))).toEqual(
      finalRevisions(),
    )
  })

  it('has one ticket for every critical incident', async () => {
    const critical = [...ledger.incidents]
      .filter(([, { severity }]) => severity === 'critical')
      .map(([id]) => `urn:tocsin:incident:${id}`)
    expect(critical).not.toEqual([])
    expect((await ticketLinks(world)).sort()).toEqual(critical.sort())
  })

  it('comes to the same in one process without any service', { timeout: TIMEOUT_MS }, async () => {
    const embedded = await Tocsin.start({ config: RULES })
    try {
      await post(embedded, stream)
      const found = await readHistory(embedded, 'every incident is resolved in the history', async (ask) => {
        const incidents = await ask<{ id: string; state: string; group_labels: Labels }>(
          'SELECT id, group_labels, state FROM incidents FINAL',
        )
        const members = await ask<{ incident_id: string; labels: Labels }>(
          'SELECT incident_id, labels FROM memberships FINAL',
        )
        const resolved = incidents.filter(({ state }) => state === 'resolved')
        if (resolved.length < expected.groups.size) return null
        const alerts = Map.groupBy(members, ({ incident_id }) => incident_id)
        return incidents.map(({ id, state, group_labels }) => ({
          group: keyOf(group_labels),
          state,
          alerts: (alerts.get(id) ?? []).map(({ labels }) => keyOf(labels)),
        }))
      })
      expect(groupsOf(found)).toEqual(groupsExpected(expected))
    } finally {
      await embedded.remove()
    }
  })
})

/** Incidents that the tickets of the queue refer to, one for each ticket. */
async function ticketLinks({ tracker, queue }: World): Promise<string[]> {
  const query = encodeURIComponent(`Queue = '${queue}'`)
  const found = await callRequestTracker(tracker, 'GET', `tickets?query=${query}&per_page=100`)
  const { items } = (await found.json()) as { items: { id: string }[] }
  const links: string[] = []
  for (const { id } of items) {
    const ticket = (await (await callRequestTracker(tracker, 'GET', `ticket/${id}`)).json()) as {
      _hyperlinks: { ref: string; _url?: string }[]
    }
    links.push(ticket._hyperlinks.find(({ ref }) => ref === 'refers-to')?._url ?? '')
  }
  return links
}

const REQUEST_MESSAGES = 20

/** The same alerts in the same order, those of several messages in one request. */
async function post(tocsin: Tocsin, stream: Stream): Promise<void> {
  for (const phase of [stream.firing(), stream.resolving()]) {
    const waiting: StreamMessage[] = []
    for (const message of phase) {
      waiting.push(message)
      if (waiting.length === REQUEST_MESSAGES) await postAll(tocsin, waiting.splice(0))
    }
    if (waiting.length > 0) await postAll(tocsin, waiting)
  }
}

async function postAll(tocsin: Tocsin, messages: readonly StreamMessage[]): Promise<void> {
  const response = await tocsin.post(
    '/api/v2/alerts',
    messages.flatMap(({ sent }) => sent),
  )
  expect(response.status).toBe(200)
  await response.arrayBuffer()
}
