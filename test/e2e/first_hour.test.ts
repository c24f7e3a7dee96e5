import { afterEach, expect, it } from 'vitest'
import type { Summary } from '../../schemas/analytics.ts'
import type { Incident } from '../../schemas/incident.ts'
import {
  callRequestTracker,
  clickhouse,
  createQueue,
  describeWith,
  kafka,
  redis,
  requestTracker,
  type RequestTrackerAddress,
  uniqueName,
} from '../services/index.ts'
import { readRows, wholeStory } from './first_hour_rows.ts'
import { askAt, readHistory } from '../installation/history.ts'
import { fileOfFirstHour, type Monitoring, needPrometheus, startMonitoring } from './monitoring.ts'
import { exec, Tocsin, until } from '../installation/processes.ts'

const TIMEOUT_MS = 240_000

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface World {
  readonly tocsin: Tocsin
  readonly monitoring: Monitoring
  readonly tracker: RequestTrackerAddress
  readonly queue: string
}

/** The walk-through's parts at addresses of their own; `mode` is more text for the configuration. */
async function start(
  tracker: RequestTrackerAddress,
  mode = '',
  secrets: Readonly<Record<string, string>> = {},
): Promise<World> {
  const queue = await createQueue(tracker)
  const replacements = {
    'http://127.0.0.1:8191': tracker.url,
    'queue: General': `queue: ${queue}`,
    'username: root': `username: ${tracker.username}`,
  }
  const config = `${await fileOfFirstHour('tocsin.yaml', replacements)}\nhistory: {flush_interval_ms: 200}\n${mode}`
  const tocsin = await Tocsin.start({ config, environment: { ...secrets, RT_PASSWORD: tracker.password } })
  ends.push(() => tocsin.remove())
  const monitoring = await startMonitoring(tocsin.url.replace('http://', ''))
  ends.push(() => monitoring.stop())
  return { tocsin, monitoring, tracker, queue }
}

/** The incident of a service; throws when there are two. */
async function incidentOf(tocsin: Tocsin, service: string): Promise<Incident | undefined> {
  const found = (await tocsin.incidents()).filter(({ group }) => group['service'] === service)
  if (found.length > 1) throw new Error(`${found.length} incidents of ${service}`)
  return found[0]
}

const names = (incident: Incident) =>
  incident.members.map(({ labels }) => `${labels['alertname']} ${labels['queue'] ?? ''}`.trim()).sort()

async function json<T>(response: Response): Promise<T> {
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

interface Ticket {
  readonly id: number
  readonly Subject: string
  readonly Status: string
}

async function ticketsOf({ tracker, queue }: World): Promise<Ticket[]> {
  const query = encodeURIComponent(`Queue = '${queue}'`)
  const { items } = await json<{ items: { id: string }[] }>(
    await callRequestTracker(tracker, 'GET', `tickets?query=${query}`),
  )
  return Promise.all(
    items.map(async ({ id }) => json<Ticket>(await callRequestTracker(tracker, 'GET', `ticket/${id}`))),
  )
}

/** What the ticket says, oldest first. */
async function textsOf({ tracker }: World, id: number): Promise<string[]> {
  const response = await callRequestTracker(
    tracker,
    'GET',
    `ticket/${id}/attachments?fields=Content&per_page=100`,
  )
  const { items } = await json<{ items: { Content: string }[] }>(response)
  return items.map(({ Content }) => Content)
}

async function amtool(tocsin: Tocsin, ...args: string[]): Promise<string> {
  const { stdout } = await exec('amtool', [`--alertmanager.url=${tocsin.url}`, ...args])
  return stdout
}

/** Two queues grow: three alerts of two kinds come, and are one incident. */
async function somethingBreaks({ tocsin, monitoring }: World): Promise<Incident> {
  const before_ms = Date.now()
  await monitoring.setQueue('orders', 500)
  const opened = await until('an incident of the shop is open', () => incidentOf(tocsin, 'shop'))
  expect(opened).toMatchObject({ state: 'open', severity: 'critical', rule: 'by-service' })
  expect(opened.opened_at_ms).toBeGreaterThanOrEqual(before_ms)
  expect(opened.opened_at_ms).toBeLessThanOrEqual(Date.now())
  await monitoring.setQueue('payments', 200)
  const grown = await until('all alerts of the shop are in it', async () => {
    const incident = await incidentOf(tocsin, 'shop')
    return incident?.members_total === 3 && incident
  })
  expect(grown.id).toBe(opened.id)
  expect(names(grown)).toEqual(['CheckoutSlow', 'QueueLong orders', 'QueueLong payments'])
  expect(grown.members.map(({ reason }) => reason.rule)).toEqual(['by-service', 'by-service', 'by-service'])
  return grown
}

async function oneTicketTellsIt(world: World, { id, title }: Incident): Promise<Ticket> {
  const ticket = await until('there is a ticket', async () => (await ticketsOf(world))[0])
  expect(ticket.Subject).toBe(`[critical] ${title}`)
  const [text] = await textsOf(world, ticket.id)
  expect(text).toContain('Severity:  critical')
  expect(text).toContain('Together:  service=shop (rule by-service)')
  expect(text).toContain(id)
  const linked = await until('the incident names its ticket in the list of deliveries', async () => {
    const { deliveries } = await world.tocsin.get<{ deliveries: { external_id: string | null }[] }>(
      `/api/v1/deliveries?incident_id=${id}`,
    )
    return deliveries.find(({ external_id }) => external_id !== null)
  })
  expect(linked.external_id).toBe(String(ticket.id))
  return ticket
}

/** Nobody scrapes a node exporter here: an alert of Prometheus' own, too slight for a ticket, and silenced with amtool. */
async function amtoolSilences({ tocsin }: World): Promise<void> {
  await until('the target that is down is an incident', () => incidentOf(tocsin, 'monitoring'))
  const all = await amtool(tocsin, 'alert', 'query')
  expect(all).toContain('TargetDown')
  expect(all).toContain('orders wait in the queue payments')
  const added = await amtool(
    tocsin,
    'silence',
    'add',
    'alertname=TargetDown',
    'job=node',
    '--author',
    'ada',
    '--comment',
    'no exporter here',
    '--duration',
    '1h',
  )
  expect(await amtool(tocsin, 'silence', 'query', '--quiet')).toBe(added)
  await until('the incident is silenced', async () => (await incidentOf(tocsin, 'monitoring'))?.suppressed)
  expect(await amtool(tocsin, 'alert', 'query', 'service=monitoring')).not.toContain('TargetDown')
  expect(await amtool(tocsin, 'alert', 'query', '--silenced', 'service=monitoring')).toContain('TargetDown')
}

async function somebodyAcknowledges(world: World, id: string, ticket: Ticket): Promise<void> {
  const acknowledged = await world.tocsin.post(`/api/v1/incidents/${id}/commands`, { kind: 'acknowledge' })
  expect(acknowledged.status).toBe(200)
  const commented = await world.tocsin.post(`/api/v1/incidents/${id}/commands`, {
    kind: 'comment',
    comment: 'Payment workers doubled',
  })
  expect(commented.status).toBe(200)
  await until('the ticket tells it', async () => {
    const text = (await textsOf(world, ticket.id)).join('\n')
    return text.includes('State: open → acknowledged') && text.includes('Payment workers doubled')
  })
  const tickets = await ticketsOf(world)
  expect(tickets.map(({ Status }) => Status)).toEqual(['open'])
}

async function itIsOver(world: World, id: string): Promise<Incident> {
  const before_ms = Date.now()
  await world.monitoring.setQueue('orders', 3)
  await world.monitoring.setQueue('payments', 1)
  const resolved = await until('the incident is resolved', async () => {
    const incident = await incidentOf(world.tocsin, 'shop')
    return incident?.state === 'resolved' && incident
  })
  expect(resolved).toMatchObject({ id, members_total: 3, members_firing: 0, reopened: 0 })
  expect(resolved.resolved_at_ms).toBeGreaterThanOrEqual(before_ms)
  expect(resolved.resolved_at_ms).toBeLessThanOrEqual(Date.now())
  await until('the ticket is resolved', async () =>
    (await ticketsOf(world)).every(({ Status }) => Status === 'resolved'),
  )
  expect(await ticketsOf(world)).toHaveLength(1)
  return resolved
}

/** Durations of the summary are whole seconds, rounded up. */
const seconds_ms = (from_ms: number, to_ms: number | null) =>
  Math.ceil(((to_ms ?? Number.NaN) - from_ms) / 1_000) * 1_000

async function analyticsCount(
  { tocsin }: World,
  { opened_at_ms, acknowledged_at_ms, resolved_at_ms }: Incident,
): Promise<void> {
  const path = '/api/v1/analytics/summary?severity=critical'
  const summary = await until('the history counts it as resolved', async () => {
    const found = await tocsin.get<Summary>(path)
    return found.time_to_resolve.median_ms !== null && found
  })
  expect(summary.incidents).toEqual({ opened: 1, merged: 0, reopened: 0 })
  expect(summary.time_to_acknowledge).toMatchObject({
    n: 1,
    open: 0,
    median_ms: seconds_ms(opened_at_ms, acknowledged_at_ms),
  })
  expect(summary.time_to_resolve).toMatchObject({
    n: 1,
    open: 0,
    median_ms: seconds_ms(opened_at_ms, resolved_at_ms),
  })
  expect(summary.never_acknowledged_share).toBe(0)
}

/** The steps of docs/first-hour.md; resolves with the incident as it was in the end. */
async function firstHour(world: World): Promise<Incident> {
  const incident = await somethingBreaks(world)
  const ticket = await oneTicketTellsIt(world, incident)
  await amtoolSilences(world)
  await somebodyAcknowledges(world, incident.id, ticket)
  const resolved = await itIsOver(world, incident.id)
  await analyticsCount(world, resolved)
  return resolved
}

async function withPrometheus<T>(acquire: () => Promise<T>): Promise<T> {
  needPrometheus()
  return acquire()
}

await describeWith(
  () => withPrometheus(requestTracker),
  'the first hour of an embedded tocsin',
  (tracker) => {
    it('turns what Prometheus sees into one incident, one ticket and its history', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const world = await start(tracker)
      const incident = await firstHour(world)
      const rows = await readHistory(world.tocsin, 'the history is complete', (ask) =>
        readRows(ask, incident),
      )
      expect(rows).toEqual(wholeStory(incident))
    })
  },
)

const services = async () => ({
  tracker: await requestTracker(),
  kafka: await kafka(),
  redis: await redis(),
  clickhouse: await clickhouse(),
})

await describeWith(
  () => withPrometheus(services),
  'the first hour of a distributed tocsin',
  (given) => {
    it('turns what Prometheus sees into one incident, one ticket and its history', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const own = uniqueName('first_hour')
      const { url, username } = given.clickhouse
      const mode = [
        'mode: distributed',
        'partitions: 2',
        `kafka: {brokers: [${given.kafka.brokers.join(', ')}], topic_prefix: '${own}.'}`,
        `redis: {url: 'redis://${given.redis.host}:${given.redis.port}', key_prefix: '${own}:'}`,
        `clickhouse: {url: '${url}', username: ${username}, password: {env: CLICKHOUSE_PASSWORD}, database: ${own}}`,
      ].join('\n')
      const world = await start(given.tracker, mode, { CLICKHOUSE_PASSWORD: given.clickhouse.password })
      const incident = await firstHour(world)
      const ask = askAt(given.clickhouse, own)
      const rows = await until('the history is complete', () => readRows(ask, incident))
      expect(rows).toEqual(wholeStory(incident))
    })
  },
)
