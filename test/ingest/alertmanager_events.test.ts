import { describe, expect, it } from 'vitest'
import { FORMATS } from '../../ingest/sources/formats.ts'
import { ALERTMANAGER_EVENTS, OTHER_ALERTMANAGER_EVENTS } from './format_seeds.ts'
import { NOW_MS } from './source_server.ts'

const EXPIRE_MS = 3_600_000
const decode = (text: string) =>
  FORMATS['alertmanager-events'](
    { body: Buffer.from(text), headers: {}, at_ms: NOW_MS },
    { expire_after_ms: EXPIRE_MS },
  )
const [CREATED, GROUPED, NOTIFIED, RESOLVED] = ALERTMANAGER_EVENTS.map((event) => JSON.stringify(event))

describe("events of Alertmanager's recorder", () => {
  it('tell an alert as Prometheus does, until they tell that it is over', () => {
    const fires = {
      ordinal: 0,
      labels: { alertname: 'DiskFull', instance: 'db-1' },
      annotations: { summary: 'The disk of db-1 is full' },
      generator_url: '',
      starts_at_ms: Date.UTC(2026, 10, 25, 11, 58, 3, 157),
      ends_at_ms: NOW_MS + EXPIRE_MS,
    }
    for (const event of [CREATED, GROUPED, NOTIFIED])
      expect(decode(event ?? '')).toEqual({ alerts: [fires], rejects: [] })
    expect(decode(RESOLVED ?? '')).toEqual({
      alerts: [{ ...fires, ends_at_ms: Date.UTC(2026, 10, 25, 11, 59) }],
      rejects: [],
    })
  })

  it('that are about something else are left out', () => {
    for (const event of OTHER_ALERTMANAGER_EVENTS)
      expect(decode(JSON.stringify(event))).toEqual({ alerts: [], rejects: [] })
  })

  it('may come several in a message, one a line', () => {
    expect(
      decode(`${CREATED}\n${JSON.stringify(OTHER_ALERTMANAGER_EVENTS[0])}\n${RESOLVED}\n`),
    ).toMatchObject({
      alerts: [{ ordinal: 0 }, { ordinal: 1 }],
    })
  })

  it('that cannot be read say why', () => {
    const event = (alert: object) => JSON.stringify({ data: { alertCreated: { alert } } })
    expect(decode('{"data":{}}').rejects).toMatchObject([{ code: 'event-empty' }])
    expect(decode(event({ labels: { labels: [] } })).rejects).toMatchObject([{ code: 'labels-empty' }])
    expect(decode(event({ labels: { labels: [{ value: 'x' }] } })).rejects).toMatchObject([
      { code: 'field-missing' },
    ])
    expect(decode('{"data":{"__proto__":{}}}')).toEqual({ alerts: [], rejects: [] })
  })
})

describe("events of Icinga's stream", () => {
  const icinga = (...events: object[]) =>
    FORMATS.nagios(
      {
        body: Buffer.from(events.map((event) => JSON.stringify(event)).join('\n')),
        headers: {},
        at_ms: NOW_MS,
      },
      { expire_after_ms: EXPIRE_MS },
    )
  const of = { host: 'db-1', service: 'disk', timestamp: 1_795_607_880.5 }
  const check = (state: number, state_type: number) => ({
    type: 'CheckResult',
    ...of,
    check_result: { state, output: 'DISK', vars_after: { state_type, attempt: 3, reachable: true } },
  })

  it('may come several in a message; acknowledgements are told as such', () => {
    const decoded = icinga(
      { type: 'StateChange', ...of, state: 2, state_type: 1, check_result: { output: 'DISK CRITICAL' } },
      { type: 'AcknowledgementSet', ...of, author: 'ada', comment: 'mine', acknowledgement_type: 1 },
      { type: 'AcknowledgementCleared', ...of },
      { type: 'DowntimeAdded', downtime: {}, ...of },
      { type: 'StateChange', ...of, state: 0, state_type: 1 },
    )
    expect(decoded).toMatchObject({
      alerts: [
        { ordinal: 0, identity: { host: 'db-1', service: 'disk' }, labels: { severity: 'critical' } },
        { ordinal: 4, identity: { host: 'db-1', service: 'disk' } },
      ],
      rejects: [],
      acknowledgements: [{ ordinal: 1, identity: { host: 'db-1', service: 'disk' }, by: 'ada' }],
      dropped: 2,
    })
    expect(decoded.alerts[1]?.ends_at_ms).toBeLessThan(NOW_MS)
  })

  it('of checks tell the state once it is hard', () => {
    expect(icinga(check(1, 0))).toMatchObject({ alerts: [], dropped: 1 })
    expect(icinga(check(1, 1)).alerts).toMatchObject([{ labels: { severity: 'warning' } }])
  })

  it('of which one cannot be read, the others are taken', () => {
    expect(icinga({ type: 'StateChange', state: 2 }, check(2, 1))).toMatchObject({
      alerts: [{ ordinal: 1 }],
      rejects: [{ ordinal: 0, code: 'field-missing' }],
    })
  })
})
