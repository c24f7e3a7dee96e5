import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { similarTo } from '../../analytics/queries/similar.ts'
import { type SimilarQuestion, similarIncidents } from '../../schemas/similar.ts'
import type { Incident, Member } from '../../schemas/incident.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { Owner, Shard } from './driver.ts'
import { changeEntry, changeOf, incidentOf, memberOf, NOON_MS } from './fixtures.ts'
import { openHistory } from './place.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOW: SimilarQuestion = { incident_id: 'now', scope: 'plant-1', opened_at_ms: NOON_MS, limit: 5 }

/** Alerts by alertname and entity; each entity `shop-1` is of the service `shop`. */
function membersOf(opened_at_ms: number, ...alerts: readonly string[]): Member[] {
  return alerts.map((text, i) => {
    const [alertname = '', entity = ''] = text.split(' ')
    const fingerprint = Buffer.from(text).toString('hex').padEnd(32, '0').slice(-32)
    const labels = {
      alertname,
      service: entity.replace(/-\d$/, ''),
      severity: 'critical',
      message: `it is ${opened_at_ms}`,
    }
    return memberOf(i, { fingerprint, entity, labels, joined_at_ms: opened_at_ms })
  })
}

interface Earlier {
  readonly id: string
  readonly days_ago: number
  readonly alerts: readonly string[]
  readonly more?: Partial<Incident>
}

const NOTE = { actor: 'ada', revision: 2 }
const EARLIER: readonly Earlier[] = [
  {
    id: 'same',
    days_ago: 3,
    alerts: ['Down db-1', 'Slow shop-1', 'Slow shop-2'],
    more: {
      title: 'Down on db-1',
      assignee: 'ada',
      tickets: [{ sink: 'rt', external_id: '17', url: 'https://rt.example.org/17' }],
      timeline: [
        { at_ms: NOON_MS, kind: 'opened', text: 'Opened.', ...NOTE },
        { at_ms: NOON_MS + 1, kind: 'commented', text: 'Restarted db-1.', ...NOTE },
        { at_ms: NOON_MS + 2, kind: 'resolved', text: 'All alerts have resolved.', ...NOTE, actor: 'tocsin' },
      ],
    },
  },
  { id: 'half', days_ago: 2, alerts: ['Down db-1', 'Full db-1'] },
  // What every incident has counts little: here it is all that is shared.
  { id: 'common', days_ago: 1, alerts: ['Slow shop-1', 'Hot rack-1'] },
  { id: 'common-2', days_ago: 4, alerts: ['Slow shop-1', 'Hot rack-2'] },
  { id: 'common-3', days_ago: 5, alerts: ['Slow shop-1', 'Hot rack-3'] },
  { id: 'other-pods', days_ago: 6, alerts: ['Down db-2', 'Slow shop-3'] },
  { id: 'nothing', days_ago: 7, alerts: ['Cold oven-1'] },
  {
    id: 'open-still',
    days_ago: 1,
    alerts: ['Down db-1', 'Slow shop-1'],
    more: { resolved_at_ms: null, state: 'open' },
  },
  { id: 'merged', days_ago: 1, alerts: ['Down db-1', 'Slow shop-1'], more: { state: 'merged' } },
  { id: 'elsewhere', days_ago: 1, alerts: ['Down db-1', 'Slow shop-1'], more: { scope: 'plant-2' } },
  { id: 'too-old', days_ago: 366, alerts: ['Down db-1', 'Slow shop-1'] },
  { id: 'later', days_ago: -1, alerts: ['Down db-1', 'Slow shop-1'] },
]

function entries() {
  const earlier = EARLIER.map(({ id, days_ago, alerts, more }) => {
    const opened_at_ms = NOON_MS - days_ago * DAY_MS
    const incident = incidentOf(id, {
      opened_at_ms,
      updated_at_ms: opened_at_ms,
      state: 'resolved',
      resolved_at_ms: opened_at_ms + 2 * HOUR_MS,
      revision: 2,
      ...more,
    })
    return { incident, alerts, opened_at_ms }
  })
  const now = { incident: incidentOf('now'), alerts: ['Down db-1', 'Slow shop-1'], opened_at_ms: NOON_MS }
  return [...earlier, now].map(({ incident, alerts, opened_at_ms }, position) =>
    changeEntry(
      position,
      changeOf(incident, { memberships: { joined: membersOf(opened_at_ms, ...alerts), ended: [] } }),
    ),
  )
}

await describeWith(clickhouse, 'earlier incidents like one', (address) => {
  let history: History
  let client: ClickHouseClient
  beforeAll(async () => {
    ;({ history, client } = await openHistory(address))
    await (await new Owner(new Shard(), { topic: 'incidents', client }).claim()).read(entries())
  })
  afterAll(() => history.close())

  it('are those that resolved before in its scope, by rare alerts in common, then by labels', async () => {
    const found = await similarTo(client, NOW)
    expect(similarIncidents.parse(found)).toEqual(found)
    expect(found.alerts_compared).toBe(2)
    // Down on db-1 is in 3 of 8, Slow on shop-1 in 5 of 8, Slow on shop-2 and Full on db-1 in one.
    const [down, slow, once] = [Math.log(1 + 8 / 3), Math.log(1 + 8 / 5), Math.log(1 + 8 / 1)] as const
    const rounded = (value: number) => Number(value.toFixed(3))
    expect(found.incidents.map(({ id, similarity }) => [id, similarity])).toEqual([
      ['same', rounded((down + slow) / (down + slow + once))],
      ['half', rounded(down / (down + slow + once))],
      ['common', rounded(slow / (down + slow + once))],
      ['common-2', rounded(slow / (down + slow + once))],
      ['common-3', rounded(slow / (down + slow + once))],
    ])
  })

  it('are told with what they share and how they were resolved', async () => {
    const [first] = (await similarTo(client, NOW)).incidents
    expect(first).toMatchObject({
      title: 'Down on db-1',
      opened_at_ms: NOON_MS - 3 * DAY_MS,
      time_to_resolve_ms: 2 * HOUR_MS,
      shared: ['2 alerts: Down on db-1, Slow on shop-1', expect.stringMatching(/^the labels .*service=db/)],
      resolution: [
        { kind: 'commented', actor: 'ada', text: 'Restarted db-1.' },
        { kind: 'resolved', actor: 'tocsin' },
      ],
      assignee: 'ada',
      tickets: [{ sink: 'rt', external_id: '17', url: 'https://rt.example.org/17' }],
    })
    expect(JSON.stringify(first?.shared)).not.toMatch(/severity|message/)
  })

  it('are found by labels alone when no alert is the same', async () => {
    const found = await similarTo(client, { ...NOW, limit: 20 })
    expect(found.incidents.at(-1)).toMatchObject({
      id: 'other-pods',
      similarity: 0,
      similarity_of_labels: 1,
      shared: [expect.stringContaining('service=shop')],
    })
    expect(found.incidents).toHaveLength(6)
  })

  it('are looked for among the newest 2,000', async () => {
    const question = { ...NOW, incident_id: 'crowded', scope: 'crowd' }
    const entry = (position: number, id: string, days_ago: number, resolved: boolean) => {
      const opened_at_ms = NOON_MS - days_ago * DAY_MS
      const resolved_at_ms = resolved ? opened_at_ms : null
      const incident = incidentOf(id, {
        scope: 'crowd',
        opened_at_ms,
        updated_at_ms: opened_at_ms,
        resolved_at_ms,
      })
      const joined = membersOf(opened_at_ms, 'Down db-1')
      return changeEntry(position, changeOf(incident, { memberships: { joined, ended: [] } }))
    }
    const shard = new Shard()
    await (await new Owner(shard, { topic: 'incidents', partition: 1, client }).claim()).read([
      entry(0, 'hidden', 9, true),
      entry(1, 'crowded', 0, false),
    ])
    const ids = async () => (await similarTo(client, question)).incidents.map(({ id }) => id)
    expect(await ids()).toEqual(['hidden'])
    await client.command({
      query: `INSERT INTO incidents (id, revision, scope, state, opened_at, resolved_at)
              SELECT concat('crowd-', toString(number)), 1, 'crowd', 'resolved', at, at
              FROM (SELECT number, fromUnixTimestamp64Milli(toInt64({at_ms:Int64} + number), 'UTC') AS at FROM numbers(2000))`,
      query_params: { at_ms: NOON_MS - DAY_MS },
    })
    expect(await ids()).toEqual([])
  })

  it('are none while the history does not know the incident, whatever it is called', async () => {
    for (const incident_id of ['unknown', "it's {id:String}"])
      expect(await similarTo(client, { ...NOW, incident_id })).toEqual({
        incident_id,
        alerts_compared: 0,
        incidents: [],
      })
  })
})
